"""Any JSON is taken; what makes no sense in it is counted and costs none of its neighbours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ak_instagram.errors import WebhookRejected
from ak_instagram.meta.content import Message, read_content
from ak_instagram.meta.events import Kind
from ak_instagram.meta.parse import parse_webhook
from tests.support.webhook_payloads import (
    ACCOUNT,
    AT,
    PERSON,
    RECEIVED,
    body,
    entry,
    item,
    only_event,
)

TEXT = {"mid": "m1", "text": "hi"}


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"   ", id="blank"),
        pytest.param(b"hub.mode=subscribe", id="a-form"),
        pytest.param(b"<html>", id="html"),
        pytest.param(b'{"object":', id="cut-off"),
        pytest.param(b'{"a":1}{"b":2}', id="two-documents"),
        pytest.param(b'"\xff\xfe"', id="invalid-utf-8"),
        pytest.param(b'"\xed\xa0\x80"', id="surrogate-in-raw-utf-8"),
        pytest.param('{"object":1}'.encode("utf-16"), id="utf-16"),
        pytest.param(b"9" * 5000, id="huge-integer"),
        pytest.param(b"[" * 20_000, id="nested-and-unclosed"),
        pytest.param(b"[" * 1_000_000 + b"]" * 1_000_000, id="nested-lists"),
        pytest.param(b'{"a":' * 1_000_000 + b"1" + b"}" * 1_000_000, id="nested-objects"),
    ],
)
def test_what_is_not_json_is_rejected_without_repeating_it(payload):
    with pytest.raises(WebhookRejected) as rejected:
        parse_webhook(payload, RECEIVED)

    assert rejected.value.status == 400
    assert rejected.value.__cause__ is None
    assert str(rejected.value).startswith("the body is ")


@pytest.mark.parametrize(
    ("value", "events", "unreadable"),
    [
        pytest.param(None, 0, 0, id="null"),
        pytest.param([], 0, 0, id="no-bodies"),
        pytest.param(5, 0, 1, id="number"),
        pytest.param("text", 0, 1, id="string"),
        pytest.param(True, 0, 1, id="bool"),
        pytest.param(float("nan"), 0, 1, id="nan"),
        pytest.param([None, 1, [], {}], 1, 3, id="list-of-anything"),
        pytest.param({}, 1, 0, id="empty-object"),
        pytest.param({"object": "instagram"}, 1, 0, id="no-entry"),
        pytest.param({"object": "instagram", "entry": None}, 0, 0, id="entry-null"),
        pytest.param({"object": "instagram", "entry": []}, 0, 0, id="entry-empty"),
        pytest.param({"object": "instagram", "entry": 7}, 0, 1, id="entry-a-number"),
        pytest.param({"entry": [None, "x", 1, [1]]}, 0, 4, id="entries-of-the-wrong-type"),
        pytest.param({"entry": [{}]}, 1, 0, id="entry-without-anything"),
        pytest.param({"entry": [{"messaging": None, "changes": None}]}, 0, 0, id="places-null"),
        pytest.param({"entry": [{"messaging": 3, "standby": "s"}]}, 0, 2, id="places-no-lists"),
        pytest.param({"entry": [{"messaging": [None, 1, "x", []]}]}, 0, 4, id="items-no-objects"),
        pytest.param({"entry": [{"messaging": [{}]}]}, 1, 0, id="empty-item"),
        pytest.param({"entry": [{"changes": [None, {}, {"field": None}]}]}, 2, 1, id="changes"),
        pytest.param({"field": "messages", "value": None}, 0, 1, id="messages-without-value"),
        pytest.param({"field": "comments", "value": 3}, 0, 1, id="comment-no-object"),
        pytest.param({"field": ["x"], "value": 3}, 1, 0, id="field-no-string"),
        pytest.param({"object": {"a": 1}, "entry": [{"id": 1}]}, 1, 0, id="object-no-string"),
    ],
)
def test_any_json_is_taken(value, events, unreadable):
    webhook = parse_webhook(json.dumps(value).encode(), RECEIVED)

    assert (len(webhook.events), webhook.unreadable) == (events, unreadable)


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(item(message=TEXT, sender=None), id="no-sender"),
        pytest.param(item(message=TEXT, sender={"id": None}), id="sender-id-null"),
        pytest.param(item(message=TEXT, sender={"id": ""}), id="sender-id-empty"),
        pytest.param(item(message=TEXT, sender=PERSON), id="sender-no-object"),
        pytest.param(item(message=TEXT, sender={"id": 7.5139e14}), id="sender-id-float"),
        pytest.param(item(message=TEXT, sender={"id": True}), id="sender-id-bool"),
        pytest.param(item(message=TEXT, sender={"id": "7" * 600}), id="sender-id-endless"),
        pytest.param(item(message="hi"), id="message-a-string"),
        pytest.param(item(message=[TEXT]), id="message-a-list"),
        pytest.param(item(message={"is_deleted": True}), id="unsend-of-nothing"),
        pytest.param(item(message_edit={"text": "x", "num_edit": 1}), id="edit-of-nothing"),
        pytest.param(item(postback={"payload": "A"}, sender=None), id="postback-from-nobody"),
        pytest.param(
            item(message={**TEXT, "is_echo": True}, by_account=True, recipient=None),
            id="echo-to-nobody",
        ),
    ],
)
def test_one_unreadable_event_costs_no_neighbour(broken):
    good = item(message=TEXT)

    webhook = parse_webhook(body(entry(good, broken, good)), RECEIVED)

    assert [event.kind for event in webhook.events] == [Kind.MESSAGE, Kind.MESSAGE]
    assert webhook.unreadable == 1


def test_an_event_nested_too_deeply_to_be_kept_costs_no_neighbour():
    good = json.dumps(item(message=TEXT))

    def parse(depth):
        deep = '{"sender":' * depth + "1" + "}" * depth
        return parse_webhook(f'{{"entry":{{"messaging":[{deep},{good}]}}}}'.encode(), RECEIVED)

    # Wherever the interpreter's limit lies: reading, and then writing, must not raise.
    for depth in range(100, 1000, 5):
        try:
            webhook = parse(depth)
        except WebhookRejected:
            break
        assert webhook.events[-1].kind is Kind.MESSAGE
        assert len(webhook.events) + webhook.unreadable == 2


def test_content_nested_too_deeply_is_read_as_nothing():
    payload = '{"message":' * 1_000_000 + "1" + "}" * 1_000_000

    assert repr(read_content(Kind.MESSAGE, payload)) == "Other()"


@pytest.mark.parametrize(
    ("own", "of_entry", "at"),
    [
        pytest.param(AT, 1, AT, id="milliseconds"),
        pytest.param(1756650587, 1, 1756650587000, id="seconds"),
        pytest.param(str(AT), 1, AT, id="milliseconds-as-string"),
        pytest.param("1756650587", 1, 1756650587000, id="seconds-as-string"),
        pytest.param(float(AT), 1, AT, id="float"),
        pytest.param(None, AT + 440, AT + 440, id="missing-so-the-entry's"),
        pytest.param("soon", AT + 440, AT + 440, id="no-number-so-the-entry's"),
        pytest.param(True, AT + 440, AT + 440, id="bool-so-the-entry's"),
        pytest.param(-5, AT + 440, AT + 440, id="negative-so-the-entry's"),
        pytest.param(10**40, AT + 440, AT + 440, id="beyond-a-bigint-so-the-entry's"),
        pytest.param("9" * 5000, AT + 440, AT + 440, id="endless-so-the-entry's"),
        pytest.param(float("inf"), AT + 440, AT + 440, id="infinite-so-the-entry's"),
        pytest.param(None, 1756650587, 1756650587000, id="the-entry's-in-seconds"),
        pytest.param(None, None, RECEIVED, id="neither-so-the-time-of-receipt"),
        pytest.param([], {}, RECEIVED, id="nonsense-so-the-time-of-receipt"),
    ],
)
def test_time_is_utc_milliseconds_from_the_best_source(own, of_entry, at):
    event = only_event(body(entry(item(message=TEXT, timestamp=own), time=of_entry)))

    assert event.at == at


def test_ids_that_came_as_integers_are_strings():
    message = {"mid": 12, "text": 5}
    numbers = item(sender={"id": int(PERSON)}, recipient={"id": int(ACCOUNT)}, message=message)

    event = only_event(body({**entry(numbers), "id": int(ACCOUNT)}))

    assert (event.account, event.contact, event.mid) == (ACCOUNT, PERSON, "12")
    content = read_content(event.kind, event.payload)
    assert isinstance(content, Message)
    assert content.text == "5"


@pytest.mark.parametrize(
    ("spelled", "meant"),
    [
        pytest.param(r"7\ud800", "7\ufffd", id="lone-high-surrogate"),
        pytest.param(r"\udc007", "\ufffd7", id="lone-low-surrogate"),
        pytest.param(r"7\u0000", "7\ufffd", id="nul"),
        pytest.param(r"\ud83d\udc4b", "\N{WAVING HAND SIGN}", id="a-true-pair"),
    ],
)
def test_ids_and_text_can_always_be_encoded(spelled, meant):
    one = item(sender={"id": "WEIRD"}, message={"mid": "WEIRD", "text": "WEIRD"})
    payload = body(entry(one)).replace(b"WEIRD", spelled.encode())

    event = only_event(payload)

    assert (event.contact, event.mid) == (meant, meant)
    content = read_content(event.kind, event.payload)
    assert isinstance(content, Message)
    assert content.text == meant
    assert event.payload.encode()
    assert "\0" not in event.payload


@pytest.mark.parametrize(
    ("message", "account"),
    [
        pytest.param(item(message=TEXT), ACCOUNT, id="inbound"),
        pytest.param(item(message={**TEXT, "is_echo": True}, by_account=True), ACCOUNT, id="echo"),
    ],
)
@pytest.mark.parametrize("entry_id", [None, 1.7e16, True, ""])
def test_an_entry_without_a_usable_id_belongs_to_the_account_of_its_item(
    message, account, entry_id
):
    event = only_event(body({**entry(message), "id": entry_id}))

    assert (event.account, event.contact) == (account, PERSON)


def test_a_message_without_mid_is_still_a_message():
    event = only_event(body(entry(item(message={"text": "hi"}))))

    assert (event.kind, event.mid) == (Kind.MESSAGE, None)


@pytest.mark.parametrize(
    ("edit", "kind"),
    [
        pytest.param({"mid": "m", "num_edit": 0}, Kind.EDIT_COMPANION, id="zero"),
        pytest.param({"mid": "m", "num_edit": "0"}, Kind.EDIT_COMPANION, id="zero-as-string"),
        pytest.param({"mid": "m"}, Kind.EDIT_COMPANION, id="neither-count-nor-text"),
        pytest.param({"num_edit": 0}, Kind.EDIT_COMPANION, id="zero-of-nothing"),
        pytest.param({"mid": "m", "num_edit": 2}, Kind.EDIT, id="two"),
        pytest.param({"mid": "m", "num_edit": "2"}, Kind.EDIT, id="two-as-string"),
        pytest.param({"mid": "m", "text": "x", "num_edit": "<n>"}, Kind.EDIT, id="placeholder"),
        pytest.param({"mid": "m", "text": "x"}, Kind.EDIT, id="text-only"),
    ],
)
def test_only_a_counted_or_worded_edit_is_one(edit, kind):
    assert only_event(body(entry(item(message_edit=edit)))).kind is kind


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        pytest.param({"is_deleted": True, "is_echo": True}, Kind.UNSEND, id="unsent-echo"),
        pytest.param({"is_self": True}, Kind.SELF, id="self-without-echo"),
        pytest.param({"is_echo": "true"}, Kind.ECHO, id="flag-as-string"),
        pytest.param({"is_echo": False, "is_deleted": None}, Kind.MESSAGE, id="flags-unset"),
        pytest.param({"is_echo": "no", "is_self": []}, Kind.MESSAGE, id="flags-of-nonsense"),
    ],
)
def test_flags_decide_the_kind(changed, kind):
    assert only_event(body(entry(item(message=TEXT | changed)))).kind is kind


def test_a_postback_by_the_account_itself_is_self():
    event = only_event(body(entry(item(by_account=True, postback={"mid": "m", "payload": "A"}))))

    assert event.kind is Kind.SELF


def test_standby_is_standby_whatever_it_copies():
    copies = [
        item(message=TEXT),
        item(message={**TEXT, "is_echo": True}, by_account=True),
        item(postback={"title": "A"}),
        item(message={"mid": "random_mid"}, sender={"id": "12334"}),
        {},
    ]

    webhook = parse_webhook(body({"id": ACCOUNT, "time": AT, "standby": copies}), RECEIVED)

    assert [event.kind for event in webhook.events] == [Kind.STANDBY] * len(copies)


def test_a_messaging_field_under_changes_is_the_real_thing_too():
    change = {"field": "messages", "value": item(message=TEXT)}

    event = only_event(body({"id": ACCOUNT, "time": AT, "changes": [change]}))

    assert (event.kind, event.contact, event.mid) == (Kind.MESSAGE, PERSON, "m1")


def test_labels_are_bounded_whatever_comes():
    changes = [{"field": f"field{n}", "value": n} for n in range(50)]
    members: list[dict[str, Any]] = [{f"member{n}": {}} for n in range(50)]
    items = [item(**each) for each in members]

    webhook = parse_webhook(body({**entry(*items), "changes": changes}), RECEIVED)

    assert {event.label for event in webhook.events} == {"other"}
    assert len({event.key for event in webhook.events}) == 100
