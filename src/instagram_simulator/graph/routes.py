"""The routes of the fake Graph API: a call is read, applied unless a fault strikes, and noted."""

from __future__ import annotations

import asyncio
import json
import re
import time

from aiohttp import web

from instagram_simulator.engine import Engine
from instagram_simulator.values import Json, ProfessionalAccount
from instagram_simulator.webhooks.payload import message_event

from .account_settings import APP_ID, MessengerProfiles, Subscriptions
from .reads import Reads
from .request import NEWEST_VERSION, SECRETS, GraphCall, read_call, served_version
from .responses import GraphRefusal, GraphResponse, json_response, with_fault
from .send import SendApi
from .tokens import exchange, refresh, token_of
from .uploads import Uploads

_TOKEN_IN_LINK = re.compile(r'access_token=[^&"]+')
_LOOK = 0.02  # seconds between two looks whether the caller of a call that hangs has gone

# The edges that are here, and those that Meta has besides; it takes them without `_` too.
_EDGES = frozenset(
    {"conversations", "messages", "messageattachments", "messengerprofile", "subscribedapps"}
)
_FOREIGN_EDGES = frozenset(
    {
        "accounts",
        "businessmessagingfeaturestatus",
        "comments",
        "contentpublishinglimit",
        "insights",
        "livemedia",
        "media",
        "mediapublish",
        "mentionedcomment",
        "mentionedmedia",
        "mentions",
        "passthreadcontrol",
        "permissions",
        "privatereplies",
        "releasethreadcontrol",
        "replies",
        "requestthreadcontrol",
        "stories",
        "tags",
        "takethreadcontrol",
        "threadowner",
        "welcomemessageflows",
    }
)
_FOREIGN_NODES = frozenset({"debug_token", "oauth", "search", "ig_hashtag_search", ""})


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
        self._uploads = Uploads(engine.world)
        self._send = SendApi(engine.world, engine.journal, self._uploads)
        self._subscriptions = Subscriptions(engine.dispatch, engine.deliveries)
        self._profiles = MessengerProfiles()
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
        served = served_version(call.version, self._engine.world.clock.now())
        return http_response(request, response, served)

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
            query=call.query,
            response=readable(response),
        )

    async def apply(self, call: GraphCall) -> Json:
        """Apply *call* and return the answer; raise `GraphRefusal` if Meta would not."""
        match call.method, call.node, call.edge:
            case "GET", "refresh_access_token", "":
                return refresh(self._engine.world, call)
            case "GET", "access_token", "":
                return exchange(self._engine.world, call)
            case "GET", app, "subscriptions" if app == APP_ID:
                secrets = [each.app_secret for each in self._engine.world.accounts.values()]
                return self._subscriptions.app(call, secrets)
        if call.node in _FOREIGN_NODES:
            where = f"the path /{call.node}" if call.node else "calls without a node"
            raise GraphRefusal(100, None, f"The simulator does not have {where}")
        account = token_of(self._engine.world, call).account
        call.check_proof(account.app_secret)
        if call.node in ("me", account.account_id, account.app_scoped_id):
            return await self.apply_to(account, call)
        reads = Reads(self._engine.world, account, call)
        match call.method, call.edge:
            case "GET", "":
                return reads.node()
            case "GET", "messages":
                return reads.messages_edge()
        raise unsupported(call)

    async def apply_to(self, account: ProfessionalAccount, call: GraphCall) -> Json:
        """Apply *call*, whose node is *account*."""
        match call.method, plain(call.edge):
            case "GET", "":
                return Reads(self._engine.world, account, call).me()
            case "GET", "conversations":
                return Reads(self._engine.world, account, call).conversations()
            case "POST", "messages":
                return await self.post_message(account, call.parameters)
            case "POST", "messageattachments":
                return self._uploads.add(account, call)
            case (("GET" | "POST" | "DELETE"), "subscribedapps"):
                return self._subscriptions.call(account, call)
            case (("GET" | "POST" | "DELETE"), "messengerprofile"):
                return self._profiles.call(account, call)
        raise unsupported(call)

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


def plain(edge: str) -> str:
    """Return the name of *edge* without `_`."""
    return edge.replace("_", "")


def unsupported(call: GraphCall) -> GraphRefusal:
    """Return the refusal of an edge, or of a method that it does not have, by name."""
    edge = plain(call.edge)
    if edge in _FOREIGN_EDGES:
        why = f"The simulator does not have the edge /{call.edge}"
    elif edge in _EDGES or not edge:
        why = f"Unsupported request - method type: {call.method.lower()}"
    else:
        why = f"Tried accessing nonexisting field ({call.edge})"
    return GraphRefusal(100, None, why)


def readable(response: GraphResponse) -> object:
    """Return the body for the journal: as JSON where it is, without tokens."""
    text = response.body.decode()
    if response.is_dropped or not response.content_type.startswith("application/json"):
        return text
    body = json.loads(_TOKEN_IN_LINK.sub("access_token=…", text))
    return {name: "…" if name in SECRETS else value for name, value in body.items()}


def http_response(
    request: web.Request, response: GraphResponse, version: str = NEWEST_VERSION
) -> web.Response:
    """Return *response* as HTTP; if it is dropped, break the line that *request* came by."""
    if response.is_dropped and request.transport is not None:
        request.transport.abort()
    headers = {"Content-Type": response.content_type, "facebook-api-version": version}
    return web.Response(
        body=response.body, status=response.status, headers={**headers, **response.headers}
    )
