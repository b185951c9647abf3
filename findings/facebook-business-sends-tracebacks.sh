#!/usr/bin/env bash
# facebook-business 26.0.3 (Meta's own client): a program that ends with an exception first posts its
# traceback, with the lines of your source in it, to the Graph API.
#
# FacebookAdsApi.init() replaces sys.excepthook, for crash_log is True by default. Whatever ends the
# program is posted to /{app id}/instruments if a frame of the client is in its traceback, also
# an error of your own callback or of the network; the app id is None if none was given. Then
# comes the usual traceback.
#
# The guess: init() keeps the token and the version; an exception that nobody catches is printed.
#
# For those who rely on it: paths, names and lines of your code leave the machine, and with a proxy
# or without a route each crash waits for the connection's time-out before it is printed. A
# process manager sees the end late. Use init(..., crash_log=False), or FacebookAdsApi(session).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check facebook-business==26.0.3
cat >"$work/bot.py" <<'PY'
import sys

from facebook_business.adobjects.iguserforigonlyapi import IGUserForIGOnlyAPI
from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession

FacebookSession.GRAPH = sys.argv[1]
FacebookAdsApi.init(access_token="token", **({"crash_log": False} if "off" in sys.argv else {}))
answer = {"recipient": {"id": "1001"}, "message": {"text": "The code for table 12 is 4711."}}
IGUserForIGOnlyAPI("me").create_message(params={**answer, "messaging_type": "RESPONSE"})
PY
timeout 100 "$work/venv/bin/python" - "$work/bot.py" <<'PY'
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from urllib.parse import parse_qs

posts = []


class Graph(BaseHTTPRequestHandler):
    """Refuses each message, as Meta does outside of the 24 hours."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        posts.append((self.path.split("?")[0], parse_qs(body)))
        error = {"message": "(#10) outside of allowed window", "code": 10, "error_subcode": 2534022}
        self.send_response(400)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps({"error": error}).encode())

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Graph)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("facebook-business", version("facebook-business"))
for crash_log in ("default", "off"):
    posts.clear()
    command = [sys.executable, sys.argv[1], f"http://127.0.0.1:{server.server_port}", crash_log]
    ended = subprocess.run(command, capture_output=True, text=True)
    print(f"crash_log {crash_log}: exit code {ended.returncode}, posted to", [path for path, _ in posts])
    if crash_log == "default":
        [report] = [body for path, body in posts if path.endswith("/instruments")]
        stack = "".join(json.loads(report["bizsdk_crash_report"][0])["callstack"])
        print("   the report quotes:", stack.split("\n")[1].strip())
        assert "create_message(params={**answer" in stack, "the source stays here"
    else:
        assert len(posts) == 1, "it is posted all the same"
PY
