#!/usr/bin/env bash
# instagram-platform-sdk 1.0.0: a message that Meta accepted is sent four times, if the answer
# to it cannot be read.
#
# HTTPClient.request_sync() and request_async() repeat the request, POST too, after any
# exception that is not one of the SDK's own: a connection that broke after the request was
# read, a body that is not JSON (a proxy's page), a JSON answer without a field that the
# SDK's model wants. The default is max_retries=3.
#
# The guess: `max_retries` concerns refusals that Meta calls temporary, such as rate limits; a
# POST whose outcome is unknown, or that succeeded, is not repeated.
#
# For those who rely on it: the person gets the same message four times within seconds, and the
# caller an exception. Meta has no idempotency key for sends. Use max_retries=0 for sending,
# and look at the conversation or wait for the echo before a repeat.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check \
  instagram-platform-sdk==1.0.0 httpx==0.28.1
timeout 150 "$work/venv/bin/python" - <<'PY'
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

from instagram_platform import InstagramClient

accepted = []
answer_as = ""


class Graph(BaseHTTPRequestHandler):
    """Accepts each message; the way back is disturbed as `answer_as` says."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        accepted.append(body["message"]["text"])
        if answer_as == "broken connection":
            self.close_connection = True
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>Please sign in to the network</html>")

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Graph)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("instagram-platform-sdk", version("instagram-platform-sdk"))
for answer_as in ("broken connection", "page of a proxy"):
    accepted.clear()
    client = InstagramClient(
        access_token="token",
        instagram_account_id="17841400000000001",
        base_url=f"http://127.0.0.1:{server.server_port}",
    )
    start = time.monotonic()
    try:
        outcome = client.messaging.send_message("1001", "Your table is booked.")
    except Exception as error:
        outcome = f"{type(error).__name__}: {error}"
    print(f"{answer_as}: sent {len(accepted)} times in {time.monotonic() - start:.0f} s: {accepted}")
    print("   the caller sees", outcome)
    assert len(accepted) == 4, "another number of sends"
PY
