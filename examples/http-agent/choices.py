"""An HTTP agent that lets people tap: quick replies, a card with a button, and what comes of it."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BREADS = {"RYE": ("Rye bread", "3.20 € a loaf"), "BAGUETTE": ("Baguette", "1.40 € each")}


def answer(payload: str) -> dict[str, object]:
    """Return the answer to a tap, or to anything else (empty)."""
    if payload in BREADS:
        title, subtitle = BREADS[payload]
        take = {"title": "Keep one for me", "payload": f"KEEP_{payload}"}
        return {
            "messages": [{"cards": [{"title": title, "subtitle": subtitle, "buttons": [take]}]}]
        }
    if payload.startswith("KEEP_"):
        title, _ = BREADS[payload.removeprefix("KEEP_")]
        return {"messages": [{"reaction": "👍"}, f"A {title.lower()} is yours until six."]}
    choices = [{"title": title, "payload": name} for name, (title, _) in BREADS.items()]
    return {"messages": [{"text": "Which bread would you like?", "quick_replies": choices}]}


class Agent(BaseHTTPRequestHandler):
    """Answers each POST with a document of the answer schema."""

    def do_POST(self):  # noqa: ANN201, D102 - as short as it gets
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = answer(question["messages"][-1]["payload"] or "")
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(said).encode())


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "9000"))), Agent).serve_forever()
