#!/usr/bin/env bash
# agno 3.1.10 with its AG-UI interface (ag-ui-protocol 1.0.0): a run that waits for somebody to
# confirm a tool call ends like one that is done, and what it said before is sent twice.
#
# AG-UI 1.0 has an outcome for that: RUN_FINISHED with `outcome: {type: "interrupt", interrupts}`.
# Pydantic AI 2.68 behind the same protocol sends it. Agno sends RUN_FINISHED without an outcome,
# which means success. Before it come the tool call, whose TOOL_CALL_RESULT is missing, and the
# words in front of it once more, as a second message with an id of its own.
#
# The guess: a front end tells a finished run from one that waits by its outcome, and two messages
# with two ids are two messages.
#
# For those who rely on it: the customer reads "I have to ask." twice and then nothing. Take a
# tool call that is neither yours nor answered, with no text after it, for a pause; leave out a
# message that repeats the one before it. The answer goes back as a tool message with
# {"accepted": true}.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check \
  agno==3.1.10 ag-ui-protocol==1.0.0 fastapi==0.165.0 openai==3.57.0 httpx==0.28.1 \
  uvicorn==0.54.0 python-multipart==0.0.34
timeout 150 "$work/venv/bin/python" - <<'PY'
import asyncio
import json
import logging
from dataclasses import dataclass
from importlib.metadata import version

import httpx
from agno.agent import Agent
from agno.db.in_memory import InMemoryDb
from agno.models.base import Model
from agno.models.response import ModelResponse
from agno.os import AgentOS
from agno.os.interfaces.agui import AGUI
from agno.tools import tool

logging.disable(logging.CRITICAL)


@dataclass
class Fake(Model):
    id: str = "fake"
    name: str = "fake"
    provider: str = "fake"

    async def ainvoke_stream(self, messages, **more):
        if messages[-1].role == "tool":
            yield ModelResponse(role="assistant", content=f"Done: {messages[-1].content}")
            return
        yield ModelResponse(role="assistant", content="I have to ask.")
        call = {"name": "refund", "arguments": '{"euros": 120}'}
        yield ModelResponse(tool_calls=[{"id": "call-1", "type": "function", "function": call}])

    def _unused(self, *args, **more):
        raise NotImplementedError

    invoke = invoke_stream = ainvoke = _parse_provider_response = _unused

    def _parse_provider_response_delta(self, response):
        return response


@tool(requires_confirmation=True)
def refund(euros: int) -> str:
    return f"{euros} are back"


async def main():
    agent = Agent(id="shop", model=Fake(), tools=[refund], db=InMemoryDb(), telemetry=False)
    app = AgentOS(agents=[agent], interfaces=[AGUI(agent=agent)], telemetry=False).get_app()
    print("agno", version("agno"), "ag-ui-protocol", version("ag-ui-protocol"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a") as http:

        async def run(*messages):
            body = {"threadId": "t", "runId": "r", "state": {}, "tools": [], "context": []}
            more = {"messages": list(messages), "forwardedProps": {}}
            answer = await http.post("/agui", json=body | more)
            return [
                json.loads(line.removeprefix("data: "))
                for line in answer.text.splitlines()
                if line.startswith("data: ")
            ]

        def said(events):
            texts = {}
            for it in events:
                if it["type"] == "TEXT_MESSAGE_CONTENT":
                    texts[it["messageId"]] = texts.get(it["messageId"], "") + it["delta"]
            return list(texts.values())

        asked = {"id": "1", "role": "user", "content": "Give me my money back"}
        events = await run(asked)
        kinds = [it["type"] for it in events]
        print("messages   ", said(events))
        print("tool calls ", kinds.count("TOOL_CALL_START"), "results", kinds.count("TOOL_CALL_RESULT"))
        print("end        ", kinds[-1], "outcome", events[-1].get("outcome"))
        assert said(events) == ["I have to ask."] * 2, "the words come once"
        assert kinds[-1] == "RUN_FINISHED" and "outcome" not in events[-1], "the outcome tells"

        function = {"name": "refund", "arguments": '{"euros": 120}'}
        call = {"id": "call-1", "type": "function", "function": function}
        accepted = {"id": "3", "role": "tool", "toolCallId": "call-1", "content": '{"accepted": true}'}
        resumed = await run(asked, {"id": "2", "role": "assistant", "toolCalls": [call]}, accepted)
        print("resumed    ", said(resumed))
        assert said(resumed)[-1].startswith("Done"), resumed


asyncio.run(main())
PY
