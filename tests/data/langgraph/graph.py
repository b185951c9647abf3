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
            time.sleep(1)
            return answer("done")
        case ["two"]:
            return answer("one", "two")
        case ["steps"]:
            return answer("1 step, please wait.")
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


def look(state: MessagesState) -> dict[str, list[AIMessage]]:
    """Say a second thing if it was told to do something in steps."""
    return answer("I have found it.") if state["messages"][-1].text.startswith("1 step") else {}


def think(state: MessagesState) -> dict[str, list[AIMessage]]:
    """Say a third thing, later."""
    if not state["messages"][-1].text.startswith("I have"):
        return {}
    time.sleep(1)
    return answer("It is blue.")


builder = StateGraph(MessagesState)
builder.add_sequence([obey, look, think])
builder.add_edge(START, "obey")
builder.add_edge("think", END)
graph = builder.compile()
