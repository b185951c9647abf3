"""The least HTTP agent: a question comes in as JSON, an answer goes out."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Agent(BaseHTTPRequestHandler):
    """Answers each POST; your own agent goes in place of the line with `reply`."""

    def do_POST(self):  # noqa: ANN201, D102 - as short as it gets
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        reply = f"You wrote: {question['text']}"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"reply": reply}).encode())


ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "9000"))), Agent).serve_forever()
