"""Pictures that people upload and the simulator serves, as Meta's CDN would."""

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from instagram_simulator.core import Core
from instagram_simulator.phones import Phones
from instagram_simulator.shape import message_json
from instagram_simulator.world import Unknown

from .requests import BadRequest

MAX_BYTES = 8 * 1024 * 1024
KEPT = 50
_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


class Media:
    """The routes about pictures; the newest 50 are kept."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._phones = Phones(core)

    def routes(self) -> list[Route]:
        """Return the one that uploads."""
        return [Route("/people/{igsid}/images", self.upload, methods=["POST"])]

    async def upload(self, request: Request) -> Response:
        """Send the picture that is the body, as a person."""
        content_type = request.headers.get("content-type", "")
        if content_type not in _TYPES:
            raise BadRequest("a png, jpeg, gif or webp is needed")
        name = self._keep(content_type, await _read(request))
        url = str(request.url_for("media", name=name))
        message = self._phones.attach(request.path_params["igsid"], "image", url)
        return JSONResponse(message_json(message), 201)

    async def serve(self, request: Request) -> Response:
        """Return a picture."""
        try:
            content_type, content = self._core.world.media[request.path_params["name"]]
        except KeyError:
            raise Unknown("no such picture") from None
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
        return Response(content, 200, headers, content_type)

    def _keep(self, content_type: str, content: bytes) -> str:
        media = self._core.world.media
        name = secrets.token_urlsafe(12)
        media[name] = (content_type, content)
        if len(media) > KEPT:
            del media[next(iter(media))]
        return name


async def _read(request: Request) -> bytes:
    """Return the body, which may not be larger than what Instagram takes."""
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > MAX_BYTES:
            raise BadRequest("a picture has at most 8 MB")
    return bytes(content)
