"""An agent behind Agent Kernel whose tool waits for an approval: `app.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from agentkernel.api import RESTAPI, AgentRESTRequestHandler
from agentkernel.openai import OpenAIModule
from agents import Agent, Model, ModelResponse, RunConfig, Usage, function_tool
from openai.types.responses import (
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
)


class Obedient(Model):
    """Gives money back, and says what came of it."""

    async def get_response(self, *args: Any, **fields: Any) -> ModelResponse:
        """Answer whole."""
        asked = args[1] if len(args) > 1 else fields["input"]
        last = asked[-1] if isinstance(asked, list) else {}
        said: Any = ResponseFunctionToolCall(
            id="f", call_id="c1", type="function_call", name="refund", arguments='{"euros": 120}'
        )
        if last.get("type") == "function_call_output":
            text = ResponseOutputText(type="output_text", text=last["output"], annotations=[])
            said = ResponseOutputMessage(
                id="m", type="message", role="assistant", status="completed", content=[text]
            )
        return ModelResponse(output=[said], usage=Usage(), response_id=None)

    def stream_response(self, *args: Any, **fields: Any) -> AsyncIterator[Any]:
        """Never called."""
        raise NotImplementedError


@function_tool(needs_approval=True)
def refund(euros: int) -> str:
    """Give money back."""
    return f"{euros} are back"


if __name__ == "__main__":
    agent = Agent(name="shop", tools=[refund], model=Obedient())
    OpenAIModule([agent]).run_options(agent, run_config=RunConfig(tracing_disabled=True))
    RESTAPI.run([AgentRESTRequestHandler()])
