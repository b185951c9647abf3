"""A model's calls become parts, and the model is told what came of them."""

from __future__ import annotations

import json

import pytest

from ak_instagram.agents.agent import (
    Button,
    Buttons,
    Card,
    Cards,
    Handoff,
    Media,
    MessageEnd,
    Option,
    QuickReplies,
    Reaction,
    Silence,
    Text,
)
from ak_instagram.agents.tools import MAX_REQUESTS, TOOLS, Call, Reply, carry_out, converse
from ak_instagram.settings.value_types import TOOLS as NAMES


def call(name: str, arguments: object = None, number: int = 1) -> Call:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
    return Call(f"call-{number}", name, text)


@pytest.mark.parametrize(
    ("name", "arguments", "parts"),
    [
        pytest.param(
            "send_quick_replies",
            {"text": "Which?", "quick_replies": [{"title": "Red", "payload": "R"}]},
            [Text("Which?"), QuickReplies((Option("Red", "R"),))],
            id="quick-replies",
        ),
        pytest.param(
            "send_buttons",
            {"text": "Shop", "buttons": [{"title": "Open", "url": "https://a.de"}]},
            [Buttons("Shop", (Button("Open", "https://a.de"),))],
            id="buttons",
        ),
        pytest.param(
            "send_cards",
            {"cards": [{"title": "a", "subtitle": "b"}]},
            [Cards((Card("a", "b"),))],
            id="cards",
        ),
        pytest.param(
            "send_image",
            {"image": "https://a.de/1.png", "text": "no part of this tool"},
            [Media("image", "https://a.de/1.png")],
            id="image",
        ),
        pytest.param("react", {"reaction": "❤"}, [Reaction("❤")], id="reaction"),
        pytest.param("hand_off", {"reason": "angry"}, [Handoff("angry")], id="hand-off"),
        pytest.param("hand_off", "", [Handoff("")], id="hand-off-without-reason"),
        pytest.param("stay_silent", "{}", [Silence()], id="silence"),
    ],
)
def test_a_call_becomes_parts(name, arguments, parts):
    outcome = carry_out(call(name, arguments), NAMES)

    assert outcome.parts == parts
    assert outcome.told.startswith("Done")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        pytest.param(call("send_money"), "there is no tool 'send_money'", id="unknown"),
        pytest.param(call("react", {"reaction": "❤"}), "no tool 'react'", id="not-offered"),
        pytest.param(call("send_image", '{"image": "htt'), "are no JSON object", id="cut"),
        pytest.param(call("send_image", "[]"), "are no JSON object", id="a-list"),
        pytest.param(call("send_image"), "image is missing", id="missing"),
        pytest.param(
            call("send_image", {"image": "a.png"}), "image is no https:// URL", id="no-address"
        ),
    ],
)
def test_a_wrong_call_adds_nothing_and_says_why(wrong, told):
    outcome = carry_out(wrong, ["send_image"])

    assert outcome.parts == []
    assert outcome.told.startswith("Error: ")
    assert told in outcome.told


class Model:
    """Replies in turn, and remembers what it was asked with; the last reply again and again."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[list[object]] = []

    async def ask(self, items, number):
        assert number == len(self.asked) + 1
        self.asked.append(list(items))
        yield self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


def result_of(of: Call, told: str) -> dict[str, object]:
    return {"id": of.id, "told": told.partition(":")[0]}


IMAGE = call("send_image", {"image": "https://a.de/1.png"})


async def test_what_a_model_says_before_with_and_after_its_calls_are_messages_in_order():
    react = call("react", {"reaction": "❤"}, 2)
    model = Model(
        Reply([Text("Look:")], [IMAGE, react], [{"said": "Look:"}]), Reply([Text("Nice?")])
    )

    parts = [it async for it in converse(NAMES, model.ask, result_of)]

    assert parts == [
        Text("Look:"),
        MessageEnd(),
        Media("image", "https://a.de/1.png"),
        MessageEnd(),
        Reaction("❤"),
        MessageEnd(),
        Text("Nice?"),
    ]
    assert model.asked == [
        [],
        [{"said": "Look:"}, {"id": "call-1", "told": "Done"}, {"id": "call-2", "told": "Done"}],
    ]


async def test_a_model_that_adds_nothing_has_said_what_it_sent():
    parts = [
        it
        async for it in converse(NAMES, Model(Reply([], [IMAGE]), Reply([Text("")])).ask, result_of)
    ]

    assert parts == [Media("image", "https://a.de/1.png"), MessageEnd(), Text("")]


async def test_silence_ends_the_answer_at_once():
    model = Model(Reply([], [call("stay_silent")]))

    assert [it async for it in converse(NAMES, model.ask, result_of)] == [Silence()]
    assert len(model.asked) == 1


async def test_a_model_that_only_calls_is_asked_so_often_and_no_more():
    model = Model(Reply([], [IMAGE]))

    parts = [it async for it in converse(NAMES, model.ask, result_of)]

    assert len(model.asked) == MAX_REQUESTS
    assert parts.count(Media("image", "https://a.de/1.png")) == MAX_REQUESTS


def test_the_settings_know_every_tool():
    assert tuple(TOOLS) == NAMES
