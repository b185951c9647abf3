"""
Calls about tokens: refresh, exchange, and a login's code for a token.

The token and the secret are in these URLs, as Meta has it; they are never logged.
https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp

from ak_instagram.meta.lenient import as_id, as_list, as_number, as_object, as_text

from .client import GraphClient, read_answer, read_object
from .codes import ErrorClass
from .errors import GraphError

TIMEOUT = 10.0  # seconds that one call may take
SCOPES = ("instagram_business_basic", "instagram_business_manage_messages")
"""The permissions that an account's owner is asked for; the service needs no others."""

_GRAPH = "https://graph.instagram.com"
_LOGIN = "https://www.instagram.com"
_CODES = "https://api.instagram.com"
_LONGEST = 2048  # characters of a token


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token that Meta has just made; it lasts *seconds*, `None` if Meta does not say."""

    token: str
    seconds: int | None


@dataclass(frozen=True, slots=True)
class Login:
    """A login's result: a token for an hour, and what it may do; empty if Meta does not say."""

    token: str
    permissions: frozenset[str]


class TokenCalls(GraphClient):
    """The calls about tokens of Instagram Login, over a *session* that others may share."""

    def __init__(self, session: aiohttp.ClientSession, graph_url: str, api_version: str) -> None:
        super().__init__(session, graph_url, api_version)
        self._host = graph_url
        is_real = graph_url == _GRAPH
        # A simulator and a proxy are all of Meta's hosts at once.
        self._login, self._codes = (_LOGIN, _CODES) if is_real else (graph_url, graph_url)

    async def refresh(self, token: str) -> IssuedToken:
        """Return a new token for the long-lived *token*, which may stop working then."""
        query = {"grant_type": "ig_refresh_token", "access_token": token}
        url = f"{self._host}/refresh_access_token"
        answer = await self._call("GET", url, token, TIMEOUT, params=query)
        return read_answer(read_issued, answer.body)

    async def exchange(self, token: str, app_secret: str) -> IssuedToken:
        """Return a long-lived token for the short-lived *token* of the app with *app_secret*."""
        query = {
            "grant_type": "ig_exchange_token",
            "client_secret": app_secret,
            "access_token": token,
        }
        answer = await self._call("GET", f"{self._host}/access_token", token, TIMEOUT, params=query)
        return read_answer(read_issued, answer.body)

    def login_url(self, app_id: str, redirect_uri: str, state: str) -> str:
        """Return where an account's owner logs in, and comes back from to *redirect_uri*."""
        query = {
            "client_id": app_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": ",".join(SCOPES),
            "state": state,
        }
        return f"{self._login}/oauth/authorize?{urlencode(query)}"

    async def redeem(self, code: str, app_id: str, app_secret: str, redirect_uri: str) -> Login:
        """Return the login that *code* stands for, which is good for an hour and once."""
        form = {
            "client_id": app_id,
            "client_secret": app_secret,
            "grant_type": "authorization_code",
            "redirect_uri": redirect_uri,
            "code": code.removesuffix("#_"),
        }
        url = f"{self._codes}/oauth/access_token"
        answer = await self._call("POST", url, "", TIMEOUT, data=form, repeatable=False)
        return read_answer(read_login, answer.body, repeatable=False)


def read_issued(body: bytes) -> IssuedToken:
    """Return the token in the answer of a refresh or an exchange."""
    answer = read_object(body)
    seconds = as_number(answer.get("expires_in"))
    return IssuedToken(token_in(answer.get("access_token")), seconds if seconds else None)


def read_login(body: bytes) -> Login:
    """Return the login in an answer: documented inside `data[]`, by some reports without."""
    answer = read_object(body)
    login = as_object(next(iter(as_list(answer.get("data"))), answer))
    granted = frozenset(permissions_in(login.get("permissions")))
    if as_id(login.get("user_id")) is None:
        raise ValueError("no user_id")
    return Login(token_in(login.get("access_token")), granted)


def permissions_in(value: object) -> Iterator[str]:
    """Yield the names in a list, or in a text with commas."""
    listed = value.split(",") if isinstance(value, str) else as_list(value)
    yield from (text.strip() for text in map(as_text, listed) if text and text.strip())


def token_in(value: object) -> str:
    """Return *value* if it can be a token."""
    if not isinstance(value, str) or not value.isascii() or not 0 < len(value) <= _LONGEST:
        raise ValueError("no access_token")
    return value


def why_refused(error: GraphError) -> str:
    """Return what *error*, of a call about a token, means to whoever asked for it."""
    if error.code == 190 and error.subcode == 463:
        return "the token has expired: only a new one helps"
    if error.code == 190:
        return "Meta does not know the token: it is cut short, revoked, or of the other login"
    if error.code in (1, 101) or (error.code == 400 and error.subcode is None):
        return f"Meta refuses it ({error}): a token or code of another app, or one used already"
    if error.error_class in (ErrorClass.TRANSIENT, ErrorClass.OUTCOME_UNKNOWN):
        return f"Meta did not answer ({error})"
    return f"Meta refuses it ({error})"
