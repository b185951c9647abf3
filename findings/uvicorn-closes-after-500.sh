#!/usr/bin/env bash
# uvicorn 0.54.0 with Starlette 1.10.0: after each HTTP 500 of an unhandled exception the
# connection is closed although the response did not say so.
#
# Starlette's ServerErrorMiddleware sends a complete 500 with Content-Length and raises the
# exception again, for logs. uvicorn sees an application that raised after its response had
# begun and closes the transport. No `Connection: close` was sent, so an HTTP/1.1 client has
# put the connection back into its pool.
#
# The guess: a 500 is an answer like any other. The next request runs on the same connection.
#
# For those who rely on it: the retry after a 500, or another person's question, meets a dead
# connection: aiohttp 3.14.5 raises ClientOSError (reset) or ServerDisconnectedError for some
# of those POSTs, since it does not repeat a POST. It looks like "the agent may have done it,
# the answer was lost", though the request was never read. FastAPI and every agent server
# built on it behave so. A short pause before the retry is enough for the client to notice.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check \
  uvicorn==0.54.0 starlette==1.10.0 aiohttp==3.14.5 httptools==0.9.0
timeout 100 "$work/venv/bin/python" - <<'PY'
import asyncio
import socket
import threading
from importlib.metadata import version

import aiohttp
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def fail(request):
    raise RuntimeError("the model's provider is down")


async def handled(request):
    return PlainTextResponse("Internal Server Error", status_code=500)


app = Starlette(routes=[Route(f"/{f.__name__}", f, methods=["POST"]) for f in (fail, handled)])


def serve(implementation):
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http=implementation, log_level="critical")
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, args=([listener],), daemon=True).start()
    return listener.getsockname()[1]


def post_twice(port, path):
    """Two POSTs on one connection: headers of the first response, bytes of the second."""
    request = f"POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{{}}".encode()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
        s.sendall(request)
        first = b""
        while b"Internal Server Error" not in first.partition(b"\r\n\r\n")[2]:
            first += s.recv(65536)
        second = b""
        try:
            s.sendall(request)
            second = s.recv(65536)
        except ConnectionError as error:
            print("   second request:", repr(error))
        return first.partition(b"\r\n\r\n")[0].decode(), second


async def pooled(port, pairs):
    """Failed POSTs to /handled, each right after a 500 of /fail, of aiohttp with its pool."""
    errors = []
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        for _ in range(pairs):
            async with http.post("/fail", json={}) as answer:
                await answer.read()
            try:
                async with http.post("/handled", json={}) as answer:
                    await answer.read()
            except aiohttp.ClientError as error:
                errors.append(type(error).__name__)
    return errors


print("uvicorn", version("uvicorn"), "starlette", version("starlette"), "aiohttp", version("aiohttp"))
for implementation in ("h11", "httptools"):
    port = serve(implementation)
    for path in ("/handled", "/fail"):
        head, second = post_twice(port, path)
        print(f"{implementation} {path}: first response\n   " + head.replace("\r\n", "\n   "))
        print("   second response on this connection:", second[:35])
        assert "500" in head.splitlines()[0]
        assert "connection: close" not in head.lower(), "the close is announced"
        assert bool(second) == (path == "/handled"), "the connection's fate is another one"
    errors = asyncio.run(pooled(port, 200))
    print(f"   aiohttp: {len(errors)} of 200 requests after a 500 failed {sorted(set(errors))}")
    assert errors, "aiohttp notices in time"
PY
