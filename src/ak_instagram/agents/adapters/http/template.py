"""The request's template: address, headers and body, filled for each turn. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from difflib import get_close_matches
from urllib.parse import quote, urlsplit

from ak_instagram.agents.agent import Attachment, Turn, prompt

DEFAULT_REQUEST: Mapping[str, object] = {
    "session": "{session}",
    "turn": "{turn}",
    "account": "{account}",
    "agent": "{agent}",
    "text": "{text}",
    "messages": "{messages}",
    "attachments": "{attachments}",
}

_LISTS = frozenset({"messages", "attachments", "history"})
_WHOLE = _LISTS | {"profile"}
IN_ADDRESSES = frozenset({"session", "turn", "account", "contact", "agent"})
"""The placeholders that the address and the headers may have: none is what somebody said."""
PLACEHOLDERS = IN_ADDRESSES | {"locale", "text"} | _WHOLE
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


_ALWAYS = frozenset({"kind", "url", "title"})  # of an attachment, null or not


class RequestTemplate:
    """A checked template, to be filled for each turn."""

    def __init__(
        self,
        template: Mapping[str, object],
        url: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """The body is *template*; *url* and *headers* have placeholders of `IN_ADDRESSES`."""
        self._template = template
        self._url = url
        self._headers = headers or {}
        self._used = set(_names_in(template))
        # Attachments are lines of text if nothing else has them.
        self._has_attachments = bool(self._used & {"messages", "attachments"})

    @property
    def wants_history(self) -> bool:
        """Whether the request repeats the earlier conversation."""
        return "history" in self._used

    def problems(self) -> list[str]:
        """Return a line for each placeholder that can't be filled."""
        unknown = [
            *_unknown("agent.url", self._url, IN_ADDRESSES),
            *_unknown("agent.headers", list(self._headers.values()), IN_ADDRESSES),
            *_unknown("agent.request", self._template, PLACEHOLDERS),
        ]
        if "{" in (urlsplit(self._url).hostname or ""):
            unknown.append("agent.url: a placeholder can be in its path and query, not in its host")
        return unknown + [
            f"agent.request: `{{{name}}}` is {'a list' if name in _LISTS else 'an object'} and must"
            " be the whole value"
            for text in _strings_in(self._template)
            for name in _PLACEHOLDER.findall(text)
            if name in _WHOLE and text != f"{{{name}}}"
        ]

    def fill(self, turn: Turn) -> object:
        """Return the body for *turn*."""
        profile = turn.profile
        if "profile" in self._used:  # and not a line of the text
            turn = replace(turn, profile=None)
        messages: list[dict[str, object]] = []
        attachments: list[dict[str, object]] = []
        for message in turn.messages:
            own = list(map(attachment_json, message.attachments))
            attachments += own
            messages.append(
                {
                    "mid": message.mid,
                    "at": message.at,
                    "text": message.text,
                    "attachments": own,
                    "payload": message.payload,
                    "context": dict(message.context or {}),
                }
            )
        fields: dict[str, object] = {
            **_addresses(turn),
            "locale": turn.locale,
            "text": prompt(turn, lambda _: self._has_attachments),
            "messages": messages,
            "attachments": attachments,
            "history": list(map(asdict, turn.history)),
            "profile": profile.to_json() if profile is not None else None,
        }
        return _filled(self._template, fields)

    def url(self, turn: Turn) -> str:
        """Return the address for *turn*; what is filled in is escaped."""
        fields = {name: quote(text or "", safe="") for name, text in _addresses(turn).items()}
        return _PLACEHOLDER.sub(lambda found: fields[found[1]], self._url)

    def headers(self, turn: Turn) -> dict[str, str]:
        """Return the headers for *turn* that have placeholders; the others are always the same."""
        fields = _addresses(turn)
        return {
            name: _PLACEHOLDER.sub(lambda found: fields[found[1]] or "", text)
            for name, text in self._headers.items()
            if _PLACEHOLDER.search(text)
        }


def attachment_json(attachment: Attachment) -> dict[str, object]:
    """Return *attachment* as the request has it; an id and a price only where there are such."""
    fields = asdict(attachment)
    return {name: it for name, it in fields.items() if it is not None or name in _ALWAYS}


def _addresses(turn: Turn) -> dict[str, str | None]:
    """Return the values of `IN_ADDRESSES`."""
    return {
        "session": turn.session,
        "turn": turn.id,
        "account": turn.account,
        "contact": turn.contact,
        "agent": turn.agent,
    }


def _unknown(key: str, template: object, known: frozenset[str]) -> Iterator[str]:
    """Yield a problem of *key* for each placeholder in *template* that is not *known*."""
    for name in sorted(set(_names_in(template)) - known):
        close = get_close_matches(name, known, n=1)
        meant = f"did you mean `{{{close[0]}}}`?" if close else f"there are {_listed(known)}"
        yield f"{key}: no placeholder `{{{name}}}`; {meant}"


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def _names_in(template: object) -> Iterator[str]:
    """Yield the name of every placeholder in *template*."""
    for text in _strings_in(template):
        yield from _PLACEHOLDER.findall(text)


def _strings_in(template: object) -> Iterator[str]:
    """Yield every string value in *template*."""
    match template:
        case str():
            yield template
        case Mapping():
            for value in template.values():
                yield from _strings_in(value)
        case list() | tuple():
            for value in template:
                yield from _strings_in(value)


def _filled(template: object, fields: Mapping[str, object]) -> object:
    """
    Return *template* with its placeholders replaced, once: a person's words are never one.

    A placeholder that is a whole text becomes its value, one within a text becomes text.
    """
    match template:
        case str():
            if whole := _PLACEHOLDER.fullmatch(template):
                return fields[whole[1]]
            return _PLACEHOLDER.sub(lambda found: str(fields[found[1]] or ""), template)
        case Mapping():
            return {key: _filled(value, fields) for key, value in template.items()}
        case list() | tuple():
            return [_filled(value, fields) for value in template]
        case _:
            return template
