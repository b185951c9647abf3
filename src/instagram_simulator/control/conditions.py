"""What goes wrong, how Meta behaves, and what time it is, over HTTP."""

from __future__ import annotations

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from instagram_simulator.core import Core
from instagram_simulator.faults import Fault, FaultKind
from instagram_simulator.values import Json
from instagram_simulator.world import Unknown

from .requests import BadRequest, json_of, made_of, text_in


class Conditions:
    """The routes about faults, switches, the clock and the webhook."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def routes(self) -> list[Route]:
        """Return them."""
        return [
            Route("/faults", self.faults, methods=["GET"]),
            Route("/faults", self.fail, methods=["POST"]),
            Route("/faults", self.heal, methods=["DELETE"]),
            Route("/faults/{number:int}", self.remove, methods=["DELETE"]),
            Route("/release", self.release, methods=["POST"]),
            Route("/switches", self.switch, methods=["PATCH"]),
            Route("/clock", self.advance, methods=["POST"]),
            Route("/webhook", self.subscribe, methods=["POST"]),
        ]

    async def faults(self, request: Request) -> Response:
        """List the faults that are on."""
        return JSONResponse(self._core.active_faults())

    async def fail(self, request: Request) -> Response:
        """Switch a fault on: `{"kind", "times"?, "probability"?, "on"?, "seconds"?}`."""
        number = self._core.fail(made_of(_fault, await json_of(request)))
        return JSONResponse({"number": number}, 201)

    async def heal(self, request: Request) -> Response:
        """Switch all faults off and let everything held go."""
        self._core.heal()
        return JSONResponse([])

    async def remove(self, request: Request) -> Response:
        """Switch one fault off."""
        if not self._core.remove_fault(request.path_params["number"]):
            raise Unknown("no fault has that number")
        return JSONResponse(self._core.active_faults())

    async def release(self, request: Request) -> Response:
        """Let the held webhooks go."""
        return JSONResponse({"released": self._core.dispatch.release()})

    async def switch(self, request: Request) -> Response:
        """Change switches: any of `echoes`, `echo_first`, `edit_companion`, `sends_per_second`."""
        return JSONResponse(asdict(made_of(self._core.switch, await json_of(request))))

    async def advance(self, request: Request) -> Response:
        """Let time pass: `{"advance": seconds}`."""
        seconds = (await json_of(request)).get("advance")
        if not isinstance(seconds, int | float):
            raise BadRequest("advance must be a number of seconds")
        self._core.world.clock.advance(seconds)
        self._core.journal.write("clock", now=self._core.world.clock.now(), advanced=seconds)
        return JSONResponse({"now": self._core.world.clock.now()})

    async def subscribe(self, request: Request) -> Response:
        """Make a URL the webhook, if it passes Meta's check: `{"url", "verify_token"}`."""
        body = await json_of(request)
        await self._core.subscribe(text_in(body, "url"), text_in(body, "verify_token"))
        return JSONResponse({"url": body["url"]})


def _fault(kind: str, **rest: Json) -> Fault:
    """Return the fault that JSON describes."""
    return Fault(FaultKind(kind), **rest)  # type: ignore[arg-type] # JSON; Fault checks the values
