"""Which call does what: the paths of the Graph API that the simulator knows."""

from __future__ import annotations

from instagram_simulator.core import Core
from instagram_simulator.envelope import message_event
from instagram_simulator.values import Account, Json, Message

from .answers import GraphError
from .calls import Call
from .messages import Messages
from .rate import Rate
from .reads import Reads, not_found

FIELDS = (
    "messages",
    "messaging_postbacks",
    "messaging_seen",
    "messaging_referral",
    "message_reactions",
    "message_edit",
)
SIXTY_DAYS = 5_184_000


class Api:
    """Applies calls to the world and sends the echoes of what they sent."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._messages = Messages(core.world, core.journal)
        self._reads = Reads(core.world)
        self._rate = Rate()

    async def apply(self, call: Call) -> Json:
        """Do what *call* asks for and return the answer; raise `GraphError` if Meta would not."""
        if call.node == "refresh_access_token":
            return self._refresh(call)
        account = self._account(call.token)
        if call.node in ("me", account.account_id, account.app_scoped_id):
            return await self._apply_to_account(account, call)
        if call.method == "GET" and not call.edge:
            return self._reads.node(account, call.node, call.query)
        raise not_found()

    async def _apply_to_account(self, account: Account, call: Call) -> Json:
        match call.method, call.edge:
            case "POST", "messages":
                return await self._post_message(account, call.body)
            case "GET", "":
                return self._reads.me(account, call.query)
            case "GET", "conversations":
                return self._reads.conversations(account, call.query)
            case (("GET" | "POST" | "DELETE"), "subscribed_apps"):
                return self._subscription(account, call.method)
        raise not_found()

    def _account(self, token: str) -> Account:
        account = self._core.world.account_of_token(token)
        if account is None:
            raise GraphError(190, None, "Invalid OAuth access token - Cannot parse access token")
        return account

    async def _post_message(self, account: Account, body: Json) -> Json:
        self._rate.count(account.account_id, self._core.switches.sends_per_second)
        applied = self._messages.post(account, body)
        if applied.message is not None and self._core.switches.echoes:
            await self._echo(applied.message)
        return applied.answer

    async def _echo(self, message: Message) -> None:
        echo = message_event(message)
        if self._core.switches.echo_first:
            await self._core.dispatch.send_and_wait(echo)
        else:
            self._core.dispatch.send(echo)

    def _subscription(self, account: Account, method: str) -> Json:
        """Read or change whether the account's webhooks come."""
        subscribed = self._core.dispatch.subscribed
        if method == "GET":
            fields = list(FIELDS) if subscribed[account.account_id] else []
            return {"data": [{"id": "1", "subscribed_fields": fields}] if fields else []}
        subscribed[account.account_id] = method == "POST"
        return {"success": True}

    def _refresh(self, call: Call) -> Json:
        if call.query.get("grant_type") != "ig_refresh_token":
            raise GraphError(100, None, "Invalid parameter grant_type")
        token = self._core.world.issue_token(self._account(call.query.get("access_token", "")))
        return {"access_token": token, "token_type": "bearer", "expires_in": SIXTY_DAYS}
