"""A graph that does what it is told, for `langgraph dev`."""

from __future__ import annotations

import time

from langchain_core.messages import AIMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import interrupt


def obey(state: MessagesState) -> dict[str, list[AIMessage]]:
    """Answer in the way that the last message's text names."""
    messages = state["messages"]
    said = messages[-1].text
    people = sum(message.type == "human" for message in messages)
    match said.split():
        case ["fail", *_]:
            raise RuntimeError("Error code: 429 - slow down")
        case ["slow"]:
            time.sleep(2)
            return answer("done")
        case ["two"]:
            return answer("one", "two")
        case ["silence"]:
            return {"messages": []}
        case ["ask"]:
            return answer(f"{interrupt('Red or blue?')} it is")
        case ["approve"]:
            return answer(f"approved: {interrupt({'action_requests': [{'name': 'refund'}]})}")
        case _:
            return answer(f"{people}: {said}")


def answer(*texts: str) -> dict[str, list[AIMessage]]:
    """Return the update of the state that says *texts*."""
    return {"messages": [AIMessage(text) for text in texts]}


builder = StateGraph(MessagesState)
builder.add_node("obey", obey)
builder.add_edge(START, "obey")
builder.add_edge("obey", END)
graph = builder.compile()
