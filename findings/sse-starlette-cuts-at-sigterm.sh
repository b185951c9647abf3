#!/usr/bin/env bash
# sse-starlette 3.7.0 under uvicorn 0.54.0: at SIGTERM each open event stream is cut at once,
# though uvicorn waits for its other responses.
#
# EventSourceResponse watches for uvicorn's shutdown and cancels its generator as soon as the
# signal comes (parameter shutdown_grace_period, default 0), so that endless streams do not hold
# up a restart. uvicorn's timeout_graceful_shutdown does not apply to it. The same generator
# in a plain StreamingResponse is sent to its end.
#
# The guess: a graceful shutdown lets answers that are being written finish, streamed or not.
#
# For those who rely on it: servers built on it (A2A's Python SDK is one) break off each streamed
# answer in mid-sentence at each deployment or scale-down, with a broken chunked body and no
# error frame, whatever grace period the platform gives; and the agent's work on the turn is
# cancelled with it. Pass shutdown_grace_period, or expect to ask again after a restart.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check \
  sse-starlette==3.7.0 starlette==1.10.0 uvicorn==0.54.0 aiohttp==3.14.5
cat >"$work/server.py" <<'PY'
import asyncio
import sys

import uvicorn
from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route


async def words():
    for n in range(10):
        yield f"word {n}"
        await asyncio.sleep(0.3)


async def frames():
    async for word in words():
        yield f"data: {word}\n\n"


async def sse(request):
    return EventSourceResponse({"data": word} async for word in words())


async def plain(request):
    return StreamingResponse(frames(), media_type="text/event-stream")


app = Starlette(routes=[Route("/sse", sse), Route("/plain", plain)])
port = int(sys.argv[1])
uvicorn.run(app, host="127.0.0.1", port=port, log_level="critical", timeout_graceful_shutdown=20)
PY
timeout 100 "$work/venv/bin/python" - "$work/server.py" <<'PY'
import asyncio
import signal
import socket
import subprocess
import sys
from importlib.metadata import version

import aiohttp


async def words_after_sigterm(path):
    """Frames received of ten, and how the body ended, if SIGTERM comes after the second."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    command = ["timeout", "60", sys.executable, sys.argv[1], str(port)]
    server = subprocess.Popen(command)
    body = b""
    async with aiohttp.ClientSession() as http:
        for _ in range(200):
            try:
                answer = await http.get(f"http://127.0.0.1:{port}{path}")
                break
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.1)
        try:
            async for piece in answer.content.iter_any():
                body += piece
                if b"word 1" in piece:
                    server.send_signal(signal.SIGTERM)
            end = "whole body"
        except aiohttp.ClientPayloadError as error:
            end = f"{type(error).__name__}: {error}"
    server.wait()
    return body.count(b"data:"), end


async def main():
    print("sse-starlette", version("sse-starlette"), "uvicorn", version("uvicorn"))
    seen = {path: await words_after_sigterm(path) for path in ("/plain", "/sse")}
    for path, (frames, end) in seen.items():
        print(f"{path:6} SIGTERM after 2 of 10 frames: {frames} arrived, {end}")
    assert seen["/plain"] == (10, "whole body"), "plain streams are cut as well"
    assert seen["/sse"][0] < 5 and "ClientPayloadError" in seen["/sse"][1], "streams are finished"


asyncio.run(main())
PY
