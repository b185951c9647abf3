"""
The Graph API's versions as a table: until when each is served as itself.

One that has ended is not refused: the oldest living version serves its calls, without a word.
https://developers.facebook.com/docs/graph-api/changelog
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

LIVING = "v26.0"  # what the files that come along set
ENDS: Mapping[str, date] = {
    "v20.0": date(2026, 9, 24),
    "v21.0": date(2027, 1, 21),
    "v22.0": date(2027, 5, 20),
    "v23.0": date(2027, 10, 8),
    "v24.0": date(2028, 2, 18),
    "v25.0": date(2028, 7, 29),
}
"""The last day of each version that has one; v26.0 and v27.0 had none in November 2026."""

_FIRST_KNOWN = 20


def end_of(version: str) -> date | None:
    """Return the last day of *version* (`v21.0`), `None` if none is known; old ones have ended."""
    known = ENDS.get(version)
    if known is None and float(version.removeprefix("v")) < _FIRST_KNOWN:
        return min(ENDS.values())
    return known
