#!/usr/bin/env bash
# litellm[proxy] 1.108.7: an upstream's stream that ends in the middle is passed on as a whole
# answer, with finish_reason "stop" and [DONE].
#
# If a chat stream ends without a finish_reason and without [DONE], as when a model server's
# worker is killed behind a proxy that closes the connection in good order, the proxy adds
# both itself. A connection that breaks off is told (an error frame, no [DONE]).
#
# The guess: an OpenAI-compatible proxy passes on what it got. Clients are told to treat a
# stream without finish_reason as cut, and behind this proxy that test can never fail.
#
# For those who rely on it: "We are open from nine to" goes to the person as the answer, and
# into the history as what was said. Nothing that reaches the client can tell it apart.
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


def chunk(content):
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": None}
    body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return f"data: {json.dumps(body | {'choices': [choice]})}\n\n".encode()


class Upstream(BaseHTTPRequestHandler):
    """A model server whose stream ends too early, without an error on the connection."""

    protocol_version = "HTTP/1.0"  # the close is the regular end of the body

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for word in ("We are ", "open from ", "nine to"):
            self.wfile.write(chunk(word))

    def log_message(self, *args):
        pass


with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
threading.Thread(target=upstream.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{upstream.server_port}/v1"
models = [
    {"model_name": name, "litellm_params": {"model": f"{name}/m", "api_base": base, "api_key": "x"}}
    for name in ("openai", "hosted_vllm")
]
(work / "config.yaml").write_text(json.dumps({"model_list": models}))  # JSON is YAML
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
    print("upstream sends", chunk("...").decode().strip(), "three times and closes")
    for name in ("openai", "hosted_vllm"):
        ask = {"model": name, "stream": True, "messages": [{"role": "user", "content": "Hours?"}]}
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/chat/completions",
            json.dumps(ask).encode(),
            {"content-type": "application/json", "authorization": f"Bearer {KEY}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            frames = [x[6:] for x in answer.read().decode().split("\n\n") if x.startswith("data: ")]
        choices = [json.loads(x)["choices"][0] for x in frames if x != "[DONE]"]
        text = "".join(c["delta"].get("content") or "" for c in choices)
        reason = choices[-1]["finish_reason"]
        print(f"{name}: text {text!r}, finish_reason {reason!r}, last frame {frames[-1]}")
        assert text == "We are open from nine to"
        assert (reason, frames[-1]) == ("stop", "[DONE]"), "the cut can be seen"
finally:
    server.terminate()
    server.wait()
PY
