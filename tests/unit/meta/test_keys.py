"""A repeat has the key of its first delivery, and no two events share one."""

from __future__ import annotations

import random
import string

import pytest

from ak_instagram.meta.events import Kind
from ak_instagram.meta.keys import dedup_key, edit_keys, mid_key
from ak_instagram.meta.parse import parse_webhook
from tests.support.meta_ids import mid_said_at
from tests.support.webhook_payloads import (
    ACCOUNT,
    AT,
    NAMES,
    RECEIVED,
    body,
    entry,
    item,
    only_event,
    raw,
)

MESSAGE = item(message={"mid": "m1", "text": "hi"})
ECHO = item(by_account=True, message={"mid": "m1", "text": "hi", "is_echo": True})
UNSEND = item(message={"mid": "m1", "is_deleted": True})
REACT = {"mid": "m1", "action": "react", "reaction": "love", "emoji": "❤"}
UNREACT = {"mid": "m1", "action": "unreact"}
NAMELESS_TAP = item(postback={"payload": "A"})
REFERRAL = item(referral={"ref": "bio"})
OPTIN = item(optin={"type": "notification_messages"})
HANDOVER = item(pass_thread_control={"new_owner_app_id": "1"})
NOVELTY = item(game_play={"game_id": "1"})


def key(one):
    return only_event(body(entry(one))).key


def edit(num_edit, text="x"):
    return item(message_edit={"mid": "m1", "text": text, "num_edit": num_edit})


def reaction(at=AT, **changed):
    return item(reaction={**REACT, **changed}, timestamp=at)


def read(at=AT):
    return item(read={"mid": "m1"}, timestamp=at)


@pytest.mark.parametrize(
    ("first", "again"),
    [
        pytest.param(MESSAGE, item(message={"text": "hi", "mid": "m1"}), id="members-reordered"),
        pytest.param(MESSAGE, {**MESSAGE, "timestamp": AT + 1}, id="message-at-another-time"),
        pytest.param(ECHO, {**ECHO, "timestamp": AT + 1}, id="echo-at-another-time"),
        pytest.param(UNSEND, {**UNSEND, "timestamp": AT + 1}, id="unsend-at-another-time"),
        pytest.param(edit(1), edit("1"), id="edit-count-as-string"),
        pytest.param(reaction(), reaction(), id="reaction"),
        pytest.param(reaction(AT // 1000), reaction(str(AT // 1000)), id="reaction-time-as-string"),
        pytest.param(read(), read(), id="read"),
        pytest.param(NAMELESS_TAP, {**NAMELESS_TAP, "new": 1}, id="postback-without-mid"),
        pytest.param(REFERRAL, dict(reversed(REFERRAL.items())), id="referral-reordered"),
        pytest.param(NOVELTY, dict(reversed(NOVELTY.items())), id="unknown-reordered"),
    ],
)
def test_a_repeat_has_the_same_key(first, again):
    assert key(first) == key(again)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(MESSAGE, item(message={"mid": "m2", "text": "hi"}), id="messages"),
        pytest.param(MESSAGE, ECHO, id="message-and-echo"),
        pytest.param(MESSAGE, UNSEND, id="message-and-its-unsend"),
        pytest.param(MESSAGE, edit(0), id="message-and-its-edit-companion"),
        pytest.param(MESSAGE, edit(1), id="message-and-its-edit"),
        pytest.param(MESSAGE, read(), id="message-and-read"),
        pytest.param(edit(0), edit(1), id="companion-and-edit"),
        pytest.param(edit(1), edit(2), id="edits"),
        pytest.param(edit("<n>", "one"), edit("<n>", "two"), id="edits-without-count"),
        pytest.param(MESSAGE, reaction(), id="message-and-reaction"),
        pytest.param(reaction(), item(reaction=UNREACT, timestamp=AT + 1), id="react-and-unreact"),
        pytest.param(reaction(), reaction(AT + 2), id="react-and-react-again"),
        pytest.param(reaction(), reaction(emoji="👍"), id="reactions"),
        pytest.param(read(), read(AT + 1), id="reads"),
        pytest.param(
            item(postback={"mid": "p1"}), item(postback={"mid": "p2"}), id="postbacks-by-mid"
        ),
        pytest.param(NAMELESS_TAP, item(postback={"payload": "B"}), id="postbacks-by-payload"),
        pytest.param(NAMELESS_TAP, {**NAMELESS_TAP, "timestamp": AT + 1}, id="postbacks-by-time"),
        pytest.param(
            NAMELESS_TAP, {**NAMELESS_TAP, "sender": {"id": "7"}}, id="postbacks-by-sender"
        ),
        pytest.param(REFERRAL, {**REFERRAL, "timestamp": AT + 1}, id="referrals-by-time"),
        pytest.param(REFERRAL, {**REFERRAL, "sender": {"id": "7"}}, id="referrals-by-sender"),
        pytest.param(OPTIN, {**OPTIN, "timestamp": AT + 1}, id="optins"),
        pytest.param(HANDOVER, {**HANDOVER, "timestamp": AT + 1}, id="handovers"),
        pytest.param(NOVELTY, item(game_play={"game_id": "2"}), id="unknowns"),
        pytest.param(
            item(message={"text": "a"}), item(message={"text": "b"}), id="messages-without-mid"
        ),
    ],
)
def test_different_events_have_different_keys(one, other):
    assert key(one) != key(other)


