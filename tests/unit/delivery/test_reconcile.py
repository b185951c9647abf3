"""A piece of unknown outcome is found by its words and its time, once its echo had time to come."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ak_instagram.delivery.decide import ECHO_WAIT
from ak_instagram.delivery.reconcile import TIMEOUT, find, until_echo
from ak_instagram.meta.graph.client import RecentMessage
from ak_instagram.meta.outgoing import Outgoing, attachment, reaction
from ak_instagram.store.values import CLOCK_SLACK, Piece

SINCE = 1_800_000_000_000
PLANNED = SINCE - 14_400_000
PIECE = Piece(7, "turn", 0, {"text": "hello"}, 1, True, SINCE, PLANNED)
SEEN_TO_END = replace(PIECE, is_over=True)


def recent(**changes: object) -> RecentMessage:
    values: dict[str, Any] = {
        "mid": "mid-9",
        "text": "hello",
        "from_id": "shop",
        "created_at": SINCE,
    }
    return RecentMessage(**(values | changes))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="as-it-was-sent"),
        pytest.param({"text": " hello\n"}, id="spaces-around-it"),
        pytest.param({"created_at": PLANNED}, id="an-earlier-try-that-nobody-saw"),
        pytest.param({"from_id": ""}, id="nobody-says-who-said-it"),
    ],
)
def test_a_message_with_its_words_since_it_was_planned_is_found(changes):
    message = recent(**changes)

    assert find(PIECE, [recent(text="other"), message], frozenset(), "anna") == message


@pytest.mark.parametrize(
    ("found", "ours"),
    [
        pytest.param((), frozenset(), id="nothing-there"),
        pytest.param((recent(text="other"),), frozenset(), id="another-text"),
        pytest.param((recent(from_id="anna"),), frozenset(), id="the-person-said-it"),
        pytest.param(
            (recent(created_at=PLANNED - CLOCK_SLACK - 1),), frozenset(), id="said-long-before"
        ),
        pytest.param((recent(),), frozenset({"mid-9"}), id="another-piece-of-the-same-words"),
    ],
)
def test_another_message_is_not_taken_for_it(found, ours):
    assert find(PIECE, found, ours, "anna") is None


def of(message: Outgoing) -> Piece:
    return replace(PIECE, message=message)


IMAGE = attachment("image", {"url": "https://shop.example/a.jpg"}, [])


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        pytest.param(IMAGE, recent(text="", attachment="image"), id="image"),
        pytest.param(
            attachment("audio", {}, []), recent(text="", attachment="file"), id="sound-as-a-file"
        ),
        pytest.param(
            attachment("template", {}, []),
            recent(text="What next?", attachment="template"),
            id="template-with-words",
        ),
        pytest.param(IMAGE, recent(text=""), id="nothing-that-could-be-seen"),
    ],
)
def test_an_attachment_is_found_by_its_kind(message, shown):
    other = recent(mid="mid-10", attachment="other", text="")

    assert find(of(message), [other, shown], frozenset(), "anna") == shown


@pytest.mark.parametrize(
    ("found", "ours"),
    [
        pytest.param([recent(text="", attachment="file")], frozenset(), id="another-kind"),
        pytest.param([recent(text="hello")], frozenset(), id="words"),
        pytest.param([recent(text="", attachment="image", from_id="anna")], frozenset(), id="hers"),
        pytest.param([recent(text="", from_id="")], frozenset(), id="too-old-to-be-shown"),
        pytest.param(
            [recent(), recent(mid="mid-8", text="", attachment="image")],
            frozenset({"mid-9"}),
            id="before-an-earlier-piece",
        ),
    ],
)
def test_another_message_is_not_taken_for_an_attachment(found, ours):
    assert find(of(IMAGE), found, ours, "anna") is None


def test_a_reaction_is_never_found():
    made = of(reaction("m1", "❤", []))

    assert find(made, [recent(text="")], frozenset(), "anna") is None


@pytest.mark.parametrize(
    ("age", "wait"),
    [
        pytest.param(0, ECHO_WAIT, id="just-now"),
        pytest.param(2, ECHO_WAIT - 2, id="a-moment-ago"),
        pytest.param(ECHO_WAIT, 0, id="long-enough"),
        pytest.param(-1, ECHO_WAIT - 1, id="a-clock-that-was-set-back-a-little"),
        pytest.param(-3600, 0, id="a-clock-that-was-set-back-a-lot"),
    ],
)
def test_the_echo_of_an_attempt_seen_to_end_is_waited_for_once(age, wait):
    assert until_echo(SEEN_TO_END, SINCE + int(age * 1000)) == wait


@pytest.mark.parametrize(
    ("age", "wait"),
    [
        pytest.param(1, TIMEOUT + ECHO_WAIT - 1, id="cut-off-a-moment-ago"),
        pytest.param(9, TIMEOUT + ECHO_WAIT - 9, id="perhaps-still-at-meta"),
        pytest.param(TIMEOUT + ECHO_WAIT, 0, id="long-enough"),
    ],
)
def test_an_attempt_without_an_end_is_given_the_time_of_a_call_as_well(age, wait):
    assert until_echo(PIECE, SINCE + int(age * 1000)) == wait
