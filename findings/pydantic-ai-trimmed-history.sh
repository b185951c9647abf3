#!/usr/bin/env bash
# pydantic-ai 2.68.0 behind AG-UI (ag-ui-protocol 1.0.0): a history whose first message is a
# tool's result is a plain-text HTTP 500, not a 422 and not a RUN_ERROR.
#
# AG-UI servers of this kind have no memory: the client sends the history, and must cut it
# somewhere. A `tool` message whose call was cut off passes the protocol's validation, then
# loading it raises ValueError inside the endpoint, before the stream begins.
#
# The guess: invalid input is 422 with a list (as for a missing field), a failing run is 200
# with RUN_ERROR; a tool call without its result, the other half of the pair, is accepted.
#
# For those who rely on it: "the last N messages" works for weeks and fails for the person
# whose cut falls between call and result: text/plain 500, which looks like a server that is
# down and worth a retry, for each message until the cut has moved on. Cut in front of a user
# message only, or leave tool messages out of the history.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check \
  'pydantic-ai-slim[ag-ui]==2.68.0' ag-ui-protocol==1.0.0 starlette==1.10.0 httpx==0.28.1
timeout 100 "$work/venv/bin/python" - <<'PY'
import asyncio
from importlib.metadata import version

import httpx
from ag_ui.core import RunAgentInput
from pydantic_ai import Agent
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.ui.ag_ui import AGUIAdapter
from starlette.applications import Starlette
from starlette.routing import Route

CALL = {"id": "c1", "type": "function", "function": {"name": "price", "arguments": "{}"}}
HISTORY = [
    {"id": "1", "role": "user", "content": "How much is the large one?"},
    {"id": "2", "role": "assistant", "toolCalls": [CALL]},
    {"id": "3", "role": "tool", "toolCallId": "c1", "content": "18"},
    {"id": "4", "role": "assistant", "content": "The large one is 18 euros."},
    {"id": "5", "role": "user", "content": "I take it."},
]


async def model(messages, info):
    yield "Thank you."


async def main():
    agent = Agent(FunctionModel(stream_function=model))

    async def run(request):
        return await AGUIAdapter.dispatch_request(request, agent=agent)

    app = Starlette(routes=[Route("/", run, methods=["POST"])])
    print("pydantic-ai-slim", version("pydantic-ai-slim"), "ag-ui", version("ag-ui-protocol"))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    seen = {}
    async with httpx.AsyncClient(transport=transport, base_url="http://a") as http:
        for cut in ("whole", "last 4", "last 3", "last 2", "call without result"):
            messages = {"whole": HISTORY, "call without result": HISTORY[:2] + HISTORY[3:]}.get(cut)
            messages = messages or HISTORY[-int(cut[-1]) :]
            body = {"threadId": "t", "runId": "r", "state": {}, "tools": [], "context": []}
            body |= {"messages": messages, "forwardedProps": {}}
            RunAgentInput.model_validate(body)  # the protocol's own types accept it
            answer = await http.post("/", json=body)
            seen[cut] = answer.status_code
            kind = answer.headers["content-type"]
            print(f"{cut:20} HTTP {answer.status_code} {kind:32} {answer.text[:40]!r}")
            if answer.status_code == 500:
                assert kind.startswith("text/plain"), "the refusal says why"
    ok = {"whole": 200, "last 4": 200, "last 2": 200, "call without result": 200}
    assert seen == ok | {"last 3": 500}, "another set of cuts fails"


asyncio.run(main())
PY
