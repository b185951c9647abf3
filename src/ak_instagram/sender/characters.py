"""Characters as people see them: bytes that fit, whole grapheme clusters."""

from __future__ import annotations

import regex

# Extended grapheme clusters: https://www.unicode.org/reports/tr29/
_CLUSTER = regex.compile(r"\X")


def fitting_end(text: str, start: int, limit: int) -> int:
    """Return the farthest end for which `text[start:end]` is at most *limit* UTF-8 bytes."""
    head = text[start : start + limit].encode()[:limit]
    return start + len(head.decode(errors="ignore"))


def cluster_end(text: str, start: int, end: int) -> int:
    """Return the last boundary between grapheme clusters in `(start, end]`, or *start*."""
    boundary = start
    # One character more than is asked for shows whether *end* is a boundary too. A copy,
    # because the library looks back through all flags before a flag.
    for cluster in _CLUSTER.finditer(text[start : end + 1]):
        if start + cluster.end() > end:
            break
        boundary = start + cluster.end()
    return boundary
