#!/usr/bin/env bash
# a2a-sdk 1.3.0 (Python): an agent that says two messages in one turn fails the turn,
# and whether the first one is lost depends on how it was asked.
#
# DefaultRequestHandler accepts one Message event for each request. At the second one it
# raises InvalidAgentResponse (-32006), so that SendMessage answers with the error alone,
# while SendStreamingMessage has already delivered the first message and then sends a frame
# `event: error`. In 0.3 the second message was dropped silently and the first delivered.
#
# The guess: chat agents often say "One moment." and then the answer; both arrive, or at
# least the same thing happens with and without streaming.
#
# For those who rely on it: without streaming the person gets nothing, and a retry runs the
# agent (and its tools: bookings, orders) once more, to fail again. With streaming, the
# first sentence was already sent when the turn turns out as failed, and a retry repeats it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check \
  'a2a-sdk[http-server]==1.3.0' httpx==0.28.1 starlette==1.10.0 sse-starlette==3.7.0
timeout 100 "$work/venv/bin/python" - <<'PY'
import asyncio
import logging
from importlib.metadata import version

import httpx
from a2a.helpers import new_text_message
from a2a.server.agent_execution import AgentExecutor
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_jsonrpc_routes
from a2a.server.tasks import InMemoryTaskStore
from a2a.types import AgentCapabilities, AgentCard, AgentInterface
from starlette.applications import Starlette

logging.disable(logging.CRITICAL)
runs = 0


class Chatty(AgentExecutor):
    """Says a first sentence, then the answer."""

    async def execute(self, context, event_queue):
        global runs
        runs += 1
        await event_queue.enqueue_event(new_text_message("One moment."))
        await event_queue.enqueue_event(new_text_message("We open at nine."))

    async def cancel(self, context, event_queue):
        raise NotImplementedError


async def main():
    card = AgentCard(
        name="chatty",
        description="chatty",
        version="1",
        capabilities=AgentCapabilities(streaming=True),
        default_input_modes=["text/plain"],
        default_output_modes=["text/plain"],
        supported_interfaces=[
            AgentInterface(url="http://a/", protocol_binding="JSONRPC", protocol_version="1.0")
        ],
    )
    handler = DefaultRequestHandler(
        agent_executor=Chatty(), task_store=InMemoryTaskStore(), agent_card=card
    )
    app = Starlette(routes=create_jsonrpc_routes(handler, rpc_url="/"))
    bodies = {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a") as http:
        for method in ("SendMessage", "SendStreamingMessage"):
            answer = await http.post(
                "/",
                headers={"A2A-Version": "1.0"},
                json={
                    "jsonrpc": "2.0",
                    "id": 1,
                    "method": method,
                    "params": {
                        "message": {
                            "messageId": method,
                            "role": "ROLE_USER",
                            "parts": [{"text": "When do you open?"}],
                        }
                    },
                },
            )
            bodies[method] = answer.text
            print(f"{method}: HTTP {answer.status_code} {answer.headers['content-type']}")
            print(answer.text.strip(), "\n")
    print("a2a-sdk", version("a2a-sdk"), "- the agent ran", runs, "times")
    assert "-32006" in bodies["SendMessage"], "no error without streaming"
    assert "One moment." not in bodies["SendMessage"], "the first message is not lost"
    assert "One moment." in bodies["SendStreamingMessage"]
    assert "-32006" in bodies["SendStreamingMessage"], "no error with streaming"
    assert "nine" not in "".join(bodies.values()), "the second message arrives"
    print("without streaming both messages are lost; with it the first goes out, then the turn fails")


asyncio.run(main())
PY
