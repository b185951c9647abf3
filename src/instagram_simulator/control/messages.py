"""What can be done to a message that was sent, over HTTP."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from instagram_simulator.core import Core
from instagram_simulator.phones import Phones
from instagram_simulator.shape import message_json

from .requests import json_of, text_in


class Messages:
    """The routes about one message."""

    def __init__(self, core: Core) -> None:
        self._phones = Phones(core)

    def routes(self) -> list[Route]:
        """Return them."""
        return [
            Route("/messages/{mid}", self.unsend, methods=["DELETE"]),
            Route("/messages/{mid}", self.edit, methods=["PATCH"]),
            Route("/messages/{mid}/reaction", self.react, methods=["PUT"]),
            Route("/messages/{mid}/reaction", self.unreact, methods=["DELETE"]),
        ]

    async def unsend(self, request: Request) -> Response:
        """Take an own message back."""
        return JSONResponse(message_json(self._phones.unsend(request.path_params["mid"])))

    async def edit(self, request: Request) -> Response:
        """Give an own message another text: `{"text"}`."""
        text = text_in(await json_of(request), "text")
        return JSONResponse(message_json(self._phones.edit(request.path_params["mid"], text)))

    async def react(self, request: Request) -> Response:
        """React to a message: `{"emoji"}`."""
        emoji = text_in(await json_of(request), "emoji")
        return JSONResponse(message_json(self._phones.react(request.path_params["mid"], emoji)))

    async def unreact(self, request: Request) -> Response:
        """Take the reaction off."""
        return JSONResponse(message_json(self._phones.react(request.path_params["mid"], None)))
