#!/usr/bin/env bash
# openai 3.57.0 (Python): the helper for Responses streams throws away an answer that was cut.
#
# client.responses.stream(...).get_final_response() wants an event `response.completed`. A
# response that ends as `response.incomplete` (max_output_tokens, content filter) carries the
# same complete Response object in its last event, yet the helper raises RuntimeError, which
# is not an openai.OpenAIError. The same holds for `response.failed`, whose object has the
# provider's error code.
#
# The guess: the final response, with status "incomplete" and its text, as responses.create()
# returns it without streaming.
#
# For those who rely on it: a long answer is lost whole instead of by its last words, an
# `except openai.OpenAIError` does not catch it, and the reason (limit, filter, overload) is
# not in the exception. Keep the last event's `response` while iterating.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check openai==3.57.0
timeout 100 "$work/venv/bin/python" - <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai

TEXT = {"type": "output_text", "text": "We open at nine and", "annotations": []}
ITEM = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
RESPONSE = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "tools": []}
RESPONSE |= {"parallel_tool_calls": True, "tool_choice": "auto"}
ENDS = {
    "completed": {},
    "incomplete": {"incomplete_details": {"reason": "max_output_tokens"}},
    "failed": {"error": {"code": "server_error", "message": "overloaded"}},
}


def events(end):
    """Server-sent events of one response that ends with `end`."""
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    whole = ITEM | {"content": [TEXT]}
    last = RESPONSE | {"status": end, "output": [whole]} | ENDS[end]
    item = {"output_index": 0, "item": ITEM | {"content": [], "status": "in_progress"}}
    sequence = [
        ("created", {"response": RESPONSE | {"status": "in_progress", "output": []}}),
        ("output_item.added", item),
        ("content_part.added", place | {"part": TEXT | {"text": ""}}),
        ("output_text.delta", place | {"delta": TEXT["text"], "logprobs": []}),
        ("output_text.done", place | {"text": TEXT["text"], "logprobs": []}),
        ("output_item.done", {"output_index": 0, "item": whole}),
        (end, {"response": last}),
    ]
    for number, (name, body) in enumerate(sequence):
        data = {"type": f"response.{name}", "sequence_number": number} | body
        yield f"event: response.{name}\ndata: {json.dumps(data)}\n\n".encode()


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        ask = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for event in events(ask["input"]):
            self.wfile.write(event)

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = openai.OpenAI(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="x")
print("openai", openai.__version__)
for end in ENDS:
    with client.responses.stream(model="m", input=end) as stream:
        last = list(stream)[-1]
        try:
            outcome = repr(stream.get_final_response().output_text)
        except RuntimeError as error:
            outcome = f"{type(error).__name__}: {error}"
            assert not isinstance(error, openai.OpenAIError)
    print(f"{end:10} last event {last.type}, status {last.response.status}")
    print(f"{'':10} text in it {last.response.output[0].content[0].text!r}")
    print(f"{'':10} get_final_response: {outcome}")
    assert outcome.startswith("RuntimeError") == (end != "completed"), "it returns the response"
PY
