"""Rich answers arrive as what they are, taps come back, and what Meta refuses is said in words."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from instagram_simulator import Behaviour, Fault, FaultKind
from qa.support.agent import sends
from tests.support.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOP = "https://shop.example"
IMAGE = {"attachment": {"type": "image", "payload": {"url": f"{SHOP}/map.png"}}}


def answers(*messages: dict[str, object] | str):
    """Answer in the schema."""
    return sends(200, json.dumps({"messages": messages}), "application/json")


def arrived(stage: Stage, igsid: str) -> list[object]:
    """Return what is on the person's phone, of each message what it mainly is, in order."""
    contents = (message.content for message in stage.meta.applied(igsid))
    return [it.text or {"attachment": dict(it.attachments[0])} for it in contents]


async def test_all_kinds_arrive_in_order_and_as_what_they_are(stage):
    mia = stage.person()
    chip = {"title": "Red", "payload": "RED"}
    stage.agent.will(
        answers(
            {"reaction": "❤️"},
            "Look:",
            {"image": f"{SHOP}/map.png"},
            {"text": "Our shop", "buttons": [{"title": "Open", "url": SHOP}, {"title": "Call me"}]},
            {"cards": [{"title": "Bread", "subtitle": "3 €", "image_url": f"{SHOP}/bread.jpg"}]},
            {"audio": f"{SHOP}/hello.m4a"},
            {"text": "Which one?", "quick_replies": [chip]},
        )
    )

    asked = stage.meta.phones.say(mia, "What do you have?")
    await stage.until_answered(mia, 6)

    buttons = [
        {"type": "web_url", "url": SHOP, "title": "Open"},
        {"type": "postback", "title": "Call me", "payload": "Call me"},
    ]
    card = {"title": "Bread", "subtitle": "3 €", "image_url": f"{SHOP}/bread.jpg"}
    text = {"template_type": "button", "text": "Our shop", "buttons": buttons}
    assert arrived(stage, mia) == [
        "Look:",
        IMAGE,
        {"attachment": {"type": "template", "payload": text}},
        {
            "attachment": {
                "type": "template",
                "payload": {"template_type": "generic", "elements": [card]},
            }
        },
        {"attachment": {"type": "audio", "payload": {"url": f"{SHOP}/hello.m4a"}}},
        "Which one?",
    ]
    assert stage.meta.applied(mia)[-1].content.quick_replies == ({"content_type": "text", **chip},)
    assert stage.meta.world.message(asked.mid).reactions == {"account": "❤️"}
    refused = [line for line in stage.service.lines if "part.refused" in line and mia in line]
    assert refused == []


@pytest.mark.parametrize("way", ["tap_quick_reply", "tap_button"])
async def test_a_tap_comes_back_to_the_agent_with_its_payload(stage, way):
    mia = stage.person()

    getattr(stage.meta.phones, way)(mia, "Red", "COLOUR_RED")

    question = await stage.agent.until_asked()
    [message] = question.body["messages"]
    assert (message["text"], message["payload"]) == ("Red", "COLOUR_RED")
    await stage.until_answered(mia)


async def test_a_link_stands_in_for_a_picture_that_meta_cannot_fetch(stage):
    mia = stage.person()
    nowhere = "https://shop.invalid/map.png"
    stage.agent.will(answers("Here:", {"image": nowhere}, "Anything else?"))

    stage.meta.phones.say(mia, "Where are you?")
    await stage.until_answered(mia, 3)

    assert stage.answers(mia) == ["Here:", nowhere, "Anything else?"]
    lines = [line for line in stage.service.lines if "delivery.degraded" in line and mia in line]
    assert len(lines) == 1
    assert nowhere not in lines[0]
    assert "2018008" in lines[0]


async def test_the_emoji_stands_in_for_a_reaction_to_a_message_that_is_gone(stage):
    mia = stage.person()
    stage.agent.will(answers({"reaction": "👍", "mid": "no-such-message"}, "Thanks!"))

    stage.meta.phones.say(mia, "Bye")
    await stage.until_answered(mia, 2)

    assert stage.answers(mia) == ["👍", "Thanks!"]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(None, id="no-fault"),
        pytest.param(FaultKind.SENT_BUT_ERROR, id="sent-but-error"),
        pytest.param(FaultKind.SENT_BUT_DROPPED, id="sent-but-dropped"),
    ],
)
@pytest.mark.parametrize("echo_first", [True, False])
async def test_an_early_echo_of_a_picture_or_of_cards_neither_doubles_nor_silences(
    stage, fault, echo_first
):
    mia = stage.person()
    stage.meta.switch(**asdict(replace(Behaviour(), echo_first=echo_first)))
    stage.agent.will(
        answers({"image": f"{SHOP}/map.png"}, {"cards": [{"title": "a", "subtitle": "b"}]}, "Bye")
    )
    if fault is not None:
        stage.meta.fail(Fault(fault, times=2))

    stage.meta.phones.say(mia, "Show me")
    await stage.until_answered(mia, 3)
    await stage.meta.settled()

    cards = {"template_type": "generic", "elements": [{"title": "a", "subtitle": "b"}]}
    assert arrived(stage, mia) == [
        IMAGE,
        {"attachment": {"type": "template", "payload": cards}},
        "Bye",
    ]
    stage.meta.phones.say(mia, "Are you still there?")
    await stage.until_answered(mia, 4)
