"""
The `fields` of a read: which members are asked for, of which nested objects, how many.

`id,messages.limit(2){id,from{username}}` asks for two members, the second with an argument
and members of its own: https://developers.facebook.com/docs/graph-api/guides/field-expansion
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .responses import GraphRefusal

MAX_DEPTH = 8
_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"\s*(\w+)\s*")
_ARGUMENT = re.compile(r"\.\s*(\w+)\s*\(([^()]*)\)\s*")


@dataclass(frozen=True, slots=True)
class Field:
    """A field that is asked for, with its arguments and, if they were named, its own fields."""

    name: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[Field, ...] = ()

    def __str__(self) -> str:
        arguments = "".join(f".{name}({value})" for name, value in self.arguments.items())
        return self.name + arguments + (f"{{{text_of(self.fields)}}}" if self.fields else "")


def text_of(fields: Sequence[Field]) -> str:
    """Return *fields* as they are written."""
    return ",".join(map(str, fields))


def parse_fields(text: str) -> tuple[Field, ...]:
    """
    Return the fields that *text* asks for, none if it is blank.

    Raise `GraphRefusal` (2500) at the place where it can't be read, as Meta does.
    """
    if not text.strip():
        return ()
    parser = _Parser(text)
    fields = parser.fields(MAX_DEPTH)
    if parser.at < len(text):
        raise parser.refusal("end of string")
    return fields


class _Parser:
    """A reader of *text* by recursive descent; *at* is the place of the next character."""

    def __init__(self, text: str) -> None:
        self.at = 0
        self._text = text

    def fields(self, depth: int) -> tuple[Field, ...]:
        """Read fields with commas between them."""
        found = [self.field(depth)]
        while self.take(","):
            found.append(self.field(depth))
        return tuple(found)

    def field(self, depth: int) -> Field:
        """Read a name, its arguments, and its fields in braces."""
        name = self.match(_NAME)
        if name is None:
            raise self.refusal("a field")
        arguments = {}
        while argument := self.match(_ARGUMENT):
            arguments[argument[1]] = argument[2].strip()
        inner: tuple[Field, ...] = ()
        if self.take("{"):
            if depth == 0:
                raise self.refusal(f"at most {MAX_DEPTH} levels of fields")
            inner = self.fields(depth - 1)
            if not self.take("}"):
                raise self.refusal('"}"')
            self.match(_SPACE)
        return Field(name[1], arguments, inner)

    def take(self, character: str) -> bool:
        """Go past *character* if it is the next one."""
        is_next = self._text.startswith(character, self.at)
        self.at += is_next
        return is_next

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Go past what *pattern* matches here."""
        if found := pattern.match(self._text, self.at):
            self.at = found.end()
        return found

    def refusal(self, expected: str) -> GraphRefusal:
        """Return the refusal of the character that is next."""
        given = f'"{self._text[self.at]}"' if self.at < len(self._text) else "end of string"
        why = f"Expected {expected} instead of {given}."
        where = f"at character {self.at}: {self._text[:200]}"
        return GraphRefusal(2500, None, f'Syntax error "{why}" {where}')
