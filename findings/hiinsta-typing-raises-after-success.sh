#!/usr/bin/env bash
# hiinsta 0.7.1 (client for the Instagram messaging API): send_typing_indicator() and
# send_read_receipt() raise after each success.
#
# Both are documented to return "the message ID of the sent message", and share the code that
# sends texts, which wants a `message_id` in the answer. A sender action makes no message:
# Meta answers {"recipient_id": "..."} (Messenger Platform, sender actions).
#
# The guess: an exception of type InstagramApiException means that the call failed.
#
# For those who rely on it: "mark as read, show typing, answer" stops at its first line for each
# message, though the person sees the indicator; whoever retries on the exception sends it
# again and again and spends the account's rate limit on it. Catch it for these two calls.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check hiinsta==0.7.1
timeout 100 "$work/venv/bin/python" - <<'PY'
import asyncio
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import hiinsta
from hiinsta.types.exeptions import InstagramApiException

asked = []


class Graph(BaseHTTPRequestHandler):
    """Answers as Meta does: only what makes a message has a message id."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        asked.append(body)
        answer = {"recipient_id": body["recipient"]["id"]}
        if "message" in body:
            answer["message_id"] = "mid.1"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Graph)
threading.Thread(target=server.serve_forever, daemon=True).start()
module = sys.modules[hiinsta.InstagramMessenger.__module__]
module.INSTAGRAM_BASE_URL = f"http://127.0.0.1:{server.server_port}"


async def main():
    print("hiinsta", version("hiinsta"))
    client = hiinsta.InstagramMessenger("token")
    print("send_text:", repr(await client.send_text("Hello", "1001")))
    for call in (client.send_read_receipt, client.send_typing_indicator):
        try:
            outcome = repr(await call("1001"))
        except InstagramApiException as error:
            outcome = f"raises {error}"
        print(f"{call.__name__}: server got {asked[-1]}, answered 200\n   {outcome}")
        assert "Missing message_id" in outcome and "status=200" in outcome, "it succeeds"


asyncio.run(main())
PY
