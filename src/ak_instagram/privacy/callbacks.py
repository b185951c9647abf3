"""
`/instagram/deauthorize`, `/instagram/data-deletion` and the status page of a deletion.

Meta posts the first two as a form with a `signed_request`. It names the user who logged in to
the app, who is the owner of an account, by an id of this app's. People who only write to the
account never do; an id that is no account's is taken for a person's (see docs/privacy.md).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qs

import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ak_instagram import metrics
from ak_instagram.errors import StoreUnavailable, Transient, WebhookRejected
from ak_instagram.store.database import Transactions
from ak_instagram.store.verbs.people import deletions
from ak_instagram.store.verbs.people.deletions import Deletion, DeletionStatus

from .deletions import FindAccount
from .signed_request import SignedRequest, read_signed_request

log = structlog.get_logger()

DEAUTHORIZE = "/instagram/deauthorize"
DATA_DELETION = "/instagram/data-deletion"
MAX_BYTES = 64 * 1024
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_HERE = frozenset({"localhost", "127.0.0.1", "[::1]"})

Disconnect = Callable[[str], Awaitable[None]]


class PrivacyCallbacks:
    """
    Answers Meta about users who leave, and users about their deletion.

    Any of *app_secrets* may have signed a request; without one none is taken. *account_of*
    returns the account that an id means, see `Deletions`. *disconnect* stops an account
    that has removed the app. *hurry* is called once a deletion is written down. *public_url* is
    where the service is called from outside, if not by the host that Meta calls.
    """

    def __init__(
        self,
        store: Transactions,
        *,
        app_secrets: Sequence[str],
        account_of: FindAccount,
        disconnect: Disconnect,
        hurry: Callable[[], None],
        public_url: str | None = None,
    ) -> None:
        self._store = store
        self._secrets = tuple(secret.encode() for secret in app_secrets)
        self._account_of = account_of
        self._disconnect = disconnect
        self._hurry = hurry
        self._public_url = public_url

    def routes(self) -> list[Route]:
        """Return where they are."""
        return [
            Route(DEAUTHORIZE, self.deauthorize, methods=["POST"]),
            Route(DATA_DELETION, self.ask_for_deletion, methods=["POST"]),
            Route(f"{DATA_DELETION}/{{code}}", self.status, methods=["GET"]),
        ]

    async def deauthorize(self, request: Request) -> Response:
        """Stop the account of the user who has removed the app."""
        try:
            signed = await self._read(request, "deauthorize")
        except WebhookRejected as exc:
            return _refusal(exc)
        account = self._known(signed.user_id)
        if account is not None:
            try:
                await self._disconnect(account)
            except StoreUnavailable as exc:
                log.error("account.not_disconnected", account=account, reason=str(exc))
                return PlainTextResponse("try again", status_code=503)
        log.warning(
            "account.deauthorized",
            account=account,
            reason="its owner has removed the app: nothing can be sent for it any more"
            if account
            else "Meta names the user by an id that no account of ours is known by",
            fix="connect the account again, or take it out of the settings",
        )
        return JSONResponse({"success": True})

    async def ask_for_deletion(self, request: Request) -> Response:
        """Write the deletion down, and answer where its status can be seen."""
        try:
            signed = await self._read(request, "data_deletion")
        except WebhookRejected as exc:
            return _refusal(exc)
        account = self._known(signed.user_id) or ""
        deletion = Deletion(signed.code, account, "" if account else signed.user_id)
        try:
            is_new = await self._store.run(deletions.ask, deletion)
        except StoreUnavailable as exc:
            log.error("deletion.not_stored", reason=str(exc))
            return PlainTextResponse("try again", status_code=503)
        if is_new:
            log.info("deletion.asked", account=account or None)
            self._hurry()
        host = request.headers.get("host", "")
        url = f"{self._public_url or origin(host)}{DATA_DELETION}/{signed.code}"
        return JSONResponse({"url": url, "confirmation_code": signed.code})

    async def status(self, request: Request) -> Response:
        """Show what became of a deletion: plain HTML for whoever has its code."""
        code = request.path_params["code"]
        try:
            found = await self._store.run(deletions.status, code) if code.isalnum() else None
        except StoreUnavailable:
            return PlainTextResponse("try again", status_code=503)
        if found is None:
            return _page("Unknown code", "No deletion with this code is known.", 404)
        return _page("Deletion of your data", told(found), 200)

    def _known(self, any_id: str) -> str | None:
        """Return the account that *any_id* means, as far as that can be told now."""
        try:
            return self._account_of(any_id)
        except Transient:
            return None

    async def _read(self, request: Request, callback: str) -> SignedRequest:
        """Return the signed request in *request*, or raise `errors.WebhookRejected`."""
        try:
            form = parse_qs((await _body(request)).decode("ascii", "replace"))
            text = form.get("signed_request", [""])[0]
            signed = read_signed_request(text, self._secrets, time.time())
        except WebhookRejected as exc:
            metrics.SIGNED_REQUESTS.labels(callback, "refused").inc()
            log.warning("signed_request.refused", callback=callback, reason=str(exc))
            raise
        metrics.SIGNED_REQUESTS.labels(callback, "taken").inc()
        return signed


async def _body(request: Request) -> bytes:
    """Return the body; raise `errors.WebhookRejected` as soon as there is too much of it."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise WebhookRejected(413, f"the body is larger than {MAX_BYTES} bytes")
    return bytes(body)


def origin(host: str) -> str:
    """Return scheme and *host* by which whoever called that reaches the service."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    # The proxy that ends TLS is the only way in from anywhere else.
    scheme = "http" if name in _HERE else "https"
    return f"{scheme}://{host}"


def told(status: DeletionStatus) -> str:
    """Return what became of a deletion, in one sentence."""
    asked = _when(status.asked_at)
    if status.done_at is None:
        return f"Asked for on {asked}. It is being done; look again in some minutes."
    return f"Asked for on {asked}, done on {_when(status.done_at)}: nothing is stored any more."


def _when(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _page(title: str, text: str, status: int) -> Response:
    """Return a page of our own words alone: nothing that came in is in it."""
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<h1>{title}</h1><p>{text}</p></html>"
    )
    return HTMLResponse(page, status_code=status, headers=_HEADERS)


def _refusal(exc: WebhookRejected) -> Response:
    return PlainTextResponse("rejected", status_code=exc.status)
