"""An agent on Agno that does what it is told, in an AgentOS with AG-UI: `server_agno.py PORT`."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn
from agno.agent import Agent
from agno.db.in_memory import InMemoryDb
from agno.models.base import Model
from agno.models.response import ModelResponse
from agno.os import AgentOS
from agno.os.interfaces.agui import AGUI
from agno.tools import tool


class Obedient(Model):
    """Answers in the way that the last message names."""

    async def ainvoke_stream(self, *args: Any, **fields: Any) -> AsyncIterator[ModelResponse]:
        """Stream the answer to what was said."""
        messages = args[0] if args else fields["messages"]
        said = [str(it.content) for it in messages if it.role == "user"]
        is_after_tool = messages[-1].role == "tool"
        match said[-1]:
            case "fail":
                raise RuntimeError("Error code: 429 - slow down")
            case "two" if not is_after_tool:
                yield ModelResponse(content="one moment")
                yield called("look_up", "{}")
            case "two":
                yield ModelResponse(content="It left.")
            case "choose" if not is_after_tool:
                arguments = '{"text": "Which?", "quick_replies": [{"title": "Red"}]}'
                yield called("send_quick_replies", arguments)
            case "approve" if not is_after_tool:
                yield ModelResponse(content="I have to ask.")
                yield called("refund", '{"euros": 120}')
            case _:
                yield ModelResponse(content=" / ".join(said))

    def invoke(self, *args: Any, **fields: Any) -> ModelResponse:
        """Never called."""
        raise NotImplementedError

    async def ainvoke(self, *args: Any, **fields: Any) -> ModelResponse:
        """Answer whole."""
        pieces = [it async for it in self.ainvoke_stream(*args, **fields)]
        return ModelResponse(
            content="".join(it.content or "" for it in pieces),
            tool_calls=[call for it in pieces for call in it.tool_calls],
        )

    def invoke_stream(self, *args: Any, **fields: Any) -> Iterator[ModelResponse]:
        """Never called."""
        raise NotImplementedError

    def _parse_provider_response(self, response: Any, **_: Any) -> ModelResponse:
        return ModelResponse(content=str(response))

    def _parse_provider_response_delta(self, response: Any) -> ModelResponse:
        return ModelResponse(content=str(response))


def called(name: str, arguments: str) -> ModelResponse:
    """Return a call of a tool."""
    function = {"name": name, "arguments": arguments}
    return ModelResponse(tool_calls=[{"id": name, "type": "function", "function": function}])


@tool
def look_up() -> str:
    """Look something up."""
    return "found"


@tool(requires_confirmation=True)
def refund(euros: int) -> str:
    """Give money back."""
    return f"{euros} are back"


agent = Agent(
    id="shop",
    model=Obedient(id="obedient"),
    tools=[look_up, refund],
    db=InMemoryDb(),
    add_history_to_context=True,
    telemetry=False,
)
app = AgentOS(agents=[agent], interfaces=[AGUI(agent=agent)], telemetry=False).get_app()


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="error")
