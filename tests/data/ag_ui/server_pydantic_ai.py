"""An agent on Pydantic AI that does what it is told, behind AG-UI: `server_pydantic_ai.py PORT`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from pydantic_ai import Agent, DeferredToolRequests
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, UserPromptPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel
from pydantic_ai.ui.ag_ui import AGUIAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


def said_by(messages: list[ModelMessage]) -> list[str]:
    """Return what the person said, with pictures as their kind and address."""
    said = []
    for message in messages:
        if not isinstance(message, ModelRequest):
            continue
        for part in message.parts:
            if isinstance(part, UserPromptPart):
                content = [part.content] if isinstance(part.content, str) else part.content
                said.append("|".join(it if isinstance(it, str) else seen(it) for it in content))
    return said


def seen(picture: Any) -> str:
    """Return a picture as the model gets it."""
    url = getattr(picture, "url", None)
    return f"url {url}" if url else f"bytes {picture.media_type} {len(picture.data)}"


async def reply(
    messages: list[ModelMessage], info: AgentInfo
) -> AsyncIterator[str | dict[int, DeltaToolCall]]:
    """Answer in the way that the last message names."""
    said = said_by(messages)
    decided = [it for it in messages[-1].parts if getattr(it, "tool_name", "") == "refund"]
    if decided:
        yield f"so: {decided[0].content}"
        return
    match said[-1].partition("|")[0]:
        case "fail before":
            raise RuntimeError("Error code: 429 - slow down")
        case "fail within":
            yield "It le"
            raise RuntimeError("Error code: 429 - slow down")
        case "two" if not any(isinstance(it, ModelResponse) for it in messages[-2:]):
            yield "one "
            yield "moment"
            yield {1: DeltaToolCall("look_up", "{}", tool_call_id="call-1")}
        case "two":
            yield "It left."
        case "choose":
            arguments = '{"text": "Which?", "quick_replies": [{"title": "Red"}]}'
            yield {0: DeltaToolCall("send_quick_replies", arguments, tool_call_id="call-2")}
        case "approve":
            yield {0: DeltaToolCall("refund", '{"euros": 120}', tool_call_id="call-3")}
        case "tools":
            yield ",".join(sorted(it.name for it in info.function_tools))
        case "slow":
            await asyncio.sleep(30)
            yield "at last"
        case _:
            yield " / ".join(said)


agent = Agent(FunctionModel(stream_function=reply), output_type=[str, DeferredToolRequests])


@agent.tool_plain
def look_up() -> str:
    """Look something up."""
    return "found"


@agent.tool_plain(requires_approval=True)
def refund(euros: int) -> str:
    """Give money back."""
    return f"{euros} are back"


async def run(request: Request) -> Response:
    """Serve a run."""
    return await AGUIAdapter.dispatch_request(request, agent=agent)


async def ready(_request: Request) -> Response:
    """Answer that it serves."""
    return PlainTextResponse("ok")


app = Starlette(routes=[Route("/agui", run, methods=["POST"]), Route("/", ready)])

if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="error")
