"""A comment is replied to by the first rule that fits it, within seven days."""

from __future__ import annotations

import pytest

from ak_instagram.conversation.comments import OPEN_FOR, AskAgent, Leave, Say, privately, verdict
from ak_instagram.meta.outgoing import fallback_of, request_body
from ak_instagram.settings.comment_rules import CommentRule, read_rules

RULES = (
    CommentRule(("price", "how much", "価格"), "See your messages"),
    CommentRule(("größe",)),
    CommentRule(("*",), "Thank you!"),
)


@pytest.mark.parametrize(
    ("text", "decided"),
    [
        pytest.param("PRICE?", Say("See your messages"), id="a-word-in-capitals"),
        pytest.param("so how  much\nis it", Say("See your messages"), id="words-with-blanks"),
        pytest.param("priceless!", Say("Thank you!"), id="a-part-of-a-word"),
        pytest.param("これの価格は", Say("See your messages"), id="a-script-without-blanks"),
        pytest.param("Welche Grösse?", AskAgent(), id="one-form-of-each-letter"),
        pytest.param("", Say("Thank you!"), id="nothing-said"),
    ],
)
def test_the_first_rule_that_fits_counts(text, decided):
    assert verdict(text, 1000, 2000, RULES) == decided


def test_without_a_rule_that_fits_a_comment_is_left_alone():
    assert verdict("hi", 0, 1, RULES[:1]) == Leave("no rule of comments.rules fits the comment")


@pytest.mark.parametrize(
    ("age", "decided"),
    [
        pytest.param(OPEN_FOR - 1, AskAgent(), id="just-in-time"),
        pytest.param(OPEN_FOR, Leave("the comment is older than 7 days"), id="too-late"),
        pytest.param(-60_000, AskAgent(), id="a-clock-that-is-behind"),
    ],
)
def test_seven_days_are_the_latest(age, decided):
    assert verdict("hi", 10**12, 10**12 + age, (CommentRule(("*",)),)) == decided


def test_the_first_message_goes_to_the_comment_and_what_stands_in_for_it_too():
    card = {"attachment": {"type": "template"}, "fallback": [{"text": "a"}, {"text": "b"}]}

    first, second = privately("179", [card, {"text": "more"}])

    assert request_body("751", first)["recipient"] == {"comment_id": "179"}
    assert request_body("751", first)["message"] == {"attachment": {"type": "template"}}
    assert request_body("751", second)["recipient"] == {"id": "751"}
    assert fallback_of(first) == ({"comment_id": "179", "text": "a"}, {"text": "b"})
    assert privately("179", []) == ()


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        pytest.param("hello", "a list of objects", id="a-text"),
        pytest.param([{"reply": "Hi"}], "must have words", id="no-words"),
        pytest.param([{"words": ["a"], "reply": ""}], "text for reply", id="empty-reply"),
        pytest.param([{"words": ["a"], "reply": "ä" * 501}], "1000 bytes", id="too-long"),
        pytest.param([{"words": ["a"], "replay": "x"}], "there is replay", id="mistyped"),
    ],
)
def test_rules_that_can_not_be_meant_are_refused(raw, problem):
    with pytest.raises(ValueError, match=problem):
        read_rules(raw)


def test_rules_are_read():
    raw = '[{"words": ["price", "how much"], "reply": " Hi "}, {"words": "*"}]'

    assert read_rules(raw) == (CommentRule(("price", "how much"), "Hi"), CommentRule(("*",)))
