"""Surrogates without their other half, which JSON can spell and UTF-8 can't."""

from __future__ import annotations


def well_formed(text: str) -> str:
    """
    Return *text* such that UTF-8 can encode it.

    Halves that meet become their character, a half alone becomes U+FFFD.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
