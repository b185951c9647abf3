"""The store is given what somebody acts on, and of other voices no more than it needs."""

from __future__ import annotations

import pytest

from ak_instagram.meta.events import Kind
from ak_instagram.meta.keys import edit_keys
from ak_instagram.meta.parse import parse_webhook
from tests.support.webhook_payloads import ACCOUNT, NAMES, PERSON, RECEIVED, body, entry, item, raw

MESSAGE = item(message={"mid": "m1", "text": "hi"})
UNSEND = item(message={"mid": "m1", "is_deleted": True})


def stored(payload):
    return [event for event in parse_webhook(payload, RECEIVED).events if event.is_stored]


def test_a_message_wakes_the_worker_and_is_kept_as_it_was_sent():
    [event] = stored(raw("text"))

    assert (event.account, event.contact, event.kind) == (ACCOUNT, PERSON, "message")
    assert "Grüße" in event.payload
    assert event.is_actionable
    assert event.echo_text is None


@pytest.mark.parametrize(
    ("name", "text", "is_standby"),
    [
        pytest.param("echo", "Hi, how can I help?", False, id="echo"),
        pytest.param("echo_unmarked", "Typed in the app", False, id="echo-unmarked"),
        pytest.param("echo_template", "", False, id="echo-without-text"),
        pytest.param("standby", None, True, id="standby"),
    ],
)
def test_another_voice_wakes_nobody_and_leaves_no_payload(name, text, is_standby):
    [event] = stored(raw(name))

    assert (event.echo_text, event.is_standby) == (text, is_standby)
    assert (event.is_actionable, event.payload) == (False, "")


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
    }


def test_what_belongs_to_nobody_is_not_stored():
    nobodys = {"id": ACCOUNT, "standby": [{"message": {"mid": "m1", "text": "hi"}}]}

    assert stored(body(nobodys)) == []
