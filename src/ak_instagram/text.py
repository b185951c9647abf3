"""Text that JSON can spell and UTF-8 or PostgreSQL can't hold: half a surrogate pair, and NUL."""

from __future__ import annotations


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
