#!/usr/bin/env bash
# aiohttp 3.14.5: a long line of an event stream ends the reading with an exception that is no
# aiohttp.ClientError and that quotes the line's beginning.
#
# `async for line in response.content` gives up at a line of more than 512 KiB (twice the
# session's read_bufsize) with LineTooLong, a BadHttpMessage as the header parser raises it.
# It is not under ClientError, and its text quotes the first 100 bytes of the line.
#
# The guess: reading a body raises ClientError or TimeoutError, as the documentation's tree of
# client exceptions has it; and there is no limit on a body's line, as with httpx.
#
# For those who rely on it: agent servers that send their whole state in each frame (LangGraph
# `values`, AG-UI's snapshots) or a picture as base64 stay below the limit for weeks, then one
# long conversation kills the task that reads, past the handler that retries; and what
# the person said stands in the log. Read with iter_any() and split lines with a bound of
# your own, or raise read_bufsize.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check \
  aiohttp==3.14.5 httpx==0.28.1
timeout 100 "$work/venv/bin/python" - <<'PY'
import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aiohttp
import httpx


def frame(messages):
    history = [{"role": "user", "content": f"My number is 555-0100, {n}"} for n in range(messages)]
    return f"event: values\ndata: {json.dumps({'messages': history})}\n\n".encode()


class Server(BaseHTTPRequestHandler):
    """Streams a state that grows from turn to turn; the path is the number of messages."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        try:
            self.wfile.write(frame(int(self.path[1:])))
        except ConnectionError:
            pass  # the client has left

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()


async def read(messages):
    url = f"http://127.0.0.1:{server.server_port}/{messages}"
    timeout = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(timeout=timeout) as http, http.get(url) as answer:
        return len([line async for line in answer.content])


async def main():
    print("aiohttp", aiohttp.__version__, "httpx", httpx.__version__)
    for messages in (100, 5000, 20000):
        size = len(frame(messages))
        try:
            outcome = f"{await read(messages)} lines"
        except Exception as error:
            outcome = f"{type(error).__mro__[0].__name__}: {str(error)[:90]!r}"
            assert not isinstance(error, (aiohttp.ClientError, OSError)), "it is a ClientError"
            assert "555-0100" in str(error), "the line is not quoted"
        print(f"frame of {size:8} bytes: {outcome}")
        assert outcome.startswith("LineTooLong") == (size > 600_000), "the limit is another one"
        with httpx.stream("GET", f"http://127.0.0.1:{server.server_port}/{messages}") as answer:
            assert len(list(answer.iter_lines())) == 3


asyncio.run(main())
PY
