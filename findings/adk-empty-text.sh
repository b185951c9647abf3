#!/usr/bin/env bash
# google-adk 2.13.0: a message without words is replaced by a sentence of ADK's own, which
# tells the model to go on.
#
# An event whose parts are all empty ({"text": ""}, or no parts) is left out of the model's
# request. The request would then end with the model's own last answer, so ADK's Gemini class
# (as its other model classes) appends a user turn: "Continue processing previous requests as
# instructed. Exit or provide a summary if no more outputs are needed."
#
# The guess: POST /run refuses a message without content (400, 422), or the model sees an
# empty turn. A white-space text, by contrast, is passed to the model as it is.
#
# For those who rely on it: a photo whose bytes could not be fetched, a story reaction or an
# unsupported message arrives as an empty text. The person gets a second, unasked answer,
# often a summary of the talk in words the instruction never planned for, and pays for it in
# tokens each time. Send a word for what cannot be shown ("[photo]"), or do not ask at all.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check google-adk==2.13.0
mkdir -p "$work/agents/shop"
echo 'from . import agent' >"$work/agents/shop/__init__.py"
cat >"$work/agents/shop/agent.py" <<'PY'
from google.adk.agents import LlmAgent

root_agent = LlmAgent(name="shop", model="gemini-2.5-flash", instruction="Answer for a shop.")
PY
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

work = sys.argv[1]
asked = []  # what the model was sent, one list of contents for each call


class FakeGemini(BaseHTTPRequestHandler):
    """Stands for Google's endpoint: records the request, always gives the same answer."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked.append(json.loads(self.rfile.read(int(self.headers["content-length"])))["contents"])
        content = {"role": "model", "parts": [{"text": "We open at nine."}]}
        body = json.dumps({"candidates": [{"content": content, "finishReason": "STOP"}]}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def post(path, body):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        json.dumps(body).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.status, json.load(answer)


def say(parts):
    turn = {"appName": "shop", "userId": "u", "sessionId": "s"}
    status, events = post("/run", turn | {"newMessage": {"role": "user", "parts": parts}})
    last = asked[-1][-1]
    answer = events[-1]["content"]["parts"][0]["text"]
    print(f"sent {parts!r}: HTTP {status}, answer {answer!r}")
    print("   the model's last turn:", json.dumps(last))
    return last["parts"][0]["text"]


with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
gemini = ThreadingHTTPServer(("127.0.0.1", 0), FakeGemini)
threading.Thread(target=gemini.serve_forever, daemon=True).start()
server = subprocess.Popen(
    ["timeout", "140", f"{work}/venv/bin/adk", "api_server", "--host", "127.0.0.1"]
    + ["--port", str(port), f"{work}/agents"],
    env=os.environ
    | {
        "GOOGLE_API_KEY": "none",
        "GOOGLE_GEMINI_BASE_URL": f"http://127.0.0.1:{gemini.server_port}",
    },
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)
try:
    for _ in range(300):
        try:
            post("/apps/shop/users/u/sessions/s", {})
            break
        except urllib.error.URLError:
            time.sleep(0.3)
    print("google-adk", version("google-adk"))
    assert say([{"text": "When do you open?"}]) == "When do you open?"
    for empty in ([{"text": ""}], []):
        assert "Continue processing" in say(empty), "ADK's sentence is not sent"
    assert say([{"text": " "}]) == " "
finally:
    server.terminate()
    server.wait()
PY
