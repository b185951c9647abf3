"""
The limit: a plain Starlette route that reads a webhook, checks it, parses it, and forgets it.

`python -m qa.benchmarks.limit PORT` serves it as the service is served.
"""

from __future__ import annotations

import hmac
import json
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from qa.benchmarks.webhooks import APP_SECRET, PATH


async def webhook(request: Request) -> Response:
    """Answer 200 to what is signed and JSON."""
    body = await request.body()
    expected = "sha256=" + hmac.digest(APP_SECRET.encode(), body, "sha256").hex()
    if not hmac.compare_digest(expected, request.headers.get("x-hub-signature-256", "")):
        return PlainTextResponse("rejected", 403)
    json.loads(body)
    return PlainTextResponse("EVENT_RECEIVED")


async def readyz(_request: Request) -> Response:
    """Answer that requests are served."""
    return PlainTextResponse("ready")


def main() -> None:
    """Serve until killed."""
    routes = [Route(PATH, webhook, methods=["POST"]), Route("/readyz", readyz)]
    uvicorn.run(
        Starlette(routes=routes),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main()
