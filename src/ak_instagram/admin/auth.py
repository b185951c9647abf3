"""
Access to the admin API and the console: tokens, the console's cookie, and who guesses.

There are two tokens: one may change things, the other only reads. Both are compared in constant
time. The console's cookie is signed by a key that is made of the token, so that a new token ends
all sessions; nothing of them is stored.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

COOKIE = "ak_instagram_console"
SESSION = 12 * 3600  # seconds that a login lasts
FAILURES = 20  # wrong tokens from an address …
FAILURES_IN = 60.0  # … in so many seconds, after which it has to wait for as long
MAX_ADDRESSES = 10_000  # of which failures are remembered


@dataclass(frozen=True, slots=True)
class Caller:
    """
    A caller who has shown a token, or the cookie that one was changed for.

    *role* says which: `full` may change things. *form_token* is what a form of the console sends
    along, empty for callers without a cookie.
    """

    role: Literal["full", "read"]
    form_token: str = ""

    @property
    def may_change(self) -> bool:
        """Whether the caller may change things."""
        return self.role == "full"

    def owns(self, form_token: str) -> bool:
        """Return whether *form_token* is that of the caller's session."""
        return hmac.compare_digest(self.form_token.encode(), form_token.encode("utf-8", "replace"))


class TooManyFailures(Exception):
    """The caller's address has shown so many wrong tokens that it has to wait *seconds*."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"too many wrong tokens; try again in {seconds:.0f} s")
        self.seconds = seconds


class FailureLimiter:
    """Counts the failures of each address, for the *latest* `MAX_ADDRESSES`; *now* is a clock."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Return for how many seconds *address* has to wait, 0 if it need not."""
        count, since = self._failures.get(address, (0, 0.0))
        left = since + FAILURES_IN - self._now()
        return left if count >= FAILURES and left > 0 else 0.0

    def note(self, address: str) -> None:
        """Count a failure of *address*."""
        count, since = self._failures.pop(address, (0, self._now()))
        if self._now() - since >= FAILURES_IN:
            count, since = 0, self._now()
        self._failures[address] = (count + 1, since)
        if len(self._failures) > MAX_ADDRESSES:
            self._failures.popitem(last=False)


class Gate:
    """
    Tells who may come in.

    *token* may change things, *read_token* may not, `None` or empty is nobody's. *now* is the
    time in seconds, *limiter* counts the failures.
    """

    def __init__(
        self,
        token: str,
        read_token: str | None = None,
        *,
        now: Callable[[], float] = time.time,
        limiter: FailureLimiter | None = None,
    ) -> None:
        self._tokens: dict[Literal["full", "read"], bytes] = {"full": token.encode()}
        if read_token:
            self._tokens["read"] = read_token.encode()
        self._now = now
        self._limiter = limiter or FailureLimiter()

    def by_token(self, token: str, address: str) -> Caller | None:
        """
        Return who shows *token* from *address*, `None` if it is wrong.

        Raises `TooManyFailures` without looking at it if the address has failed too often.
        """
        if wait := self._limiter.wait(address):
            raise TooManyFailures(wait)
        shown, found = token.encode("utf-8", "surrogateescape"), None
        for role, known in self._tokens.items():  # all of them, whichever fits
            if hmac.compare_digest(_digest(shown), _digest(known)):
                found = found or Caller(role)
        if found is None:
            self._limiter.note(address)
        return found

    def by_cookie(self, cookie: str) -> Caller | None:
        """Return whose session *cookie* is, `None` if it is none, or has ended."""
        said, _, signature = cookie.rpartition(".")
        role, _, rest = said.partition(".")
        if role not in ("full", "read") or role not in self._tokens:
            return None
        known: Literal["full", "read"] = "full" if role == "full" else "read"
        expires = rest.partition(".")[0]
        is_signed = hmac.compare_digest(self._sign(known, said).encode(), signature.encode())
        if not is_signed or not expires.isdigit() or int(expires) <= self._now():
            return None
        return Caller(known, form_token=self._sign(known, f"form {said}"))

    def new_session(self, caller: Caller) -> str:
        """Return a cookie that stands for *caller* for the next `SESSION` seconds."""
        said = f"{caller.role}.{int(self._now()) + SESSION}.{secrets.token_hex(8)}"
        return f"{said}.{self._sign(caller.role, said)}"

    def _sign(self, role: Literal["full", "read"], said: str) -> str:
        key = hashlib.sha256(b"ak-instagram console\0" + self._tokens[role]).digest()
        return hmac.new(key, said.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _digest(text: bytes) -> bytes:
    """Return what is compared in its place: of one length, whatever a caller sends."""
    return hashlib.sha256(text).digest()


def bearer(headers: Mapping[str, str]) -> str | None:
    """Return the token in `Authorization: Bearer …`, `None` without one."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def is_same_origin(headers: Mapping[str, str]) -> bool:
    """
    Return whether a browser sent this from one of our own pages.

    `Sec-Fetch-Site` and `Origin` have to say so, as far as they are there, and one has to be.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is None and origin is None:
        return False
    is_ours = origin is None or urlsplit(origin).netloc == headers.get("host", "")
    return is_ours and site in (None, "same-origin")


def is_https(scheme: str, headers: Mapping[str, str]) -> bool:
    """Return whether the browser came by https, be it to a proxy in front."""
    return scheme == "https" or headers.get("x-forwarded-proto", "").split(",")[0] == "https"
