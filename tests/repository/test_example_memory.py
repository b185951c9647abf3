"""What the example's agent is shown of a conversation."""

from __future__ import annotations

import runpy
from pathlib import Path

MEMORY = runpy.run_path(str(Path(__file__).parents[2] / "examples/agent-kernel/memory.py"))
recent, TURNS = MEMORY["recent"], MEMORY["TURNS"]

NEW = [{"role": "user", "content": "And now?"}]


def turn(number: int) -> list[dict]:
    """Return a turn in which the agent used a tool."""
    return [
        {"role": "user", "content": f"question {number}"},
        {"type": "function_call", "call_id": str(number), "name": "orders", "arguments": "{}"},
        {"type": "function_call_output", "call_id": str(number), "output": "none"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text"}]},
    ]


def test_a_short_conversation_is_all_there():
    past = turn(1) + turn(2)

    assert recent(past, NEW) == past + NEW


def test_of_a_long_one_the_last_turns_are_and_each_is_whole():
    past = [item for number in range(TURNS + 5) for item in turn(number)]

    shown = recent(past, NEW)

    assert shown == past[5 * len(turn(0)) :] + NEW


def test_old_attachments_are_not_shown_and_new_ones_are():
    picture = {"role": "user", "content": [{"type": "input_image", "image_url": "https://cdn/1"}]}

    assert recent([*turn(1), picture, *turn(2)], [*NEW, picture]) == [
        *turn(1),
        *turn(2),
        *NEW,
        picture,
    ]
