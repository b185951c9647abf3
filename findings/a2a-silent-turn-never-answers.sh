#!/usr/bin/env bash
# a2a-sdk 1.3.0 (Python): an agent that has nothing to say, and so publishes nothing, leaves
# its caller without any answer: the blocking request stays open although the agent is done.
#
# DefaultRequestHandler answers SendMessage with the first message or the final state of a task.
# When execute() returns normally without either, nothing ends the wait. An exception at the
# same place is answered at once, with -32603. The server has no time limit of its own.
#
# The guess: an agent that returns without an event is an empty answer, or an error that says so.
#
# For those who rely on it: silence ("the person only said thanks") looks like an agent that
# hangs. The caller waits for its own time-out, asks again, and the agent runs once more.
# A task that is completed without text is answered at once.
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
from a2a.helpers import new_task_from_user_message
from a2a.server.agent_execution import AgentExecutor
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_jsonrpc_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, AgentInterface
from starlette.applications import Starlette

logging.disable(logging.CRITICAL)
PATIENCE = 10.0  # seconds
ended = []


class Quiet(AgentExecutor):
    """Has nothing to say, in three ways."""

    async def execute(self, context, event_queue):
        way = context.get_user_input()
        ended.append(way)
        if way == "completes a task without text":
            await event_queue.enqueue_event(new_task_from_user_message(context.message))
            await TaskUpdater(event_queue, context.task_id, context.context_id).complete()
        elif way == "raises":
            raise RuntimeError("nothing to say")

    async def cancel(self, context, event_queue):
        raise NotImplementedError


async def main():
    card = AgentCard(
        name="quiet",
        description="quiet",
        version="1",
        capabilities=AgentCapabilities(),
        default_input_modes=["text/plain"],
        default_output_modes=["text/plain"],
        supported_interfaces=[
            AgentInterface(url="http://a/", protocol_binding="JSONRPC", protocol_version="1.0")
        ],
    )
    handler = DefaultRequestHandler(
        agent_executor=Quiet(), task_store=InMemoryTaskStore(), agent_card=card
    )
    app = Starlette(routes=create_jsonrpc_routes(handler, rpc_url="/"))
    answers = {}
    print("a2a-sdk", version("a2a-sdk"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a") as http:
        for way in ("completes a task without text", "raises", "returns"):
            message = {"messageId": way, "role": "ROLE_USER", "parts": [{"text": way}]}
            body = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage"}
            asking = http.post(
                "/", headers={"A2A-Version": "1.0"}, json={**body, "params": {"message": message}}
            )
            try:
                answers[way] = (await asyncio.wait_for(asking, PATIENCE)).text[:120]
            except TimeoutError:
                answers[way] = None
            print(f"the agent {way}: {answers[way] or f'no answer within {PATIENCE:g} s'}")
    assert ended == list(answers), "the agent did not run"
    assert answers["completes a task without text"], "a task without text is not answered either"
    assert "-32603" in answers["raises"]
    assert answers["returns"] is None, "an agent that publishes nothing is answered"


asyncio.run(main())
PY
