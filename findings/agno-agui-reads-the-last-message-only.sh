#!/usr/bin/env bash
# agno 3.1.10 with its AG-UI interface (ag-ui-protocol 1.0.0): of the messages that a run
# brings, the last user message alone reaches the model.
#
# AG-UI clients send the whole conversation with each run. Agno keeps a memory of its own by
# threadId, so it takes the last message of role user and drops the rest: the history, and
# also earlier user messages of the same turn that it has never seen. Nothing in the
# answer says so. Pydantic AI 2.68 behind the same protocol gives all of them to the model.
#
# The guess: two AG-UI servers read one request alike. A person's "A table for two" and "at
# eight", sent within a second, are two messages of one run.
#
# For those who rely on it: the agent answers "at eight" and asks for how many. After a change
# of threadId or an empty database, the history that came along does not help. Send what a
# person wrote since the last answer as one message, whatever the server.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check \
  agno==3.1.10 ag-ui-protocol==1.0.0 fastapi==0.165.0 openai==3.57.0 httpx==0.28.1 \
  uvicorn==0.54.0 python-multipart==0.0.34
timeout 150 "$work/venv/bin/python" - <<'PY'
import asyncio
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

logging.disable(logging.CRITICAL)
asked = []  # what the model was given, for each call


@dataclass
class Fake(Model):
    id: str = "fake"
    name: str = "fake"
    provider: str = "fake"

    async def ainvoke_stream(self, messages, **more):
        asked.append([m.content for m in messages if m.role in ("user", "assistant")])
        yield ModelResponse(role="assistant", content="Of course.")

    def _unused(self, *args, **more):
        raise NotImplementedError

    invoke = invoke_stream = ainvoke = _parse_provider_response = _unused

    def _parse_provider_response_delta(self, response):
        return response


async def main():
    agent = Agent(
        id="shop", model=Fake(), db=InMemoryDb(), add_history_to_context=True, telemetry=False
    )
    app = AgentOS(agents=[agent], interfaces=[AGUI(agent=agent)], telemetry=False).get_app()
    print("agno", version("agno"), "ag-ui-protocol", version("ag-ui-protocol"))
    runs = {
        "two messages of one turn": [("user", "A table for two please"), ("user", "at eight")],
        "a new thread with history": [
            ("user", "I am Ann"),
            ("assistant", "Hello Ann"),
            ("user", "What is my name?"),
        ],
    }
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a") as http:
        for thread, talk in runs.items():
            messages = [
                {"id": str(n), "role": role, "content": text} for n, (role, text) in enumerate(talk)
            ]
            run = {"threadId": thread, "runId": "r", "state": {}, "tools": [], "context": []}
            answer = await http.post("/agui", json=run | {"messages": messages, "forwardedProps": {}})
            assert "RUN_FINISHED" in answer.text, answer.text
            print(f"{thread}:\n  sent       {[text for _, text in talk]}\n  model read {asked[-1]}")
            assert asked[-1] == [talk[-1][1]], "the model reads more than the last message"


asyncio.run(main())
PY
