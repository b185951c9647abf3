#!/usr/bin/env bash
# openai 3.57.0 (Python): a call with timeout=5 sleeps for as long as `Retry-After` says, up to
# two minutes, twice; above two minutes the client gives up at once.
#
# The client sleeps between its tries inside the call, and a server's wish of up to 120 s is
# followed (MAX_RETRY_AFTER_DELAY in openai/_constants.py). A longer one means: no retry
# at all. Release 2.8.1 followed up to 60 s, and took a longer one as no wish: three tries
# within seconds.
#
# The guess: timeout=5 bounds the call, or its tries; and a longer wish means a longer wait.
#
# For those who rely on it: a 429 with "Retry-After: 61" keeps the agent silent for 2 x 61 s with
# the default max_retries=2. A messaging service gives up after a minute, asks again, and the
# tries pile up behind the limit. Set max_retries=0 in agents that have a caller who retries.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv3"
"$work/venv3/bin/pip" install -qq --no-compile --disable-pip-version-check openai==3.57.0
python3 -m venv "$work/venv2"
"$work/venv2/bin/pip" install -qq --no-compile --disable-pip-version-check openai==2.8.1
cat >"$work/check.py" <<'PY'
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai

tries = 0


class Limited(BaseHTTPRequestHandler):
    """Answers each request with 429; the path names the wish in seconds."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        global tries
        tries += 1
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps({"error": {"message": "slow down"}}).encode()
        self.send_response(429)
        self.send_header("retry-after", self.path.split("/")[1])
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Limited)
threading.Thread(target=server.serve_forever, daemon=True).start()


def ask(wish, max_retries):
    """Tries made and seconds taken by one call with a time-out of 5 s."""
    global tries
    tries = 0
    client = openai.OpenAI(
        base_url=f"http://127.0.0.1:{server.server_port}/{wish}/v1",
        api_key="x",
        timeout=5,
        max_retries=max_retries,
    )
    start = time.monotonic()
    try:
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}])
    except openai.RateLimitError:
        pass
    took = time.monotonic() - start
    print(f"openai {openai.__version__}, Retry-After {wish}: {tries} tries in {took:.1f} s")
    return tries, took


newer = int(openai.__version__.split(".")[0]) >= 3
tries_61, took_61 = ask(61, max_retries=1)
tries_121, took_121 = ask(121, max_retries=2)
if newer:
    assert tries_61 == 2 and took_61 > 60, "61 s are not waited for"
    assert tries_121 == 1, "121 s are retried"
else:
    assert tries_61 == 2 and took_61 < 10, "61 s are waited for"
    assert tries_121 == 3 and took_121 < 10, "121 s are not retried"
PY
timeout 60 "$work/venv2/bin/python" "$work/check.py"
timeout 100 "$work/venv3/bin/python" "$work/check.py"