def comment(field, comment_id, **changed):
    value = {"id": comment_id, "text": "price?", **changed}
    return only_event(body({"id": ACCOUNT, "changes": [{"field": field, "value": value}]})).key


def test_a_comment_is_known_by_its_id_and_field():
    first = comment("comments", "1")

    assert first == comment("comments", "1", text="edited")
    assert len({first, comment("comments", "2"), comment("live_comments", "1")}) == 3


def test_the_same_mid_in_another_account_is_another_event():
    other = {**entry(MESSAGE), "id": "17841400000000002"}

    assert only_event(body(other)).key != key(MESSAGE)


@pytest.mark.parametrize("lone", [MESSAGE, reaction(None), read(None), REFERRAL, NOVELTY])
def test_a_repeat_in_another_batch_at_another_time_has_the_same_key(lone):
    alone = parse_webhook(body(entry(lone)), RECEIVED).events[0]
    batch = body(entry(edit(3), time=AT + 5), entry(edit(4), lone, time=AT + 90_000))

    repeated = parse_webhook(batch, RECEIVED + 90_000).events[-1]

    assert repeated.key == alone.key


def test_all_payloads_have_their_own_keys():
    events = [
        event
        for name in NAMES
        if not name.startswith("test_")
        for event in parse_webhook(raw(name), RECEIVED).events
    ]
    # The same companion, with and without its sender, is one event …
    companions = {event.key for event in events if event.kind is Kind.EDIT_COMPANION}

    assert len(companions) == 1
    # … and the batch repeats one "seen" with another time.
    assert len({event.key for event in events}) == len(events) - 1


def test_the_key_tells_nothing_and_is_short():
    text = "".join(random.Random(1).choices(string.printable, k=10_000))

    found = key(item(postback={"title": text, "payload": text}))

    assert len(found) == 32
    assert set(found) <= set("0123456789abcdef")


def test_parts_of_a_key_do_not_run_into_each_other():
    assert dedup_key(Kind.MESSAGE, "1", "23") != dedup_key(Kind.MESSAGE, "12", "3")


def test_the_key_of_a_message_can_be_told_from_its_ids():
    assert key(MESSAGE) == mid_key(Kind.MESSAGE, ACCOUNT, "m1")


def test_the_key_stays_the_same_across_versions():
    # Stored keys outlive a release: another value here lets repeats in after an update.
    assert only_event(raw("text")).key == "d5be884a224bbd55760eb98649aa5765"


def test_the_key_of_what_metas_ids_name_stays_the_same_across_versions():
    found = key(item(message={"mid": mid_said_at(AT), "text": "hi"}))

    assert found == "01990088c4b959f09b078f13d2458a04"


def test_keys_from_metas_ids_sort_by_the_time_at_which_it_was_said():
    minutes = [AT + minute * 60_000 for minute in range(60)]

    keys = [key(item(message={"mid": mid_said_at(at), "text": "hi"})) for at in minutes]

    assert keys == sorted(keys)
    assert {len(it) for it in keys} == {32}


def test_all_that_is_about_one_of_metas_ids_has_a_key_of_its_own():
    mid = mid_said_at(AT)
    items = [
        item(message={"mid": mid, "text": "hi"}),
        item(message={"mid": mid, "is_deleted": True}),
        item(by_account=True, message={"mid": mid, "text": "hi", "is_echo": True}),
        item(message_edit={"mid": mid, "text": "x", "num_edit": 1}),
        item(message_edit={"mid": mid, "text": "x", "num_edit": 2}),
        item(reaction={**REACT, "mid": mid}),
        item(read={"mid": mid}),
    ]

    assert len({key(one) for one in items}) == len(items)


def test_a_repeat_at_another_time_has_the_key_of_metas_id():
    message = item(message={"mid": mid_said_at(AT), "text": "hi"})

    assert key(message) == key({**message, "timestamp": AT + 3_600_000})


@pytest.mark.parametrize("count", [1, "2", 5])
def test_the_keys_of_a_messages_edits_are_known_beforehand(count):
    assert key(edit(count)) in edit_keys(ACCOUNT, "m1")


def test_the_keys_of_other_messages_edits_are_others():
    assert set(edit_keys(ACCOUNT, "m1")).isdisjoint(edit_keys(ACCOUNT, "m2"))
