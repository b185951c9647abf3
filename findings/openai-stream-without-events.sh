#!/usr/bin/env bash
# openai 3.57.0 (Python): a stream that turns out to be no stream is an empty one, without error.
#
# With stream=True the client reads the body as server-sent events whatever its Content-Type
# is. A whole JSON answer, an error object, a proxy's HTML page, each with status 200, have
# no `data:` line: the loop over the stream ends at once. Without stream=True the same HTML
# or plain text comes back as a str in place of a ChatCompletion, also without error.
#
# The guess: a typed client checks the Content-Type, or raises when a stream ends without
# finish_reason and without [DONE].
#
# For those who rely on it: servers that do not stream a model, or pass a refusal as HTTP 200,
# look like an agent with nothing to say. Agents built on the client are silent with nothing
# in their log, and retry logic around the call is not triggered.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check openai==3.57.0
timeout 100 "$work/venv/bin/python" - <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai

MESSAGE = {"role": "assistant", "content": "We open at nine."}
WHOLE = {"id": "c", "object": "chat.completion", "created": 1, "model": "m"}
WHOLE["choices"] = [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}]
BODIES = {
    "whole": ("application/json", json.dumps(WHOLE)),
    "error": ("application/json", '{"error": {"message": "overloaded", "code": 503}}'),
    "page": ("text/html", "<html>Starting up ...</html>"),
    "nothing": ("text/plain", ""),
}


class Server(BaseHTTPRequestHandler):
    """Answers with the body that the question names."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        ask = json.loads(self.rfile.read(int(self.headers["content-length"])))
        kind, text = BODIES[ask["messages"][0]["content"]]
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = openai.OpenAI(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="x")
print("openai", openai.__version__)
for name in BODIES:
    ask = {"model": "m", "messages": [{"role": "user", "content": name}]}
    chunks = list(client.chat.completions.create(**ask, stream=True))
    answer = client.chat.completions.create(**ask)
    print(f"{name:8} stream=True: {chunks}; otherwise: {type(answer).__name__} {str(answer)[:60]!r}")
    assert chunks == [], "something is yielded"
    if name in ("page", "nothing"):
        assert isinstance(answer, str), "plain bodies are no str"
PY
