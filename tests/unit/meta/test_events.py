"""The store is given what somebody acts on, and of other voices no more than it needs."""

from __future__ import annotations

import pytest

from ak_instagram.meta.events import ACTIONABLE, STORED, Kind
from ak_instagram.meta.keys import edit_keys
from ak_instagram.meta.parse import parse_webhook
from tests.support.webhook_payloads import ACCOUNT, NAMES, PERSON, RECEIVED, body, entry, item, raw

MESSAGE = item(message={"mid": "m1", "text": "hi"})
UNSEND = item(message={"mid": "m1", "is_deleted": True})


def stored(payload):
    return [
        it for it in parse_webhook(payload, RECEIVED).events if it.kind in STORED and it.contact
    ]


def test_a_message_wakes_the_worker_and_is_kept_as_it_was_sent():
    [event] = stored(raw("text"))

    assert (event.account, event.contact, event.kind) == (ACCOUNT, PERSON, "message")
    assert "Grüße" in event.payload
    assert event.kind in ACTIONABLE
    assert event.echo_text is None


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        pytest.param("echo", "Hi, how can I help?", Kind.ECHO, id="echo"),
        pytest.param("echo_unmarked", "Typed in the app", Kind.ECHO, id="echo-unmarked"),
        pytest.param("echo_template", "", Kind.ECHO, id="echo-without-text"),
        pytest.param("standby", None, Kind.STANDBY, id="standby"),
    ],
)
def test_another_voice_wakes_nobody_and_leaves_no_payload(name, text, kind):
    [event] = stored(raw(name))

    assert (event.echo_text, event.kind) == (text, kind)
    assert event.kind not in ACTIONABLE
    assert event.payload == ""


def test_an_unsend_names_the_message_and_its_edits():
    message, unsend = stored(body(entry(MESSAGE, UNSEND)))

    assert unsend.unsends == message.key
    assert unsend.unsends_edits == edit_keys(ACCOUNT, "m1")
    assert (message.unsends, message.unsends_edits) == (None, ())


def test_what_nobody_acts_on_is_not_stored():
    kinds = {event.kind for name in NAMES for event in stored(raw(name))}

    assert kinds == {
        Kind.MESSAGE,
        Kind.POSTBACK,
        Kind.UNSEND,
        Kind.EDIT,
        Kind.REFERRAL,
        Kind.ECHO,
        Kind.STANDBY,
    }


def test_of_what_nobody_acts_on_no_json_is_kept():
    events = [event for name in NAMES for event in parse_webhook(raw(name), RECEIVED).events]

    assert {event.kind for event in events if event.payload} == {
        Kind.MESSAGE,
        Kind.POSTBACK,
        Kind.UNSEND,
        Kind.EDIT,
        Kind.REFERRAL,
        Kind.COMMENT,
    }


def test_what_belongs_to_nobody_is_not_stored():
    nobodys = {"id": ACCOUNT, "standby": [{"message": {"mid": "m1", "text": "hi"}}]}

    assert stored(body(nobodys)) == []


@pytest.mark.parametrize(
    ("members", "from_ad"),
    [
        pytest.param({"message": {"mid": "m1", "text": "hi"}}, False, id="no-referral"),
        pytest.param(
            {"message": {"mid": "m1", "referral": {"source": "ADS"}}}, True, id="in-the-message"
        ),
        pytest.param(
            {"message": {"mid": "m1"}, "referral": {"source": "ads"}}, True, id="beside-it"
        ),
        pytest.param(
            {"postback": {"mid": "m1", "title": "A", "referral": {"source": "ADS"}}}, True, id="tap"
        ),
        pytest.param({"referral": {"source": "ADS", "ref": "x"}}, True, id="alone"),
        pytest.param({"referral": {"source": "IGME", "ref": "x"}}, False, id="a-link"),
        pytest.param({"message": {"mid": "m1", "referral": "ADS"}}, False, id="malformed"),
        pytest.param({"message": {"mid": "m1", "referral": {"source": 7}}}, False, id="a-number"),
        pytest.param(
            {"message": {"mid": "m1", "is_echo": True, "referral": {"source": "ADS"}}},
            False,
            id="echo",
        ),
    ],
)
def test_who_came_by_an_ad_is_told_by_the_referrals_source(members, from_ad):
    [event] = parse_webhook(body(entry(item(**members))), RECEIVED).events

    assert event.from_ad is from_ad
