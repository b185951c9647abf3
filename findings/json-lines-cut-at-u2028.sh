#!/usr/bin/env bash
# httpx 0.28.1, httpx2 2.16.2, requests 2.34.2: iter_lines() cuts a JSON line in two at
# characters that are no line ends for JSON: U+2028, U+2029, U+0085 and five control characters.
#
# The three split text as str.splitlines() does. JSON allows these characters unescaped in a
# string, and JavaScript's JSON.stringify leaves them so. aiohttp's reader and a plain file
# in Python split at "\n" only.
#
# The guess: for streams of JSON lines (n8n's chat trigger, Ollama) `for line in iter_lines():
# json.loads(line)` is the usual recipe, and "\n" the only separator.
#
# For those who rely on it: U+2028 comes along when a person or an editor pastes text from a
# web page, a PDF or a notes app (soft line break), and a model repeats it. That one answer
# raises JSONDecodeError in the middle, or is skipped by a tolerant reader; the rest of the
# test set never shows it. Split the bytes at b"\n" before decoding.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check \
  httpx==0.28.1 httpx2==2.16.2 requests==2.34.2 aiohttp==3.14.5
timeout 100 "$work/venv/bin/python" - <<'PY'
import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aiohttp
import httpx
import httpx2
import requests

ITEMS = [{"type": "item", "content": "Mon-Fri 9-18\u2028Sat 9-13"}, {"type": "end"}]
BODY = "".join(json.dumps(x, ensure_ascii=False) + "\n" for x in ITEMS).encode()


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "application/json; charset=utf-8")
        self.send_header("content-length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
URL = f"http://127.0.0.1:{server.server_port}/"


async def with_aiohttp():
    async with aiohttp.ClientSession() as session, session.get(URL) as answer:
        return [line.decode().rstrip("\n") async for line in answer.content]


lines = {}
for module in (httpx, httpx2):
    with module.stream("GET", URL) as answer:
        lines[module] = list(answer.iter_lines())
with requests.get(URL, stream=True, timeout=10) as answer:
    lines[requests] = list(answer.iter_lines(decode_unicode=True))
lines[aiohttp] = asyncio.run(with_aiohttp())
print("sent", BODY)
for module, got in lines.items():
    print(f"{module.__name__} {module.__version__}: {len(got)} lines {got}")
    assert len(got) == (2 if module is aiohttp else 3), "another number of lines"
assert [json.loads(line) for line in lines[aiohttp]] == ITEMS
PY
