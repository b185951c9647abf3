"""
`/agent/answers/{turn}`: an agent posts its answer to a turn that waits for it.

As with a webhook: verify, store, answer. The 200 says that the answer is durable; whichever
replica is free then sends it. What can't be an answer is refused at once, with the reason.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import structlog
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from ak_instagram.agents.agent import Deferring
from ak_instagram.errors import Permanent, StoreUnavailable, WebhookRejected
from ak_instagram.store.database import Transactions
from ak_instagram.store.verbs import callbacks
from ak_instagram.store.verbs.callbacks import Taken

from .endpoint import BodyReader, header
from .signature import is_well_formed, matching_secret

log = structlog.get_logger()

CALLBACKS = "/agent/answers/{turn}"

_TURN = re.compile(r"[0-9a-f]{32}")
_STATUSES = {Taken.ACCEPTED: 200, Taken.REPEATED: 200, Taken.GONE: 410, Taken.UNKNOWN: 404}


class _Reply(NamedTuple):
    """What is answered: a status, and what became of the answer or why it is refused."""

    status: int
    told: dict[str, str]


class CallbackEndpoint:
    """
    Takes what *agent* posts, signed with *secret*, into *store*.

    Without a secret nothing is taken.
    """

    def __init__(
        self,
        store: Transactions,
        agent: Deferring,
        secret: str,
        bodies: BodyReader | None = None,
    ) -> None:
        self._store = store
        self._agent = agent
        self._secrets = (secret.encode(),) if secret else ()
        self._bodies = bodies or BodyReader()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, and log it in one line."""
        turn = str(scope["path_params"]["turn"])
        known = turn if _TURN.fullmatch(turn) else None
        try:
            if scope["method"] != "POST":
                raise WebhookRejected(405, "POST")
            reply = await self._take(scope, receive, known)
        except WebhookRejected as exc:
            log.warning("callback.rejected", turn=known, status=exc.status, reason=str(exc))
            reply = _Reply(exc.status, {"error": str(exc)})
        except StoreUnavailable as exc:
            log.error("callback.not_stored", turn=known, reason=str(exc))
            reply = _Reply(503, {"error": "try again"})
        await JSONResponse(reply.told, status_code=reply.status)(scope, receive, send)

    async def _take(self, scope: Scope, receive: Receive, turn: str | None) -> _Reply:
        """Return what became of the answer, once that is durable."""
        signature = header(scope, b"x-hub-signature-256")
        if not is_well_formed(signature):  # without reading what a stranger sends
            raise WebhookRejected(403, "X-Hub-Signature-256 is missing, or not sha256=…")
        body = await self._bodies.read(receive, header(scope, b"content-length"))
        if matching_secret(self._secrets, signature, body) is None:
            raise WebhookRejected(403, "agent.callback_secret did not sign this")
        try:
            text = body.decode()
            self._agent.check_callback(text)
        except (UnicodeDecodeError, Permanent) as exc:
            reason = str(exc) if isinstance(exc, Permanent) else "the answer is not UTF-8"
            raise WebhookRejected(400, reason) from exc
        taken = Taken.UNKNOWN
        if turn is not None:
            taken = await self._store.run(callbacks.take, turn, text)
        log.info("callback.received", turn=turn, outcome=taken.value, bytes=len(body))
        return _Reply(_STATUSES[taken], {"status": taken.value})
