#!/usr/bin/env bash
# meta-graph-cli 0.1.1 (as a library) and facebook-sdk 3.1.0: a message with nested fields is
# sent as the names of its fields. The text and the recipient never leave the machine.
#
# Both give the fields to requests as form data. requests writes a dict inside a form as the
# list of its keys, without a warning: recipient=id&message=text. Graph endpoints want JSON
# in such a field; facebook-business encodes it.
#
# The guess: client.post("/me/messages", recipient={...}, message={...}) encodes what it
# accepts. Its type is Any, flat fields work, and the command line works too, where the
# value is typed as JSON text.
#
# For those who rely on it: Meta answers with code 100 about the recipient or the message, which
# reads as a wrong id or a missing permission. The request that was sent is in no log. Pass
# json.dumps(...) for each nested field.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check \
  meta-graph-cli==0.1.1 facebook-sdk==3.1.0 requests==2.34.2
timeout 100 "$work/venv/bin/python" - <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import facebook
from meta_graph.client import GraphClient

MESSAGE = {"recipient": {"id": "1001"}, "message": {"text": "We open at nine."}}
AS_JSON = {name: json.dumps(value) for name, value in MESSAGE.items()}
bodies = []


class Graph(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        bodies.append(body.replace("&access_token=token", ""))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"recipient_id": "1001", "message_id": "mid.1"}')

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Graph)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{server.server_port}"
facebook.FACEBOOK_GRAPH_URL = base + "/"
newer = GraphClient("token", base=base)
older = facebook.GraphAPI("token")
for package, send in (
    ("meta-graph-cli", lambda fields: newer.post("/me/messages", **fields)),
    ("facebook-sdk", lambda fields: older.put_object("me", "messages", **fields)),
):
    print(package, version(package))
    for fields in (MESSAGE, AS_JSON):
        send(fields)
        print("  called with", fields)
        print("  sent       ", bodies[-1])
    assert "nine" not in bodies[-2] and "message=text" in bodies[-2], "nested fields are encoded"
    assert "nine" in bodies[-1]
PY
