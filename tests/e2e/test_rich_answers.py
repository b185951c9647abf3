"""Rich answers arrive as what they are, taps come back, and what Meta refuses is said in words."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
import pytest_asyncio

from instagram_simulator import Fault, FaultKind
from qa.support.agent import sends
from qa.support.processes import free_port
from tests.support.stage import Stage, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOP = "https://shop.example"
EXAMPLE = Path(__file__).parents[2] / "examples/http-agent/choices.py"
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


@pytest_asyncio.fixture(loop_scope="module")
async def bakery(tmp_path):
    """A stage on which the example with choices answers."""
    port = str(free_port())
    example = await asyncio.create_subprocess_exec(
        *(sys.executable, EXAMPLE), env={"PORT": port, "PATH": os.environ["PATH"]}
    )
    try:
        url = f"http://127.0.0.1:{port}/"
        async with open_stage(tmp_path, agent__url=url, conversation__attempts="20") as stage:
            yield stage
    finally:
        example.kill()
        await example.wait()


async def test_the_example_offers_choices_and_does_what_is_tapped(bakery):
    mia = bakery.person()
    phones = bakery.meta.phones

    phones.say(mia, "Hello")
    await bakery.until_answered(mia, 1)
    [asked] = bakery.meta.applied(mia)
    rye, _ = asked.content.quick_replies
    phones.tap_quick_reply(mia, rye["title"], rye["payload"])
    await bakery.until_answered(mia, 2)
    [card] = bakery.meta.applied(mia)[1].content.attachments
    [keep] = card["payload"]["elements"][0]["buttons"]
    tapped = phones.tap_button(mia, keep["title"], keep["payload"])
    await bakery.until_answered(mia, 3)

    assert bakery.answers(mia)[-1] == "A rye bread is yours until six."
    assert bakery.meta.world.message(tapped.mid).reactions == {"account": "👍"}


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


async def test_a_reply_quotes_what_it_answers_and_stands_alone_where_that_is_gone(stage):
    mia = stage.person()
    first = stage.meta.phones.say(mia, "Do you have the blue one?")
    await stage.until_answered(mia)
    stage.agent.will(
        answers(
            {"text": "The blue one: yes.", "reply_to": first.mid},
            {"text": "The red one: no.", "reply_to": True},
            {"text": "Any other?", "reply_to": "no-such-message"},
        )
    )

    second = stage.meta.phones.say(mia, "And the red one?")
    await stage.until_answered(mia, 4)

    told = [(it.content.text, it.content.reply_to) for it in stage.meta.applied(mia)[1:]]
    assert told == [
        ("The blue one: yes.", {"mid": first.mid}),
        ("The red one: no.", {"mid": second.mid}),
        ("Any other?", None),
    ]


@pytest.mark.parametrize(
    ("fault", "echo_first"),
    [
        pytest.param(None, True, id="echo-first"),
        pytest.param(FaultKind.SENT_BUT_ERROR, True, id="echo-first-and-an-error"),
        pytest.param(FaultKind.SENT_BUT_DROPPED, False, id="dropped"),
    ],
)
async def test_an_early_echo_of_a_picture_or_of_cards_neither_doubles_nor_silences(
    stage, fault, echo_first
):
    mia = stage.person()
    stage.meta.switch(echo_first=echo_first)
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


async def test_cards_that_nobody_echoes_are_found_in_the_conversation(stage):
    mia = stage.person()
    stage.meta.switch(echoes=False)
    cards: list[dict[str, object]] = [
        {"cards": [{"title": title, "subtitle": "b"}]} for title in ("first", "second")
    ]
    stage.agent.will(answers(*cards, "Bye"))
    stage.meta.fail(Fault(FaultKind.SENT_BUT_ERROR, times=2))

    stage.meta.phones.say(mia, "Show me")
    await stage.until_answered(mia, 3)

    titles = [
        it.content.attachments[0]["payload"]["elements"][0]["title"]
        for it in stage.meta.applied(mia)[:2]
    ]
    assert titles == ["first", "second"]
    assert stage.answers(mia)[2:] == ["Bye"]


async def test_a_picture_on_its_way_at_a_kill_is_not_sent_again_and_the_rest_is(tmp_path):
    async with open_stage(tmp_path, conversation__lease="5") as stage:
        mia = stage.person()
        stage.agent.will(answers({"image": f"{SHOP}/map.png"}, "after"))
        stage.meta.fail(Fault(FaultKind.SENT_BUT_HANG, times=1))
        stage.meta.phones.say(mia, "Where are you?")
        await stage.until_answered(mia, 1)
        await stage.service.kill()
        await stage.restart()
        await stage.until_answered(mia, 2, within=15)

        assert arrived(stage, mia) == [IMAGE, "after"]
