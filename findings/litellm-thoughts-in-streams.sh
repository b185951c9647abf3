#!/usr/bin/env bash
# litellm[proxy] 1.108.7: the thoughts of a model are taken out of a whole answer and left in
# the text of a streamed one.
#
# A model server without a reasoning parser writes "<think>...</think>" in front of the answer.
# Of a whole answer the proxy moves that part to `reasoning_content`. Of a stream it passes the
# same characters as ordinary `content`, tags and all, for the same model and settings.
#
# The guess: the proxy either knows of thoughts or does not; `stream` changes how an answer is
# delivered, not what is in it.
#
# For those who rely on it: an agent tested without streaming looks clean. With `stream: true`
# the person reads the margin, the instructions, or what the model thinks of them. Take the
# part out on the client's side for both, or start the model server with its own parser.
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

TOKENS = ["<think>", "Margin is 40 %,", " stay firm.", "</think>", "The large one", " is 18 euros."]


class Upstream(BaseHTTPRequestHandler):
    """A model that thinks aloud, on a server that does not look into the text."""

    protocol_version = "HTTP/1.0"

    def do_POST(self):
        ask = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header(
            "content-type", "text/event-stream" if ask.get("stream") else "application/json"
        )
        self.end_headers()
        body = {"id": "c", "created": 1, "model": "m"}
        if not ask.get("stream"):
            message = {"role": "assistant", "content": "".join(TOKENS)}
            body["object"] = "chat.completion"
            body["choices"] = [{"index": 0, "message": message, "finish_reason": "stop"}]
            self.wfile.write(json.dumps(body).encode())
            return
        body["object"] = "chat.completion.chunk"
        for token in [*TOKENS, None]:
            delta = {"content": token} if token else {}
            reason = None if token else "stop"
            body["choices"] = [{"index": 0, "delta": delta, "finish_reason": reason}]
            self.wfile.write(f"data: {json.dumps(body)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *args):
        pass


def ask(name, **more):
    message = {"role": "user", "content": "How much is the large one?"}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/chat/completions",
        json.dumps({"model": name, "messages": [message]} | more).encode(),
        {"content-type": "application/json", "authorization": f"Bearer {KEY}"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()


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
    for name in ("openai", "hosted_vllm"):
        message = json.loads(ask(name))["choices"][0]["message"]
        frames = [x[6:] for x in ask(name, stream=True).split("\n\n") if x.startswith("data: {")]
        deltas = [json.loads(x)["choices"][0]["delta"] for x in frames]
        streamed = "".join(d.get("content") or "" for d in deltas)
        print(f"{name}:")
        print("  whole    content", repr(message["content"]))
        print("           reasoning_content", repr(message.get("reasoning_content")))
        print("  streamed content", repr(streamed))
        print("           reasoning_content", [d.get("reasoning_content") for d in deltas])
        assert "40 %" not in message["content"], "whole answers keep thoughts"
        assert "40 %" in streamed, "streamed answers lose thoughts"
finally:
    server.terminate()
    server.wait()
PY
