"""Size and layers of an image, as a table that can be read as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qa.image.docker import Docker

FORM = "{{.Size}}\t{{json .CreatedBy}}"
_WIDEST = 76  # characters of an instruction
_MEGABYTE = 1_000_000
# What the classic builder and BuildKit put around an instruction.
_AROUND = re.compile(r"^/bin/sh -c #\(nop\)\s+|(?:dir|file|multi):[0-9a-f]{64} in |\s+# buildkit$")
_RUN = re.compile(r"^(?:RUN )?(?:\|\d+ .*?)?/bin/sh -c ")


@dataclass(frozen=True, slots=True)
class Layer:
    """What an *instruction* added, in bytes."""

    size: int
    instruction: str


def layers(docker: Docker, image: str) -> list[Layer]:
    """Return the layers of *image*, oldest first; raise `Failed` if it is not there."""
    return read_history(
        docker.call("history", "--no-trunc", "--human=false", "--format", FORM, image)
    )


def read_history(text: str) -> list[Layer]:
    """Return the layers that `docker history` prints in `FORM`, oldest first."""
    lines = (line.split("\t", 1) for line in reversed(text.splitlines()))
    return [Layer(int(size), _plain(json.loads(created_by))) for size, created_by in lines]


def table(layers: Sequence[Layer], size: int) -> str:
    """Return a Markdown table of the layers that hold something, and the whole *size*."""
    rows = [(_megabytes(each.size), each.instruction) for each in layers if each.size]
    return "\n".join(_lines([*rows, (_megabytes(size), "**all**")]))


def _plain(created_by: str) -> str:
    """Return an instruction as the Dockerfile has it, in one line."""
    text = _RUN.sub("RUN ", _AROUND.sub("", created_by))
    text = " ".join(text.split()) or "(no instruction)"
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 2]} …"


def _megabytes(size: int) -> str:
    return f"{size / _MEGABYTE:,.1f}"


def _lines(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    width = max(len(size) for size, _ in rows)
    yield f"| {'MB':>{width}} | layer |"
    yield f"|{'-' * (width + 1)}:|---|"
    for size, what in rows:
        yield f"| {size:>{width}} | {what} |"
