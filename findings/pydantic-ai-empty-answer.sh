#!/usr/bin/env bash
# pydantic-ai 2.68.0 behind AG-UI (ag-ui-protocol 1.0.0): an agent cannot stay silent. An empty
# answer of the model makes the server ask it again, with a sentence in the person's place.
#
# For output type str an empty text is no valid output. Pydantic AI adds a retry prompt to
# the history, which a model sees as a user message ("Please return text."), and calls the
# model again. The client sees a complete message without content and then a second message,
# in one run that succeeds; if the model insists on silence, RUN_ERROR.
#
# The guess: no text, no message: RUN_STARTED, RUN_FINISHED, and one model call.
#
# For those who rely on it: "answer with nothing if a colleague should write" is a common
# instruction. Each silence costs further model calls and ends in a made-up answer to a
# person who is waiting for the colleague, or as an error that looks worth a retry. A single
# space is accepted as an answer; so is an explicit output type for silence.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check \
  'pydantic-ai-slim[ag-ui]==2.68.0' ag-ui-protocol==1.0.0 starlette==1.10.0 httpx==0.28.1
timeout 100 "$work/venv/bin/python" - <<'PY'
import asyncio
import json
from importlib.metadata import version

import httpx
from pydantic_ai import Agent
from pydantic_ai.messages import UserPromptPart
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.ui.ag_ui import AGUIAdapter
from starlette.applications import Starlette
from starlette.routing import Route

calls = []  # the last user text of each model call


async def model(messages, info):
    users = [p for m in messages for p in m.parts if isinstance(p, UserPromptPart)]
    calls.append(users[-1].content)
    if "insist" in users[0].content or len(calls) == 1:
        yield ""
    else:
        yield "How can I help?"


async def main():
    agent = Agent(FunctionModel(stream_function=model))

    async def run(request):
        return await AGUIAdapter.dispatch_request(request, agent=agent)

    app = Starlette(routes=[Route("/", run, methods=["POST"])])
    print("pydantic-ai-slim", version("pydantic-ai-slim"), "ag-ui", version("ag-ui-protocol"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a") as http:
        for text in ("Let me talk to Ann", "Let me talk to Ann, I insist"):
            calls.clear()
            body = {"threadId": "t", "runId": "r", "state": {}, "tools": [], "context": []}
            message = {"id": "1", "role": "user", "content": text}
            answer = await http.post("/", json=body | {"messages": [message], "forwardedProps": {}})
            frames = [json.loads(x[6:]) for x in answer.text.split("\n\n") if x]
            types = [f["type"] for f in frames]
            print(f"\nperson: {text!r}\n  the model was asked: {calls}\n  events: {types}")
            assert len(calls) > 1, "one model call"
            assert calls[1] != text, "the retry is not in the person's place"
            if "insist" in text:
                assert types[-1] == "RUN_ERROR", "silence succeeds in the end"
                print("  error:", frames[-1]["message"])
            else:
                assert types.count("TEXT_MESSAGE_START") == 2 and types[-1] == "RUN_FINISHED"
                print("  text:", [f["delta"] for f in frames if f["type"] == "TEXT_MESSAGE_CONTENT"])


asyncio.run(main())
PY
