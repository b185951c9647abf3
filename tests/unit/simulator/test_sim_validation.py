"""Whatever a body has is taken or refused in Meta's shape, and nothing falls over."""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from instagram_simulator.graph.account_settings import settings_in
from instagram_simulator.graph.fields import parse_fields, text_of
from instagram_simulator.graph.request import as_object, names_in, nested
from instagram_simulator.graph.responses import GraphRefusal
from instagram_simulator.graph.send import recipient_of
from instagram_simulator.graph.send_validation import content_of

NAMES = st.sampled_from(
    [
        "id",
        "comment_id",
        "text",
        "attachment",
        "attachments",
        "type",
        "payload",
        "url",
        "attachment_id",
        "template_type",
        "elements",
        "buttons",
        "title",
        "subtitle",
        "image_url",
        "default_action",
        "quick_replies",
        "content_type",
        "call_to_actions",
        "question",
    ]
)
WORDS = st.sampled_from(
    ["", "x", "{", "[]", "image", "template", "generic", "button", "web_url", "https://a.de"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)
MEMBERS = st.sampled_from(["message", "recipient", "reply_to", "tag", "messaging_type"])


@given(st.dictionaries(MEMBERS, JSON, max_size=4))
@settings(deadline=None, max_examples=400)
def test_any_body_of_a_send_is_taken_or_refused(body):
    for read in (content_of, recipient_of):
        with suppress(GraphRefusal):
            read(body)


@given(st.dictionaries(st.sampled_from(["ice_breakers", "persistent_menu"]), JSON))
@settings(deadline=None, max_examples=200)
def test_any_profile_is_taken_or_refused(parameters):
    with suppress(GraphRefusal):
        settings_in(parameters)


@given(st.text(alphabet="ab.,(){} 1", max_size=30))
@settings(deadline=None)
def test_fields_that_can_be_read_are_the_same_written_and_read_again(text):
    with suppress(GraphRefusal):
        fields = parse_fields(text)

        assert parse_fields(text_of(fields)) == fields


@given(st.lists(st.tuples(st.text(alphabet="a[]0", max_size=6), st.text(max_size=6))))
@settings(deadline=None)
def test_any_form_is_an_object_that_json_can_hold(pairs):
    with suppress(GraphRefusal):
        assert json.loads(json.dumps(nested(pairs))) == nested(pairs)


@given(st.text(alphabet="{}[](),:'\"ab1 ", max_size=20))
@settings(deadline=None)
def test_any_text_is_an_object_or_itself(text):
    assert json.dumps(as_object(text))
    assert all(isinstance(name, str) for name in names_in(text))
