#!/usr/bin/env bash
# a2a-sdk 1.3.0 (Python): the SDK's own text helper breaks words of an answer that the
# SDK's own server streamed.
#
# TaskUpdater.add_artifact(append=True) keeps each streamed piece as a part of its own, so
# the finished artifact of a token stream has as many parts as tokens. get_artifact_text()
# of a2a.helpers joins parts with "\n" unless told otherwise (parameter `delimiter`).
#
# The guess: get_artifact_text(task.artifacts[0]) is what the agent wrote. It is, as long
# as the agent does not stream; nothing in the task tells the two cases apart.
#
# For those who rely on it: "We open at nine." reaches the person as one word per line, or
# with words cut in two. Joining without a separator is right for streamed pieces, and wrong
# for an artifact whose parts are paragraphs, so agents should say which they mean.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check \
  'a2a-sdk[http-server]==1.3.0' httpx==0.28.1 starlette==1.10.0
timeout 100 "$work/venv/bin/python" - <<'PY'
import asyncio
import logging
from importlib.metadata import version

import httpx
from a2a.helpers import get_artifact_text, new_task_from_user_message, new_text_part
from a2a.server.agent_execution import AgentExecutor
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_jsonrpc_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, AgentInterface, Task
from google.protobuf.json_format import ParseDict
from starlette.applications import Starlette

logging.disable(logging.CRITICAL)

TOKENS = ["We", " op", "en at", " nine."]


class Streams(AgentExecutor):
    """Appends an answer to one artifact, token by token."""

    async def execute(self, context, event_queue):
        await event_queue.enqueue_event(new_task_from_user_message(context.message))
        updater = TaskUpdater(event_queue, context.task_id, context.context_id)
        for i, token in enumerate(TOKENS):
            await updater.add_artifact(
                [new_text_part(token)],
                artifact_id="answer",
                append=i > 0,
                last_chunk=i == len(TOKENS) - 1,
            )
        await updater.complete()

    async def cancel(self, context, event_queue):
        raise NotImplementedError


async def main():
    card = AgentCard(
        name="streams",
        description="streams",
        version="1",
        capabilities=AgentCapabilities(streaming=True),
        default_input_modes=["text/plain"],
        default_output_modes=["text/plain"],
        supported_interfaces=[
            AgentInterface(url="http://a/", protocol_binding="JSONRPC", protocol_version="1.0")
        ],
    )
    handler = DefaultRequestHandler(
        agent_executor=Streams(), task_store=InMemoryTaskStore(), agent_card=card
    )
    app = Starlette(routes=create_jsonrpc_routes(handler, rpc_url="/"))
    message = {"messageId": "m1", "role": "ROLE_USER", "parts": [{"text": "When do you open?"}]}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a") as http:
        answer = await http.post(
            "/",
            headers={"A2A-Version": "1.0"},
            json={"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {"message": message}},
        )
    task = ParseDict(answer.json()["result"]["task"], Task())
    (artifact,) = task.artifacts
    print("a2a-sdk", version("a2a-sdk"))
    print("the agent wrote:       ", repr("".join(TOKENS)))
    print("parts of the artifact: ", [part.text for part in artifact.parts])
    print("get_artifact_text says:", repr(get_artifact_text(artifact)))
    assert get_artifact_text(artifact) == "\n".join(TOKENS), "the helper's text is another one"


asyncio.run(main())
PY
