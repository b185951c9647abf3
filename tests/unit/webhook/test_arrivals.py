"""The store is given what somebody acts on, and of other voices no more than it needs."""

from __future__ import annotations

import pytest

from ak_instagram.meta.events import Kind
from ak_instagram.meta.keys import edit_keys
from ak_instagram.meta.parse import parse_webhook
from ak_instagram.webhook.arrivals import arrivals_of
from tests.support.webhook_payloads import ACCOUNT, NAMES, PERSON, RECEIVED, body, entry, item, raw

MESSAGE = item(message={"mid": "m1", "text": "hi"})
UNSEND = item(message={"mid": "m1", "is_deleted": True})


def arrivals(payload):
    return arrivals_of(parse_webhook(payload, RECEIVED).events)


def test_a_message_wakes_the_worker_and_is_kept_as_it_was_sent():
    [arrival] = arrivals(raw("text"))

    assert (arrival.account, arrival.contact, arrival.kind) == (ACCOUNT, PERSON, "message")
    assert "Grüße" in arrival.payload
    assert arrival.is_actionable
    assert arrival.echo_text is None


@pytest.mark.parametrize(
    ("name", "text", "is_standby"),
    [
        pytest.param("echo", "Hi, how can I help?", False, id="echo"),
        pytest.param("echo_template", "", False, id="echo-without-text"),
        pytest.param("standby", None, True, id="standby"),
    ],
)
def test_another_voice_wakes_nobody_and_leaves_no_payload(name, text, is_standby):
    [arrival] = arrivals(raw(name))

    assert (arrival.echo_text, arrival.is_standby) == (text, is_standby)
    assert (arrival.is_actionable, arrival.payload) == (False, "")


def test_an_unsend_names_the_message_and_its_edits():
    message, unsend = arrivals(body(entry(MESSAGE, UNSEND)))

    assert unsend.unsends == message.key
    assert unsend.unsends_edits == edit_keys(ACCOUNT, "m1")
    assert (message.unsends, message.unsends_edits) == (None, ())


def test_what_nobody_acts_on_is_not_stored():
    stored = {arrival.kind for name in NAMES for arrival in arrivals(raw(name))}

    assert stored == {
        Kind.MESSAGE,
        Kind.POSTBACK,
        Kind.UNSEND,
        Kind.EDIT,
        Kind.ECHO,
        Kind.STANDBY,
    }
