"""An agent's card chooses the interface; a task is read with the earlier ones in view."""

from __future__ import annotations

import pytest

from ak_instagram.agents.adapters.a2a import Interface, choose_interface, send_body
from ak_instagram.agents.adapters.a2a_answer import answered, read_task
from ak_instagram.agents.agent import (
    Attachment,
    Handoff,
    Media,
    MessageEnd,
    Option,
    QuickReplies,
    Silence,
    Text,
    Turn,
    UserMessage,
)
from ak_instagram.errors import Permanent, Transient

CARD_URL = "https://agent.example/a/.well-known/agent-card.json?x=1"


def interface(url="http://0.0.0.0:9/rpc", binding="JSONRPC", version="1.0", **more):
    """Return an interface as a card of 1.0 lists one."""
    return {"url": url, "protocolBinding": binding, "protocolVersion": version, **more}


@pytest.mark.parametrize(
    ("card", "chosen"),
    [
        pytest.param(
            {"supportedInterfaces": [interface()]},
            Interface("https://agent.example/rpc", is_rest=False, is_v1=True),
            id="path-from-the-card-host-from-the-settings",
        ),
        pytest.param(
            {"supportedInterfaces": [interface(version="0.3"), interface("http://h/one")]},
            Interface("https://agent.example/one", is_rest=False, is_v1=True),
            id="1.0-before-0.3",
        ),
        pytest.param(
            {
                "supportedInterfaces": [
                    interface(binding="GRPC"),
                    interface("http://h/", "HTTP+JSON", tenant="shop"),
                ]
            },
            Interface("https://agent.example", is_rest=True, is_v1=True, tenant="shop"),
            id="rest-with-a-tenant",
        ),
        pytest.param(
            {"url": "http://h/a2a/", "protocolVersion": "0.3.0", "defaultInputModes": ["image/*"]},
            Interface(
                "https://agent.example/a2a/", is_rest=False, is_v1=False, input_modes=("image/*",)
            ),
            id="0.3",
        ),
        pytest.param(
            {
                "url": "http://h/grpc",
                "preferredTransport": "GRPC",
                "additionalInterfaces": [{"url": "http://h/rest", "transport": "HTTP+JSON"}],
            },
            Interface("https://agent.example/rest", is_rest=True, is_v1=False),
            id="0.3-additional",
        ),
    ],
)
def test_the_card_chooses_the_interface(card, chosen):
    assert choose_interface(card, CARD_URL) == chosen


@pytest.mark.parametrize(
    "card",
    [
        pytest.param({}, id="no-card"),
        pytest.param({"supportedInterfaces": [interface(binding="GRPC")]}, id="grpc-alone"),
        pytest.param({"supportedInterfaces": [interface(version="2.0")]}, id="later"),
    ],
)
def test_a_card_without_an_interface_that_is_spoken_here_is_final(card):
    with pytest.raises(Permanent, match="no interface of A2A"):
        choose_interface(card, CARD_URL)


@pytest.mark.parametrize(
    ("modes", "carried"),
    [
        pytest.param((), 0, id="none-declared"),
        pytest.param(("text/plain",), 0, id="text-alone"),
        pytest.param(("image/jpeg",), 1, id="its-type"),
        pytest.param(("image/*",), 1, id="its-kind"),
        pytest.param(("*/*",), 1, id="all"),
    ],
)
def test_a_picture_is_a_part_only_if_the_card_takes_it(modes, carried):
    picture = Attachment("image", "https://cdn.example/1.jpg")
    turn = Turn("t", "s", "a", "c", (UserMessage("m", 1, "look", (picture,)),))

    body = send_body(turn, Interface("u", False, True, input_modes=modes), None)

    text, *files = body["message"]["parts"]
    assert len(files) == carried
    assert ("[image]" in text["text"]) is not bool(carried)


def task(state, *said, turn_id="turn-1", artifacts=()):
    """Return a task of the turn."""
    history = [{"messageId": turn_id, "role": "ROLE_USER", "parts": [{"text": "?"}]}]
    history += [{"messageId": "a", "role": "ROLE_AGENT", "parts": list(said)}] if said else []
    held = [{"artifactId": it, "parts": [{"text": it}]} for it in artifacts]
    return {"status": {"state": state}, "history": history, "artifacts": held}


@pytest.mark.parametrize(
    ("tasks", "found"),
    [
        pytest.param([], False, id="none"),
        pytest.param([task("TASK_STATE_COMPLETED", turn_id="turn-0")], False, id="another-turns"),
        pytest.param([task("TASK_STATE_FAILED")], False, id="failed"),
        pytest.param([task("TASK_STATE_COMPLETED")], True, id="completed"),
        pytest.param([task("TASK_STATE_INPUT_REQUIRED")], True, id="question"),
    ],
)
def test_an_answer_to_an_earlier_attempt_is_found_by_the_turns_id(tasks, found):
    assert (answered(tasks, "turn-1") is not None) is found


def test_an_agent_that_still_works_on_the_turn_is_waited_for():
    with pytest.raises(Transient, match="still works"):
        answered([task("TASK_STATE_WORKING")], "turn-1")


def test_an_artifact_of_an_earlier_turn_is_not_said_again():
    continued = task("TASK_STATE_COMPLETED", artifacts=("old", "new"))

    assert read_task(continued, known=[(Text("old"),)]) == [Text("new")]


def test_texts_of_a_message_are_lines_and_thoughts_are_left_out():
    thought = {"text": "margin 40 %", "metadata": {"adk_thought": True}}

    parts = read_task(task("completed", {"text": "one"}, thought, {"text": "two"}, {"data": {}}))

    assert parts == [Text("one\ntwo")]


def test_artifacts_are_messages():
    parts = read_task(task("completed", {"text": "on the way"}, artifacts=("one", "two")))

    assert parts == [Text("one"), MessageEnd(), Text("two")]


CHOICE = {"text": "Which?", "quick_replies": [{"title": "Red"}]}
RED = QuickReplies((Option("Red", "Red"),))


@pytest.mark.parametrize(
    ("parts", "read"),
    [
        pytest.param(
            [{"text": "Hello."}, {"data": {"messages": [CHOICE]}}],
            [Text("Hello."), MessageEnd(), Text("Which?"), RED],
            id="behind-the-text",
        ),
        pytest.param(
            [{"kind": "data", "data": {"messages": [CHOICE], "handoff": "angry"}}],
            [Text("Which?"), RED, Handoff("angry")],
            id="0.3-with-a-handoff",
        ),
        pytest.param([{"data": {"silence": True}}], [Silence()], id="silence"),
        pytest.param(
            [
                {"text": "a"},
                {"url": "https://a.de/1.png", "mediaType": "image/png"},
                {"data": {"messages": ["b"]}},
            ],
            [Text("a"), Media("image", "https://a.de/1.png"), MessageEnd(), Text("b")],
            id="behind-media",
        ),
        pytest.param([{"text": "a"}, {"data": CHOICE}], [Text("a")], id="no-document"),
        pytest.param([{"data": {"messages": [{"role": "user"}]}}], [], id="not-in-the-schema"),
        pytest.param([{"data": {"id": "1", "args": {}}}], [], id="a-call"),
        pytest.param([{"data": ["messages"]}], [], id="a-list"),
    ],
)
def test_data_that_is_an_answer_is_what_it_says(parts, read):
    status = {"state": "TASK_STATE_COMPLETED"}
    task = {"status": status, "artifacts": [{"artifactId": "a", "parts": parts}]}

    assert read_task(task) == read
