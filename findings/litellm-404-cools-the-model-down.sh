#!/usr/bin/env bash
# litellm[proxy] 1.108.7: one request for a route that the upstream does not have makes the
# proxy answer 429 to every user of that model for five seconds.
#
# A 404 of the upstream counts as a fault of the deployment, and the router puts that
# deployment into cooldown. With one deployment for a model, which is the usual set-up, there
# is none left: requests on routes that work are answered 429 "No deployments available".
#
# The guess: a 404 is the caller's affair and concerns this request alone; 429 means that there
# were too many requests; a cooldown needs several failures, and never takes the last one.
#
# For those who rely on it: /v1/responses before a chat-only upstream is a 404. A second client
# with another protocol, or a fallback that tries Responses first and chat then, silences
# each conversation of that model, and the fallback itself gets 429 instead of its answer.
# Taken for a rate limit, it sends the operator looking at quotas. The router has a setting
# disable_cooldowns; wait five seconds and the model is back.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check \
  'litellm[proxy]==1.108.7' litellm-proxy-extras==0.4.110
timeout 150 "$work/venv/bin/python" - "$work" <<'PY'
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path

work = Path(sys.argv[1])
KEY = "sk-" + "0123456789abcdef" * 2


class Upstream(BaseHTTPRequestHandler):
    """A model server that knows chat completions only."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        known = self.path == "/v1/chat/completions"
        message = {"role": "assistant", "content": "We open at nine."}
        body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m"}
        body["choices"] = [{"index": 0, "message": message, "finish_reason": "stop"}]
        data = json.dumps(body if known else {"detail": "Not Found"}).encode()
        self.send_response(200 if known else 404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


def post(path, body):
    """Status and body of the proxy's answer."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        json.dumps({"model": "bot"} | body).encode(),
        {"content-type": "application/json", "authorization": f"Bearer {KEY}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    print(f"{time.monotonic() - start:5.1f} s {path:21} HTTP {status} {text[:90]!r}")
    return status, text


def chat():
    return post("/v1/chat/completions", {"messages": [{"role": "user", "content": "Hours?"}]})


with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
threading.Thread(target=upstream.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{upstream.server_port}/v1"
params = {"model": "openai/m", "api_base": base, "api_key": "x"}
config = {"model_list": [{"model_name": "bot", "litellm_params": params}]}
(work / "config.yaml").write_text(json.dumps(config))  # JSON is YAML
server = subprocess.Popen(
    ["timeout", "140", work / "venv/bin/litellm", "--config", work / "config.yaml"]
    + ["--host", "127.0.0.1", "--port", str(port)],
    env=os.environ | {"LITELLM_MASTER_KEY": KEY, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)
try:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=5)
            break
        except urllib.error.URLError:
            time.sleep(0.3)
    print("litellm", version("litellm"))
    start = time.monotonic()
    assert chat()[0] == 200
    assert post("/v1/responses", {"input": "Hours?"})[0] == 404
    status, text = chat()
    assert status == 429 and "No deployments available" in text, "the chat goes on"
    back = time.monotonic()
    while chat()[0] == 429 and time.monotonic() - back < 30:
        time.sleep(1)
    assert chat()[0] == 200, "the model did not come back"
    print(f"the model was away for about {time.monotonic() - back:.0f} s")
finally:
    server.terminate()
    server.wait()
PY
