"""
A safety net under the log: secrets and people's words are masked.

What must not be logged is not handed to the log. If it gets there all the same, in a
library's message or an exception's text, it ends here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, unquote_plus

from structlog.typing import EventDict, WrappedLogger

MASK = "***"

_SECRET_NAME = re.compile(r"token|secret|authorization|signature|api_?key|password|^text$", re.I)
# What tells that a secret follows, and how far that goes.
_TOLD = (
    (r"Bearer\s+", r"[^\s\"',]+"),
    (r"bearer\s+", r"[^\s\"',]+"),
    (r"sha1=", r"[0-9a-fA-F]+"),
    (r"sha256=", r"[0-9a-fA-F]+"),
    *(
        (rf"{name}[\"']?\s*[=:]\s*[\"']?", r"[^\s\"'&,}]+")
        for name in ("access_token", "client_secret", "verify_token")
    ),
)
_BEFORE_SECRET = re.compile("|".join(before for before, _ in _TOLD))
# Every branch starts with a plain letter, so that the search runs at the speed of a scan.
_SECRET_LOOKS = (
    r"IG[A-Z][A-Z](?<![\w-]....)[\w-]{12,}",  # Meta's access tokens, old and new
    r"EAA(?<![\w-]...)[\w-]{12,}",
    *(before + secret for before, secret in _TOLD),
)
# A password in a URL: after the user, up to the last @; or a parameter's value.
_PASSWORD = re.compile(r"(?<=://)([^:@/]*:)(.*)(?=@)")
_PASSWORD_IN_QUERY = re.compile(r"([?&]password=)([^&]*)")
_LEAST = 6  # characters; a shorter secret would mask half of every line
_SHORT = 24  # characters; longer texts are seldom met again
_FIRST = ("timestamp", "level", "event")
_PLAIN = frozenset((int, float, bool, type(None)))


class Masking:
    """
    A processor that masks secrets, by the name of their key and by their look.

    Numbers are left alone, so that `secret=2` may tell which secret it was. So are time,
    level and the names of our events, which are constants: a secret may be one of their
    words. What a library says has a `logger`, and its event is free text.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= _LEAST}, key=len)
        longest_first = map(re.escape, reversed(known))
        look = re.compile("|".join([*longest_first, *_SECRET_LOOKS]))
        # Most words of a line are those of the line before.
        self._searched = lru_cache(maxsize=1024)(lambda text: look.sub(_hide, text))
        self._look = look

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Return the line masked, with time, level and event in front."""
        line: EventDict = {}
        for name in _FIRST:
            if name in event:
                line[name] = event.pop(name)
        if "logger" in event and "event" in line:
            line["event"] = self._search(str(line["event"]))
        for name, value in event.items():
            line[name] = value if type(value) in _PLAIN else self._mask(name, value)
        return line

    def _mask(self, name: str, value: Any) -> Any:  # noqa: ANN401 - anything can be logged
        """Return *value* without what is secret in it."""
        if isinstance(value, str):
            return MASK if _is_secret(name) else self._search(value)
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if _is_secret(name):
            return MASK
        if isinstance(value, Mapping):
            return {str(key): self._mask(str(key), item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._mask("", item) for item in value]
        return self._search(repr(value))

    def _search(self, text: str) -> str:
        return self._searched(text) if len(text) <= _SHORT else self._look.sub(_hide, text)


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    """Whether values under *name* are never shown."""
    return _SECRET_NAME.search(name) is not None


def _hide(secret: re.Match[str]) -> str:
    """Return the mask, after what told that a secret follows."""
    before = _BEFORE_SECRET.match(secret[0])
    return f"{before[0] if before else ''}{MASK}"


def without_password(url: str) -> str:
    """Return a store's *url* as it may be shown."""
    shown = _PASSWORD.sub(rf"\1{MASK}", url)
    return _PASSWORD_IN_QUERY.sub(rf"\1{MASK}", shown)


def passwords_in(url: str) -> tuple[str, ...]:
    """Return the passwords in a store's *url*, as they are written there and as they are."""
    found = _PASSWORD.search(url)
    longest = found[2] if found else ""
    written = (longest, longest.partition("@")[0])  # an @ may also be in the query
    asked = [value for _, value in _PASSWORD_IN_QUERY.findall(url)]
    return (*written, *map(unquote, written), *asked, *map(unquote_plus, asked))
