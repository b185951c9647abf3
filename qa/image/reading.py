"""What the service says, read by rules of its own: a judge does not use the code it judges."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Sequence

from qa.image.verdict import Failed

_METRIC = re.compile(r"^(\w+)(\{.*\})? (\S+)$", re.MULTILINE)
_COMPLAINT = re.compile(r"([\w.]+) \(AK_\w+\): .")


def signature(secret: str, body: bytes) -> str:
    """Return the X-Hub-Signature-256 of *body*."""
    return f"sha256={hmac.new(secret.encode(), body, 'sha256').hexdigest()}"


def says_the_same(questions: Sequence[str], pieces: Sequence[str]) -> bool:
    """Whether *pieces* repeat all *questions*; white space may be lost where it was cut."""
    return _bare(questions) == _bare(pieces)


def total(metrics: str, name: str, having: str = "") -> float:
    """Return the sum of the metric *name*, over all labels *having* it, in what `/metrics` says."""
    found = _METRIC.findall(metrics)
    return sum(float(value) for each, labels, value in found if each == name and having in labels)


def draining(lines: Sequence[str]) -> int | None:
    """Return how many conversations were under way when the service was told to stop."""
    told = [line for line in lines if '"event":"worker.draining"' in line]
    return int(json.loads(told[-1])["conversations"]) if told else None


def complaints(said: str) -> list[str]:
    """Return the keys that a refused start complains of, a line each; raise `Failed` otherwise."""
    keys = []
    for line in said.splitlines():
        if (complaint := _COMPLAINT.match(line)) is None:
            raise Failed(f"it said {line[:100]!r}")
        keys.append(complaint[1])
    return keys


def _bare(texts: Sequence[str]) -> str:
    return "".join("".join(texts).split())
