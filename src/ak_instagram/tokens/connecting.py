"""
Connecting: an account's owner logs in at Instagram, and the service answers for the account.

```
link (one hour, one account) ─▶ login, with a state (ten minutes, once) ─▶ Instagram
account usable ◀─ stored ◀─ subscribed ◀─ long-lived token ◀─ code ◀─ back, with the state
```

https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from ak_instagram.meta.graph.account_calls import AccountCalls
from ak_instagram.meta.graph.client import Profile
from ak_instagram.meta.graph.errors import GraphError
from ak_instagram.meta.graph.token_calls import (
    SCOPES,
    TIMEOUT,
    IssuedToken,
    Login,
    TokenCalls,
    why_refused,
)
from ak_instagram.settings.model import Settings
from ak_instagram.store.database import Transactions, Tx
from ak_instagram.store.verbs.accounts import logins, rows
from ak_instagram.store.verbs.accounts.rows import NewToken

from .life import digest
from .refreshing import new_token
from .vault import Vault

log = structlog.get_logger()

CONNECT = "/instagram/connect"
CALLBACK = f"{CONNECT}/callback"
LINK_LASTS = 3_600_000  # milliseconds
LOGIN_LASTS = 600_000
_ASK_AGAIN = "Ask for a new link."


class ConnectRefused(Exception):
    """Somebody can't connect an account; its text says why, and what they can do. *status*: 4xx."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


class KnowsTime(Transactions, Protocol):
    """A store that runs verbs and tells the time."""

    def now(self) -> int:
        """Return the database's time in UTC milliseconds."""
        ...


@dataclass(frozen=True, slots=True)
class ConnectApp:
    """The Meta app that accounts are connected to; *public_url* is where the service is reached."""

    app_id: str
    public_url: str
    app_secret: str = field(repr=False)

    @property
    def redirect_uri(self) -> str:
        """Where owners come back to: the same, to the letter, as in the app's dashboard."""
        return f"{self.public_url}{CALLBACK}"

    def link(self, secret: str) -> str:
        """Return the link that has *secret*."""
        return f"{self.public_url}{CONNECT}?link={secret}"

    def sign(self, text: str) -> str:
        """Return the signature of *text*, which nobody else can make."""
        key = hmac.digest(self.app_secret.encode(), b"ak-instagram connect state", hashlib.sha256)
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    def state(self, now: int) -> str:
        """Return a new state, good for `LOGIN_LASTS` from *now* (UTC ms) on."""
        text = f"{now + LOGIN_LASTS}.{secrets.token_urlsafe(24)}"
        return f"{text}.{self.sign(text)}"

    def check(self, state: str, now: int) -> None:
        """Raise `ConnectRefused` unless *state* is one of ours, and still good at *now*."""
        text, _, signature = state.rpartition(".")
        if not hmac.compare_digest(self.sign(text).encode(), signature.encode()):
            raise ConnectRefused(f"This login was not begun here. {_ASK_AGAIN}", 403)
        if int(text.partition(".")[0]) <= now:
            raise ConnectRefused(
                "This login took longer than ten minutes. Open the link you were given once more.",
            )


def connect_app(settings: Settings) -> ConnectApp | None:
    """Return the app of *settings*, `None` if accounts can't be connected."""
    instagram = settings.instagram
    if instagram.app_id is None:
        return None
    public_url = (settings.server.public_url or "").rstrip("/")
    return ConnectApp(instagram.app_id, public_url, instagram.app_secret[0])


async def make_link(store: Transactions, app: ConnectApp) -> str:
    """Return a link with which one account can be connected within an hour."""
    secret = secrets.token_urlsafe(32)
    await store.run(logins.add_link, digest(secret), LINK_LASTS)
    return app.link(secret)


class Connecting:
    """Connects accounts to *app*, whose tokens are sealed in *vault* and kept in *store*."""

    def __init__(self, store: KnowsTime, calls: TokenCalls, app: ConnectApp, vault: Vault) -> None:
        self._store = store
        self._calls = calls
        self._app = app
        self._vault = vault

    async def begin(self, secret: str) -> str:
        """Return where the owner who has the link with *secret* logs in."""
        state = self._app.state(self._store.now())
        link = digest(secret)
        if not await self._store.run(logins.begin, link, digest(state), LOGIN_LASTS):
            raise ConnectRefused(
                f"This link is used already, older than an hour, or incomplete. {_ASK_AGAIN}", 403
            )
        return self._calls.login_url(self._app.app_id, self._app.redirect_uri, state)

    async def finish(self, state: str, code: str, error: str) -> Profile:
        """
        Connect the account whose owner comes back with *state*, and a *code* or an *error*.

        Raises `ConnectRefused`; then nothing has changed, and while the link lasts it can be
        opened once more.
        """
        self._app.check(state, self._store.now())
        link = await self._store.run(logins.spend, digest(state))
        if link is None:
            raise ConnectRefused(f"This login was used already, or its link was. {_ASK_AGAIN}", 409)
        if error or not code:
            raise ConnectRefused("The login was cancelled. Open the link again to try once more.")
        try:
            profile, issued = await self._log_in(code)
        except GraphError as refused:
            why = why_refused(refused)
            log.warning("account.connect_failed", reason=why)
            raise ConnectRefused(f"{why}. Open the link again to try once more.") from refused
        new = new_token(self._vault, profile.user_id, issued, self._store.now())
        if not await self._store.run(connect_once, link, profile, new):
            raise ConnectRefused(f"The link was used meanwhile. {_ASK_AGAIN}", 409)
        log.info("account.connected", account=profile.user_id, username=profile.username)
        return profile

    async def _log_in(self, code: str) -> tuple[Profile, IssuedToken]:
        """Return the account that *code* is for, subscribed, and its long-lived token."""
        app, calls = self._app, self._calls
        login = await calls.redeem(code, app.app_id, app.app_secret, app.redirect_uri)
        if missing := missing_permissions(login):
            log.warning("account.connect_failed", reason=f"not granted: {', '.join(missing)}")
            raise ConnectRefused(
                f"Not all that is needed was allowed: {', '.join(missing)} is missing. Open the"
                " link again and leave everything switched on."
            )
        issued = await calls.exchange(login.token, app.app_secret)
        profile = await calls.me(issued.token, TIMEOUT)
        await AccountCalls(calls).subscribe(issued.token)
        return profile, issued


def missing_permissions(login: Login) -> list[str]:
    """Return the permissions that *login* lacks; none if Meta does not say which it has."""
    return [each for each in SCOPES if login.permissions and each not in login.permissions]


def connect_once(tx: Tx, link: str, profile: Profile, token: NewToken) -> bool:
    """Keep the account of *profile* with *token*, unless *link* is used already; return if so."""
    if not logins.use_link(tx, link):
        return False
    rows.connect(tx, profile.user_id, profile.username, token)
    return True
