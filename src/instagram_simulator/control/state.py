"""The state of everything, and what has happened, over HTTP."""

from __future__ import annotations

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from instagram_simulator.core import Core
from instagram_simulator.faults import FaultKind
from instagram_simulator.shape import account_json, conversation_json
from instagram_simulator.stream import mark, stream


class State:
    """The routes that only read."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def routes(self) -> list[Route]:
        """Return them."""
        return [
            Route("/state", self.state, methods=["GET"]),
            Route("/calls", self.calls, methods=["GET"]),
            Route("/ledger", self.ledger, methods=["GET"]),
            Route("/events", self.events, methods=["GET"]),
        ]

    async def state(self, request: Request) -> Response:
        """Return what a page needs to begin; events after `mark` go on from here."""
        core = self._core
        return JSONResponse(
            {
                "mark": mark(core.journal, core.journal.seq),
                "now": core.world.clock.now(),
                "account": account_json(core.world.account),
                "people": [conversation_json(each) for each in core.world.conversations()],
                "switches": asdict(core.switches),
                "faults": core.active_faults(),
                "fault_kinds": list(FaultKind),
                "webhook": core.deliveries.url,
                "held": len(core.dispatch.held),
            }
        )

    async def calls(self, request: Request) -> Response:
        """Return the Graph calls and webhook posts that are still known, oldest first."""
        known = self._core.journal.known()
        calls = [
            {"seq": entry.seq, "kind": entry.kind, **entry.data}
            for entry in known
            if entry.kind in ("graph", "webhook")
        ]
        return JSONResponse(calls[-int(request.query_params.get("limit", "100")) :])

    async def ledger(self, request: Request) -> Response:
        """Return which webhooks were accepted and how often, and how many pieces arrived."""
        accepted = self._core.deliveries.accepted.items()
        return JSONResponse(
            {
                "accepted": [
                    {"kind": kind, "mid": mid, "times": times} for (kind, mid), times in accepted
                ],
                "applied": {
                    each.person.igsid: each.applied for each in self._core.world.conversations()
                },
            }
        )

    async def events(self, request: Request) -> Response:
        """Stream everything that happens."""
        return stream(self._core.journal, request)
