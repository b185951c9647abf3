"""Each payload that Meta documents or was seen to send becomes the event that it is."""

from __future__ import annotations

import pytest

from ak_instagram.meta.content import read_content
from ak_instagram.meta.events import Kind
from ak_instagram.meta.parse import parse_webhook
from tests.support.webhook_payloads import ACCOUNT, AT, NAMES, PERSON, RECEIVED, only_event, raw

ENTRY_TIME = 1756650587000  # of the entries whose `time` is in seconds


def mid(number: int) -> str:
    return f"aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlEOjE3ODQx{number:02d}ZDZD"


MESSAGES = [
    ("text", 1),
    ("image_and_video", 2),
    ("audio", 3),
    ("file", 4),
    ("share", 5),
    ("share_and_ig_post", 6),
    ("ig_reel", 7),
    ("story_mention", 8),
    ("ephemeral", 9),
    ("unsupported", 10),
    ("quick_reply", 11),
    ("inline_reply", 12),
    ("story_reply", 13),
    ("ad_referral", 14),
    ("shop_referral", 15),
    ("wrapped_in_list", 33),
]

# name, kind, contact, mid, when, label
MESSAGING = [
    *((name, Kind.MESSAGE, PERSON, mid(number), AT, "message") for name, number in MESSAGES),
    ("echo", Kind.ECHO, PERSON, mid(16), AT, "message"),
    ("echo_unmarked", Kind.ECHO, PERSON, mid(17), AT, "message"),
    ("echo_template", Kind.ECHO, PERSON, mid(18), AT, "message"),
    ("self_message", Kind.SELF, "751390000000009", mid(19), AT, "message"),
    ("self_postback", Kind.SELF, PERSON, mid(20), AT, "postback"),
    ("unsend", Kind.UNSEND, PERSON, mid(1), AT + 9000, "message"),
    ("edit", Kind.EDIT, PERSON, mid(1), AT + 8000, "message_edit"),
    ("edit_companion", Kind.EDIT_COMPANION, "", mid(1), AT, "message_edit"),
    ("edit_companion_with_sender", Kind.EDIT_COMPANION, PERSON, mid(1), AT, "message_edit"),
    ("react", Kind.REACTION, PERSON, mid(16), AT + 7000, "reaction"),
    ("unreact", Kind.REACTION, PERSON, mid(16), AT + 7500, "reaction"),
    ("postback", Kind.POSTBACK, PERSON, mid(21), AT, "postback"),
    ("referral", Kind.REFERRAL, PERSON, None, AT, "referral"),
    ("read", Kind.READ, PERSON, mid(16), AT + 6000, "read"),
    ("optin", Kind.OPTIN, PERSON, None, AT, "optin"),
    ("standby", Kind.STANDBY, PERSON, mid(22), AT, "message"),
    ("pass_thread_control", Kind.HANDOVER, PERSON, None, AT, "pass_thread_control"),
    ("take_thread_control", Kind.HANDOVER, PERSON, None, AT, "take_thread_control"),
    ("request_thread_control", Kind.HANDOVER, PERSON, None, AT, "request_thread_control"),
    ("unknown_member", Kind.UNKNOWN, PERSON, None, AT, "other"),
]
CHANGES = [
    ("comment_flat", Kind.COMMENT, PERSON, None, ENTRY_TIME, "comments"),
    ("comment", Kind.COMMENT, PERSON, None, ENTRY_TIME, "comments"),
    ("comment_id_named", Kind.COMMENT, "", None, ENTRY_TIME, "comments"),
    ("live_comment", Kind.COMMENT, PERSON, None, ENTRY_TIME, "live_comments"),
    ("mention", Kind.UNKNOWN, "", None, 1520622968000, "mentions"),
    ("story_insights", Kind.UNKNOWN, "", None, 1520622968000, "story_insights"),
    ("changed_fields", Kind.UNKNOWN, "", None, ENTRY_TIME, "changed_fields"),
]
TESTS = [
    ("test_change", "12334", "random_mid", 1527459824000, "message"),
    ("test_messaging", "12334", "random_mid", 1527459824000, "message"),
    ("test_bare", "12334", "random_mid", 1527459824000, "message"),
    ("test_postback", "12334", "random_mid", 1527459824000, "postback"),
    ("test_comment", "232323232", None, 1661141837000, "comments"),
]


@pytest.mark.parametrize(
    ("name", "kind", "contact", "mid", "at", "label"),
    [pytest.param(*row, id=row[0]) for row in MESSAGING + CHANGES],
)
def test_a_payload_is_one_event_of_its_kind(name, kind, contact, mid, at, label):
    event = only_event(raw(name))

    assert (event.kind, event.contact, event.mid) == (kind, contact, mid)
    assert (event.account, event.at, event.label) == (ACCOUNT, at, label)


@pytest.mark.parametrize(
    ("name", "contact", "mid", "at", "label"), [pytest.param(*row, id=row[0]) for row in TESTS]
)
def test_what_the_dashboard_sends_is_a_test(name, contact, mid, at, label):
    event = only_event(raw(name))

    assert event.kind is Kind.TEST
    assert (event.contact, event.mid, event.at, event.label) == (contact, mid, at, label)


def test_an_object_that_is_not_instagram_is_unknown():
    event = only_event(raw("unknown_object"))

    assert (event.kind, event.account) == (Kind.UNKNOWN, "1029384756")
    assert (event.label, event.at) == ("other", RECEIVED)


def test_a_batch_keeps_its_order_and_its_accounts():
    webhook = parse_webhook(raw("batch"), RECEIVED)

    seen = [(event.kind, event.account[-1], event.contact[-1]) for event in webhook.events]
    assert seen == [
        (Kind.MESSAGE, "1", "1"),
        (Kind.READ, "1", "1"),
        (Kind.MESSAGE, "1", "1"),
        (Kind.MESSAGE, "2", "2"),
    ]
    assert webhook.unreadable == 0


def test_every_payload_is_in_a_table():
    tabled = {row[0] for row in MESSAGING + CHANGES + TESTS} | {"unknown_object", "batch"}

    assert tabled == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_a_person_wrote_shows_in_a_repr(name):
    events = parse_webhook(raw(name), RECEIVED).events

    shown = repr(events) + repr([read_content(event.kind, event.payload) for event in events])
    for private in ("Grüße", "corrected", "price?", "and this?", "how can I help", "signature="):
        assert private not in shown
