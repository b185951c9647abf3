"""What is posted is what Meta would post: signed texts of people."""

from __future__ import annotations

from ak_instagram.meta.events import Kind
from ak_instagram.meta.parse import parse_webhook
from ak_instagram.webhook.signature import sign
from qa.benchmarks.http1 import take_message
from qa.benchmarks.webhooks import ACCOUNT, APP_SECRET, BODY_BYTES, Messages


def test_each_request_is_one_signed_message_of_the_promised_size():
    messages = Messages(count=3, conversations=2)

    for index, request in enumerate(messages.requests()):
        taken = take_message(bytearray(request))
        assert taken is not None
        head, body = taken
        (event,) = parse_webhook(body, received=0).events

        assert len(body) == BODY_BYTES
        assert f"X-Hub-Signature-256: {sign(APP_SECRET, body)}".encode() in head
        assert (event.kind, event.account) == (Kind.MESSAGE, ACCOUNT)
        assert (event.contact, event.mid) == (messages.contact(index), messages.mid(index))


def test_mids_are_distinct_and_conversations_come_round():
    messages = Messages(count=5, conversations=2)

    assert len({messages.mid(index) for index in range(5)}) == 5
    assert [messages.contact(index) for index in range(4)] == [
        messages.contact(0),
        messages.contact(1),
    ] * 2


def test_later_messages_are_others_from_other_people():
    early, late = Messages(5, 5), Messages(5, 5, first=5)

    assert not {early.contact(i) for i in range(5)} & {late.contact(i) for i in range(5)}
    assert not {early.mid(i) for i in range(5)} & {late.mid(i) for i in range(5)}
