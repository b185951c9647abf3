"""The Graph API's answers are read as documented and as seen, and nothing else is."""

from __future__ import annotations

import json

import pytest

from ak_instagram.meta.graph.client import (
    Profile,
    RecentMessage,
    read_message_id,
    read_profile,
    read_recent_messages,
)


def as_bytes(value):
    return json.dumps(value).encode()


UNREADABLE = [
    pytest.param(b"", id="empty"),
    pytest.param(b"<html>", id="html"),
    pytest.param(b"\xff", id="bytes"),
    pytest.param(b"[" * 20000, id="brackets"),
    pytest.param(b"[]", id="list"),
    pytest.param(b"null", id="null"),
    pytest.param(b"{}", id="nothing-in-it"),
]


@pytest.mark.parametrize("read", [read_message_id, read_profile, read_recent_messages])
@pytest.mark.parametrize("body", UNREADABLE)
def test_what_is_not_an_answer_is_refused(read, body):
    with pytest.raises(ValueError, match=r"^(not|no) "):
        read(body)


def test_the_message_id_is_read():
    assert read_message_id(b'{"recipient_id":"1","message_id":"m1"}') == "m1"


@pytest.mark.parametrize("message_id", [None, "", 5, ["m1"]])
def test_a_message_id_that_is_no_id_is_refused(message_id):
    with pytest.raises(ValueError, match="no message_id"):
        read_message_id(as_bytes({"message_id": message_id}))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"user_id": "178", "id": "24", "username": "shop"}, id="flat"),
        pytest.param({"data": [{"user_id": "178", "id": "24", "username": "shop"}]}, id="wrapped"),
        pytest.param({"user_id": 178, "id": 24, "username": "shop"}, id="numbers"),
    ],
)
def test_both_ids_of_an_account_are_read(answer):
    assert read_profile(as_bytes(answer)) == Profile(user_id="178", id="24", username="shop")


def test_a_profile_may_lack_all_but_the_user_id():
    assert read_profile(b'{"user_id":"178"}') == Profile(user_id="178", id="178", username="")


@pytest.mark.parametrize(
    "answer", [{"id": "24"}, {"user_id": True}, {"data": [None]}, {"data": []}]
)
def test_a_profile_without_user_id_is_refused(answer):
    with pytest.raises(ValueError, match="no user_id"):
        read_profile(as_bytes(answer))


def message(mid, created_time, **more):
    return {"id": mid, "created_time": created_time, **more}


def test_messages_come_newest_first():
    old = message(
        "m1", "2026-08-31T14:30:00+0000", message="hi", **{"from": {"id": "751", "username": "a"}}
    )
    new = message("m2", "2026-08-31T16:30:01+0200", message="hello", **{"from": {"id": "178"}})
    answer = {"data": [{"id": "c1", "messages": {"data": [old, new]}}]}

    recent = read_recent_messages(as_bytes(answer))

    assert recent == (
        RecentMessage(mid="m2", text="hello", from_id="178", created_at=1788186601000),
        RecentMessage(mid="m1", text="hi", from_id="751", created_at=1788186600000),
    )


def test_a_message_that_meta_tells_nothing_about_is_still_there():
    answer = {"data": [{"messages": {"data": [message("m1", "2026-08-31T14:30:00+0000")]}}]}

    assert read_recent_messages(as_bytes(answer)) == (RecentMessage("m1", "", "", 1788186600000),)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"data": []}, id="no-conversation"),
        pytest.param({"data": [{"id": "c1"}]}, id="no-messages"),
        pytest.param({"data": [{"id": "c1", "messages": {"data": []}}]}, id="empty"),
    ],
)
def test_nothing_said_is_no_messages(answer):
    assert read_recent_messages(as_bytes(answer)) == ()


@pytest.mark.parametrize(
    "created_time", [None, "", "yesterday", 1788186600, "2026-13-01T00:00:00+0000"]
)
def test_a_message_of_unknown_time_is_refused_rather_than_overlooked(created_time):
    answer = {"data": [{"messages": {"data": [message("m1", created_time)]}}]}

    with pytest.raises(ValueError, match="no created_time"):
        read_recent_messages(as_bytes(answer))
