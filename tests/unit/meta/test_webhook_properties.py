"""Nothing that can be posted breaks the parser or gets something unstorable through it."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ak_instagram.errors import WebhookRejected
from ak_instagram.meta.content import read_content
from ak_instagram.meta.events import ACTIONABLE, Event, Kind, Webhook
from ak_instagram.meta.parse import parse_webhook
from tests.support.webhook_payloads import NAMES, RECEIVED, raw

PAYLOADS = [json.loads(raw(name)) for name in NAMES]
BIGINT = 2**63

characters = st.characters(codec="utf-8") | st.sampled_from(["\ud800", "\udfff", "\0"])
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | st.text(characters, max_size=8)
words = st.sampled_from(
    ["object", "entry", "messaging", "changes", "standby", "field", "value", "message", "mid", "id"]
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(words | st.text(characters, max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


def places(value):
    """Yield every container in *value* with each of its keys."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for name, inner in pairs:
        yield value, name
        if isinstance(inner, dict | list):
            yield from places(inner)


@st.composite
def mutated_payloads(draw):
    """Return a real payload in which some values are lost or replaced by anything."""
    payload = copy.deepcopy(draw(st.sampled_from(PAYLOADS)))
    for _ in range(draw(st.integers(1, 4))):
        spots = list(places(payload))
        if not spots:
            break
        container, name = spots[draw(st.integers(0, len(spots) - 1))]
        if draw(st.booleans()):
            del container[name]
        else:
            container[name] = draw(values)
    return payload


def strings_in(value):
    """Yield every string that *value* holds, however deep in tuples and dataclasses."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for inner in value:
            yield from strings_in(inner)
    elif dataclasses.is_dataclass(value):
        for each in dataclasses.fields(value):
            yield from strings_in(getattr(value, each.name))


def unstorable(webhook: Webhook) -> list[str]:
    """Return the strings in *webhook*, and in what its events say, that a store refuses."""
    contents = tuple(read_content(event.kind, event.payload) for event in webhook.events)
    return [
        text
        for text in strings_in((webhook.events, contents))
        if "\0" in text or text.encode(errors="ignore").decode() != text
    ]


@given(values)
def test_any_json_becomes_events_that_can_be_stored(value):
    webhook = parse_webhook(json.dumps(value).encode(), RECEIVED)

    assert unstorable(webhook) == []


@given(mutated_payloads())
def test_any_damage_to_a_payload_leaves_events_that_can_be_stored(payload):
    webhook = parse_webhook(json.dumps(payload).encode(), RECEIVED)

    assert unstorable(webhook) == []
    assert all(0 < event.at < BIGINT for event in webhook.events)
    assert all(event.payload.encode() for event in webhook.events if event.kind in ACTIONABLE)


@given(mutated_payloads())
def test_a_message_has_both_ends_of_its_conversation(payload):
    webhook = parse_webhook(json.dumps(payload).encode(), RECEIVED)

    assert all(
        event.account and event.contact and event.contact != event.account
        for event in webhook.events
        if event.kind in (Kind.MESSAGE, Kind.POSTBACK)
    )


@given(mutated_payloads())
def test_an_event_parsed_again_from_its_payload_is_the_same(payload):
    for event in parse_webhook(json.dumps(payload).encode(), RECEIVED).events:
        if event.payload:
            item = json.loads(event.payload)
            if event.kind is Kind.COMMENT:
                place, item = "changes", {"field": event.label, "value": item}
            else:
                place = "messaging"
            entry = {"id": event.account, "time": event.at, place: [item]}
            assert events_in({"entry": [entry]}) == (event,)


@given(mutated_payloads())
def test_an_event_delivered_again_alone_is_the_same(payload):
    together = events_in(payload)

    apart = [event for batch in batches_of_one(payload) for event in events_in(batch)]

    assert of_somebody(apart) == of_somebody(together)


def of_somebody(events):
    """Return *events* without those that stand for a whole entry."""
    return [event for event in events if event.contact]


def events_in(value) -> tuple[Event, ...]:
    return parse_webhook(json.dumps(value).encode(), RECEIVED).events


def batches_of_one(value):
    """Yield *value* as so many bodies, each with one item of one entry, in its order."""
    for envelope in as_list(value):
        if not isinstance(envelope, dict) or "entry" not in envelope:
            yield envelope
            continue
        for entry in as_list(envelope["entry"]):
            yield from ({**envelope, "entry": [alone]} for alone in entries_of_one(entry))


def entries_of_one(entry):
    """Yield *entry* as so many entries, each with one item."""
    places = [
        it for it in ("messaging", "standby", "changes") if isinstance(entry, dict) and it in entry
    ]
    if not places:
        yield entry
        return
    around = {name: value for name, value in entry.items() if name not in (*places, "field")}
    for place in places:
        yield from ({**around, place: [item]} for item in as_list(entry[place]))
    if "field" in entry:
        yield {name: value for name, value in entry.items() if name not in places}


def as_list(value):
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


@given(st.binary(max_size=64) | st.text(max_size=64).map(str.encode))
def test_any_bytes_are_taken_or_rejected(body):
    with contextlib.suppress(WebhookRejected):
        assert unstorable(parse_webhook(body, RECEIVED)) == []


def test_a_payload_cut_off_anywhere_is_rejected():
    whole = raw("batch").rstrip()

    for end in range(len(whole)):
        with pytest.raises(WebhookRejected):
            parse_webhook(whole[:end], RECEIVED)
