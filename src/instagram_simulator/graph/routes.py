"""The routes of the fake Graph API: a call is read, applied unless a fault strikes, and noted."""

from __future__ import annotations

import asyncio
import json
import time

from aiohttp import web

from instagram_simulator.engine import Engine
from instagram_simulator.values import Json, ProfessionalAccount
from instagram_simulator.webhooks.payload import message_event

from .reads import Reads, not_found
from .request import GraphCall, read_call
from .responses import GraphRefusal, GraphResponse, json_response, with_fault
from .send import SendApi

FIELDS = (
    "messages",
    "messaging_postbacks",
    "messaging_seen",
    "messaging_referral",
    "message_reactions",
    "message_edit",
)
SIXTY_DAYS = 5_184_000
_LOOK = 0.02  # seconds between two looks whether the caller of a call that hangs has gone


class SendRate:
    """The send calls of each account in the current second."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[int, int]] = {}

    def count(self, account_id: str, limit: int) -> None:
        """Count one call; raise the error of Meta when it is more than *limit* (0 is none)."""
        if not limit:
            return
        second = int(time.monotonic())
        counted_in, count = self._counts.get(account_id, (second, 0))
        count = count + 1 if counted_in == second else 1
        self._counts[account_id] = (second, count)
        if count > limit:
            raise GraphRefusal(613, 2534040, "Calls to this api have exceeded the rate limit.")


class GraphApi:
    """The fake `graph.instagram.com`, for the accounts of one world."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._send = SendApi(engine.world, engine.journal)
        self._reads = Reads(engine.world)
        self._rate = SendRate()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call, or break its line."""
        started = time.perf_counter()
        try:
            call = await read_call(request)
        except GraphRefusal as refusal:
            return http_response(request, refusal.response())

        async def apply() -> GraphResponse:
            """Return Meta's response, whatever becomes of it."""
            try:
                return json_response(await self.apply(call))
            except GraphRefusal as refusal:
                return refusal.response()

        async def silence() -> None:
            """Return when the caller has gone, or everything ends."""
            # aiohttp tells a handler that its caller has gone only by cancelling it, and that
            # would also break off the echo that comes first.
            while request.transport is not None and not self._engine.closing.is_set():  # noqa: ASYNC110
                await asyncio.sleep(_LOOK)

        response = await with_fault(self._engine.faults.take(call.target), apply, silence)
        self.note(call, response, started)
        return http_response(request, response)

    def note(self, call: GraphCall, response: GraphResponse, started: float) -> None:
        """Write *call* and *response* to the journal, without tokens."""
        self._engine.journal.write(
            "graph",
            method=call.method,
            path=call.path,
            target=call.target,
            status=None if response.is_dropped else response.status,
            ms=round((time.perf_counter() - started) * 1000, 1),
            request=call.body or None,
            query={name: value for name, value in call.query.items() if name != "access_token"},
            response=readable(response),
        )

    async def apply(self, call: GraphCall) -> Json:
        """Apply *call* and return the answer; raise `GraphRefusal` if Meta would not."""
        if call.node == "refresh_access_token":
            return self.refresh_token(call)
        account = self.account_of(call.token)
        if call.node not in ("me", account.account_id, account.app_scoped_id):
            if call.method == "GET" and not call.edge:
                return self._reads.node(account, call.node, call.query)
            raise not_found()
        match call.method, call.edge:
            case "POST", "messages":
                return await self.post_message(account, call.body)
            case "GET", "":
                return self._reads.me(account, call.query)
            case "GET", "conversations":
                return self._reads.conversations(account, call.query)
            case (("GET" | "POST" | "DELETE"), "subscribed_apps"):
                return self.subscribed_apps(account, call.method)
        raise not_found()

    def account_of(self, token: str) -> ProfessionalAccount:
        """Return the account that *token* belongs to."""
        account = self._engine.world.account_of_token(token)
        if account is None:
            raise GraphRefusal(190, None, "Invalid OAuth access token - Cannot parse access token")
        return account

    async def post_message(self, account: ProfessionalAccount, body: Json) -> Json:
        """Apply a message or an action; a message is echoed."""
        behaviour, dispatch = self._engine.behaviour, self._engine.dispatch
        self._rate.count(account.account_id, behaviour.sends_per_second)
        applied = self._send.post(account, body)
        if applied.message is not None and behaviour.echoes:
            echo = message_event(applied.message)
            if behaviour.echo_first:
                await dispatch.send_and_wait(echo)
            else:
                dispatch.send(echo)
        return applied.answer

    def subscribed_apps(self, account: ProfessionalAccount, method: str) -> Json:
        """Read or change whether the account's webhooks come."""
        subscribed = self._engine.dispatch.subscribed
        if method == "GET":
            fields = list(FIELDS) if subscribed[account.account_id] else []
            return {"data": [{"id": "1", "subscribed_fields": fields}] if fields else []}
        subscribed[account.account_id] = method == "POST"
        return {"success": True}

    def refresh_token(self, call: GraphCall) -> Json:
        """Return a further token of the account that the call's token belongs to."""
        if call.query.get("grant_type") != "ig_refresh_token":
            raise GraphRefusal(100, None, "Invalid parameter grant_type")
        account = self.account_of(call.query.get("access_token", ""))
        token = self._engine.world.issue_token(account)
        return {"access_token": token, "token_type": "bearer", "expires_in": SIXTY_DAYS}


def readable(response: GraphResponse) -> object:
    """Return the body for the journal: as JSON where it is, without tokens."""
    if response.is_dropped or not response.content_type.startswith("application/json"):
        return response.body.decode()
    body = json.loads(response.body)
    return {name: "…" if name == "access_token" else value for name, value in body.items()}


def http_response(request: web.Request, response: GraphResponse) -> web.Response:
    """Return *response* as HTTP; if it is dropped, break the line that *request* came by."""
    if response.is_dropped and request.transport is not None:
        request.transport.abort()
    headers = {"Content-Type": response.content_type, **response.headers}
    return web.Response(body=response.body, status=response.status, headers=headers)
