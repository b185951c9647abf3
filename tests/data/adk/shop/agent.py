"""An agent on Google's ADK that does what it is told, for `adk api_server`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from google.adk.agents import Agent
from google.adk.models import BaseLlm, LlmRequest, LlmResponse
from google.genai import types


class Obedient(BaseLlm):
    """Answers in the way that the last text of the person's names."""

    async def generate_content_async(
        self, llm_request: LlmRequest, stream: bool = False
    ) -> AsyncGenerator[LlmResponse, None]:
        """Answer what was said."""
        parts = [part for it in llm_request.contents if it.role == "user" for part in it.parts]
        said = [part.text for part in parts if part.text]
        is_after_tool = parts[-1].function_response is not None
        match said[-1]:
            case "fail":
                raise RuntimeError("Error code: 429 - slow down")
            case "block":
                yield LlmResponse(error_code="SAFETY", error_message="blocked")
            case "think":
                yield answer(types.Part(text="margin", thought=True), types.Part(text="At nine."))
            case "two" if not is_after_tool:
                call = types.FunctionCall(name="look_up", args={})
                yield answer(types.Part(text="One moment."), types.Part(function_call=call))
            case "two":
                yield answer(types.Part(text="It left."))
            case _:
                yield answer(types.Part(text=" / ".join(said)))


def answer(*parts: Any) -> LlmResponse:
    """Return what a model says."""
    return LlmResponse(content=types.Content(role="model", parts=list(parts)))


def look_up() -> str:
    """Look something up."""
    return "found"


root_agent = Agent(name="shop", model=Obedient(model="obedient"), tools=[look_up])
