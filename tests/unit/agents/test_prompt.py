"""A turn becomes lines of text, and is never empty."""

from __future__ import annotations

import pytest

from ak_instagram.agents.agent import Attachment, Turn, UserMessage, prompt, references

DAY = 86_400_000  # milliseconds
IMAGE = Attachment("image", "https://cdn/1")
REEL = Attachment("ig_reel", "https://cdn/2", "A caption\nof two lines")


def turn(*messages: UserMessage) -> Turn:
    """Return a turn of *messages*."""
    return Turn("turn", "session", "account", "contact", messages)


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        pytest.param(
            [UserMessage("1", 1, "hi"), UserMessage("2", 2, "you?")], "hi\nyou?", id="texts"
        ),
        pytest.param([UserMessage("1", 1, "a\nb")], "a\nb", id="a-text-of-two-lines"),
        pytest.param(
            [UserMessage("1", 1, "look", (IMAGE, REEL))],
            "look\n[image] https://cdn/1\n[ig_reel] A caption of two lines https://cdn/2",
            id="attachments",
        ),
        pytest.param(
            [UserMessage("1", 1, attachments=(Attachment("ephemeral"),))],
            "[ephemeral]",
            id="no-url",
        ),
        pytest.param([UserMessage("1", 1, "Blue", payload="B")], "Blue", id="tap-with-a-title"),
        pytest.param([UserMessage("1", 1, payload="B")], "B", id="tap-without-a-title"),
        pytest.param([UserMessage("1", 1)], "[unsupported message]", id="nothing-readable"),
        pytest.param(
            [
                UserMessage("1", 0, "Are you open?"),
                UserMessage("2", 5, "Hello?"),
                UserMessage("3", 2 * DAY + 5, "Well?"),
                UserMessage("4", 3 * DAY + 4, "Never mind"),
                UserMessage("5", 3 * DAY + 5, "Two beers please"),
            ],
            "[3 days earlier]\nAre you open?\nHello?\n[1 day earlier]\nWell?\n"
            "[now]\nNever mind\nTwo beers please",
            id="of-days-ago",
        ),
    ],
)
def test_messages_become_lines(messages, text):
    assert prompt(turn(*messages)) == text


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        pytest.param([UserMessage("1", 1, "look", (IMAGE, REEL))], "look", id="beside-a-text"),
        pytest.param(
            [UserMessage("1", 1, attachments=(IMAGE, REEL))], "[image]\n[ig_reel]", id="alone"
        ),
    ],
)
def test_attachments_that_travel_elsewhere_leave_at_most_their_label(messages, text):
    assert prompt(turn(*messages), lambda _: True) == text


@pytest.mark.parametrize(
    ("context", "line"),
    [
        ({"reply_to_mid": "m", "reply_to_text": "The large\none"}, "[reply to] The large one"),
        ({"reply_to_mid": "m"}, "[reply to an earlier message]"),
        ({"story_url": "https://cdn/s"}, "[reply to story] https://cdn/s"),
        ({"ref": "table-12"}, "[came from link] table-12"),
        ({"ad_id": "120"}, "[came from ad] 120"),
        ({"ad_id": "120", "ad_title": "Spring", "ref": "r"}, "[came from ad] Spring"),
    ],
)
def test_what_a_message_refers_to_is_a_line_before_it(context, line):
    said = UserMessage("2", 2, "this one", context=context)

    assert prompt(turn(UserMessage("1", 1, "hello"), said)) == f"hello\n{line}\nthis one"


def test_references_name_the_story_the_ad_and_the_product():
    story = UserMessage("1", 1, context={"story_id": "9", "story_url": "https://cdn/s"})
    shop = UserMessage("2", 2, context={"ad_title": "Spring", "product_id": "55", "ref": "r"})

    messages = (story, UserMessage("3", 3, "hi"), shop)
    assert [line for each in messages for line in references(each)] == [
        "[reply to story] https://cdn/s",
        "[came from ad] Spring",
        "[about product] 55",
    ]
