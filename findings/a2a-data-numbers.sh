#!/usr/bin/env bash
# a2a-sdk 1.3.0 (Python): numbers inside a `data` part become floating point.
#
# Since 1.0 the SDK's types are protobuf messages, and the JSON of a data part is kept
# in google.protobuf.Value, which knows one kind of number: a 64-bit float (see the
# `Part.data` field of the A2A 1.0 protocol buffer and protobuf's struct.proto).
# An integer above 2^53 is rounded, and each integer comes back with a decimal point.
#
# The guess: JSON in, the same JSON out. Both ends are Python, whose json module keeps
# integers of any size, and with a2a-sdk 0.3 (pydantic types) it was so.
#
# For those who rely on it: Instagram's account, media and order ids have 17 digits.
# Sent as a number, an id changes into a neighbour's id without any error; a quantity
# of 2 turns into 2.0, on which strict integer checks and id look-ups fail. Send ids as strings.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check \
  'a2a-sdk[http-server]==1.3.0' protobuf==7.36.2 httpx==0.28.1 starlette==1.10.0
timeout 100 "$work/venv/bin/python" - <<'PY'
import asyncio
import logging
from importlib.metadata import version

import httpx
from a2a.helpers import new_data_message
from a2a.server.agent_execution import AgentExecutor
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_jsonrpc_routes
from a2a.server.tasks import InMemoryTaskStore
from a2a.types import AgentCapabilities, AgentCard, AgentInterface
from google.protobuf.json_format import MessageToDict
from starlette.applications import Starlette

logging.disable(logging.CRITICAL)

SENT = {"order": 17841405793187219, "quantity": 2, "order_as_text": "17841405793187219"}


class Echo(AgentExecutor):
    """Answers with the data part it was sent."""

    async def execute(self, context, event_queue):
        (part,) = context.message.parts
        await event_queue.enqueue_event(new_data_message(MessageToDict(part.data)))

    async def cancel(self, context, event_queue):
        raise NotImplementedError


async def main():
    card = AgentCard(
        name="echo",
        description="echo",
        version="1",
        capabilities=AgentCapabilities(),
        default_input_modes=["application/json"],
        default_output_modes=["application/json"],
        supported_interfaces=[
            AgentInterface(url="http://a/", protocol_binding="JSONRPC", protocol_version="1.0")
        ],
    )
    handler = DefaultRequestHandler(
        agent_executor=Echo(), task_store=InMemoryTaskStore(), agent_card=card
    )
    app = Starlette(routes=create_jsonrpc_routes(handler, rpc_url="/"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a") as http:
        answer = await http.post(
            "/",
            headers={"A2A-Version": "1.0"},
            json={
                "jsonrpc": "2.0",
                "id": 1,
                "method": "SendMessage",
                "params": {
                    "message": {"messageId": "m1", "role": "ROLE_USER", "parts": [{"data": SENT}]}
                },
            },
        )
    got = answer.json()["result"]["message"]["parts"][0]["data"]
    print("a2a-sdk", version("a2a-sdk"), "protobuf", version("protobuf"))
    print("sent    ", SENT)
    print("answered", got)
    assert int(got["order"]) != SENT["order"], "the long integer survived"
    assert isinstance(got["quantity"], float), "integers stay integers"
    assert got["order_as_text"] == SENT["order_as_text"]
    print("order differs by", int(got["order"]) - SENT["order"], "and quantity is a float")


asyncio.run(main())
PY
