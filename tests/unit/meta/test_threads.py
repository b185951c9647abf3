"""Listed conversations are read as their webhooks would have been, whatever is missing in them."""

from __future__ import annotations

import json

import pytest

from ak_instagram.meta.content import Message, read_content
from ak_instagram.meta.parse import parse_webhook
from ak_instagram.meta.threads import Own, listed_messages, read_page

ACCOUNT, MIA = "17841400000000001", "751390000000001"
OWN = Own(ACCOUNT, frozenset({ACCOUNT, "24600000000000001", "marigold.lane"}))
AT, TIME = 1_800_000_000_000, "2027-01-15T08:00:00+0000"
MINE, THEIRS = {"id": ACCOUNT}, {"id": MIA, "username": "mia"}


def message(mid: str = "m1", sender: object = THEIRS, **more: object) -> dict:
    return {"id": mid, "created_time": TIME, "from": sender, **more}


def page_of(*threads: object, **more: object):
    return read_page(json.dumps({"data": threads, **more}).encode())


def listed(*messages: object, since: int = 0, until: int = AT + 1):
    page = page_of({"updated_time": TIME, "messages": {"data": messages}})
    return list(listed_messages(page.threads, OWN, since, until))


def test_a_listed_message_is_the_event_that_its_webhook_makes():
    webhook = {"sender": {"id": MIA}, "recipient": {"id": ACCOUNT}, "timestamp": AT}
    item = {**webhook, "message": {"mid": "m1", "text": "Hi!"}}
    entry = {"object": "instagram", "entry": [{"id": ACCOUNT, "messaging": [item]}]}
    [brought] = parse_webhook(json.dumps(entry).encode(), AT).events

    [found] = listed(message(message="Hi!"))

    assert found.event == brought
    assert brought.key in found.keys


@pytest.mark.parametrize(
    ("more", "said"),
    [
        pytest.param({"message": "Hi!"}, ("Hi!", [], None), id="text"),
        pytest.param(
            {"attachments": {"data": [{"image_data": {"url": "https://cdn/a"}}]}},
            ("", [("image", "https://cdn/a")], None),
            id="image",
        ),
        pytest.param(
            {"attachments": {"data": [{"video_data": {"url": "https://cdn/v"}}]}},
            ("", [("video", "https://cdn/v")], None),
            id="video",
        ),
        pytest.param(
            {"attachments": {"data": [{"mime_type": "audio/mp4", "file_url": "https://cdn/s"}]}},
            ("", [("audio", "https://cdn/s")], None),
            id="voice",
        ),
        pytest.param(
            {"attachments": {"data": [{"file_url": "https://cdn/f"}, "odd", {}]}},
            ("", [("file", "https://cdn/f"), ("file", None), ("file", None)], None),
            id="file-and-odd-ones",
        ),
        pytest.param(
            {"message": "that", "reply_to": {"mid": "m0"}}, ("that", [], "m0"), id="reply"
        ),
        pytest.param({"message": None, "attachments": 7, "reply_to": []}, ("", [], None), id="odd"),
    ],
)
def test_what_a_message_says_survives(more, said):
    [found] = listed(message(**more))
    content = read_content(found.event.kind, found.event.payload)

    assert isinstance(content, Message)
    kinds = [(each.kind, each.url) for each in content.attachments]
    assert (content.text, kinds, content.reply_to) == said


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(message(sender=MINE), id="the-account-by-its-id"),
        pytest.param(message(sender={"id": "9", "username": "marigold.lane"}), id="by-its-name"),
        pytest.param(message(sender={"id": "24600000000000001"}), id="by-its-other-id"),
        pytest.param(message(sender={}), id="nobody"),
        pytest.param({"id": "m1", "created_time": TIME}, id="no-details"),
        pytest.param({"id": "m1", "from": THEIRS}, id="no-time"),
        pytest.param({"created_time": TIME, "from": THEIRS}, id="no-id"),
        pytest.param(message(created_time="yesterday"), id="a-time-that-is-none"),
        pytest.param("odd", id="no-object"),
    ],
)
def test_a_shape_that_does_not_say_who_wrote_when_is_passed_over(shape):
    assert listed(shape) == []


def test_only_messages_of_the_time_asked_for_count():
    assert listed(message(), since=AT, until=AT) == []
    assert listed(message(), since=AT + 1) == []
    assert len(listed(message(), since=AT)) == 1


def test_what_the_account_said_later_is_told_and_what_it_said_before_is_not():
    found = listed(message("new"), message("reply", MINE), message("old"), message("older", MINE))

    assert [(each.event.mid, each.said_since) for each in found] == [
        ("new", ()),
        ("old", ("reply",)),
    ]


@pytest.mark.parametrize(
    ("paging", "after"),
    [
        pytest.param({"cursors": {"after": "c"}, "next": "https://…"}, "c", id="more"),
        pytest.param({"cursors": {"after": "c"}}, None, id="last"),
        pytest.param({"next": "https://…"}, None, id="no-cursors"),
        pytest.param([], None, id="odd"),
    ],
)
def test_the_next_page_is_there_only_if_meta_says_so(paging, after):
    assert page_of(paging=paging).after == after


def test_a_conversation_without_a_time_goes_by_its_newest_message_or_is_counted():
    page = page_of({"messages": {"data": [message()]}}, {"id": "x"}, None)

    assert [each.updated_at for each in page.threads] == [AT]
    assert page.unreadable == 2


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"data": {}}', b"not JSON"])
def test_what_is_no_listing_is_an_error_and_not_an_empty_one(body):
    with pytest.raises(ValueError, match="no list of conversations"):
        read_page(body)
