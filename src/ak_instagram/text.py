"""Text: made such that UTF-8 and PostgreSQL can hold it, and compared as people mean it."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache


def sanitize(text: str) -> str:
    """
    Return *text* such that it can be encoded and stored.

    Halves that meet become their character; a half alone becomes U+FFFD, and NUL too.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def fits(said: str, phrase: str) -> bool:
    """Return whether *said* is *phrase*: case and blanks aside, `*` for any words in it."""
    return _pattern(phrase).fullmatch(_plain(said)) is not None


@lru_cache
def _pattern(phrase: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, _plain(phrase).split("*"))))


def _plain(text: str) -> str:
    """Return *text* as it is compared: one case, one form of each character, single blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
