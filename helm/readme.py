"""
Write the table of values in the chart's README from the comments in its values.yaml.

`python helm/readme.py` does it; a test holds the README to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

CHART = Path(__file__).parent / "ak-instagram"
README = CHART / "README.md"
BEGIN, END = "<!-- begin values -->\n", "<!-- end values -->\n"


@dataclass(frozen=True, slots=True)
class Value:
    """A key of values.yaml by its path, with the comment above it; a section has no default."""

    path: str
    about: str
    default: str | None

    @property
    def row(self) -> str:
        """The key's row in the table."""
        shown = "" if self.default is None else f"`{self.default}`"
        cells = (f"`{self.path}`", shown, self.about)
        return f"| {' | '.join(cells)} |"


def read_values(text: str) -> list[Value]:
    """Return every key of *text* that has a comment, in order."""
    root = yaml.compose(text, yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)
    return list(_below(root, text.splitlines(), ""))


def _below(parent: yaml.MappingNode, lines: list[str], path: str) -> Iterator[Value]:
    """Yield the keys below *parent*; what has no comment is part of its parent's default."""
    for key, node in parent.value:
        about = _comment_above(key.start_mark.line, lines)
        if not about:
            continue
        inner = f"{path}{key.value}"
        is_mapping = isinstance(node, yaml.MappingNode)
        keys = list(_below(node, lines, f"{inner}.")) if is_mapping else []
        default = yaml.SafeLoader("").construct_object(node, deep=True)
        yield Value(inner, about, None if keys else json.dumps(default, ensure_ascii=False))
        yield from keys


def _comment_above(line: int, lines: list[str]) -> str:
    """Return the comment that stands right above *line*, as one text."""
    first = line
    while first and lines[first - 1].lstrip().startswith("# "):
        first -= 1
    return " ".join(each.lstrip().removeprefix("# ") for each in lines[first:line])


def table(values: list[Value]) -> str:
    """Return *values* as a table in Markdown."""
    return "\n".join(["| key | default | |", "|---|---|---|", *(value.row for value in values), ""])


def renewed(readme: str, values: list[Value]) -> str:
    """Return *readme* with the table of *values* between its two marks."""
    between = re.compile(f"(?<={re.escape(BEGIN)}).*(?={re.escape(END)})", re.DOTALL)
    return between.sub(lambda _: table(values), readme)


def main() -> None:
    """Write the README anew."""
    values = read_values((CHART / "values.yaml").read_text(encoding="utf-8"))
    README.write_text(renewed(README.read_text(encoding="utf-8"), values), encoding="utf-8")


if __name__ == "__main__":
    main()
