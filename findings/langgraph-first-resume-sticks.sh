#!/usr/bin/env bash
# langgraph 1.2.24: if a node fails after interrupt() has returned, the value that it was resumed
# with stays. A later Command(resume=...) runs the node with the first value again.
#
# interrupt() asks, Command(resume=value) answers, and the node runs again with the value. A node
# that checks the value and raises leaves the thread at the same interrupt: get_state() shows the
# question as open, with the error beside it.
#
# The guess: the question is open, so the next resume answers it, and a corrected value heals the
# thread. It does not, not even with the interrupt's id: the first value is among the checkpoint's
# pending writes, which win over what comes later.
#
# For those who rely on it: a person's typo that a node raises on can't be corrected. Nodes ask
# again by a second interrupt() and do not raise; a client repeats the same reply, or sends a new
# message, which drops the question.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check langgraph==1.2.24
timeout 60 "$work/venv/bin/python" - <<'PY'
from importlib.metadata import version
from typing import TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt


class State(TypedDict):
    colour: str


def choose(state):
    colour = interrupt("Which colour?")
    if colour not in ("red", "green"):
        raise ValueError(f"no colour: {colour}")
    return {"colour": colour}


builder = StateGraph(State)
builder.add_node("choose", choose)
builder.add_edge(START, "choose")
builder.add_edge("choose", END)
graph = builder.compile(checkpointer=InMemorySaver())


def reply(thread, value):
    """Resume the thread, and return the colour or the error."""
    try:
        return graph.invoke(Command(resume=value), thread)["colour"]
    except ValueError as exc:
        return f"ValueError: {exc}"


print("langgraph", version("langgraph"))
first = {"configurable": {"thread_id": "right at once"}}
graph.invoke({"colour": ""}, first)
print("resumed with green:", reply(first, "green"))

second = {"configurable": {"thread_id": "a typo first"}}
graph.invoke({"colour": ""}, second)
print("resumed with gren:", reply(second, "gren"))
[question] = graph.get_state(second).interrupts
print("open question:", question.value)
corrected = reply(second, "green")
print("then resumed with green:", corrected)
by_id = reply(second, {question.id: "green"})
print("then with the interrupt's id:", by_id)
assert corrected == by_id == "ValueError: no colour: gren", "the corrected value was used"
PY
