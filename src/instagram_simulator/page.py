"""The page: a phone to chat on, beside what happens on the wire."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

_INDEX = Path(__file__).parent / "static" / "index.html"


async def page(request: Request) -> Response:
    """Return the page; its parts are under `/static`."""
    return FileResponse(_INDEX, headers={"Cache-Control": "no-cache"})
