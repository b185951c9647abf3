"""Ice breakers and menu are declared as people write them, and refused by Meta's limits here."""

from __future__ import annotations

import json

import pytest

from ak_instagram.settings.messenger_profile import read_ice_breakers, read_menu

HOURS = {"question": "When are you open?"}
SHOP = {"title": "Our shop", "url": "https://shop.example"}


def test_questions_have_meta_s_form_and_are_their_own_payloads():
    raw = [
        {"questions": [HOURS, {"question": "Where are you?", "payload": "WHERE"}]},
        {"locale": "de_DE", "questions": [{"question": " Wann ist offen? "}]},
    ]

    assert (
        read_ice_breakers(raw)
        == read_ice_breakers(json.dumps(raw))
        == (
            {
                "locale": "default",
                "call_to_actions": [
                    {"question": "When are you open?", "payload": "When are you open?"},
                    {"question": "Where are you?", "payload": "WHERE"},
                ],
            },
            {
                "locale": "de_DE",
                "call_to_actions": [{"question": "Wann ist offen?", "payload": "Wann ist offen?"}],
            },
        )
    )


def test_entries_open_an_address_or_send_a_payload():
    [menu] = read_menu([{"entries": [SHOP, {"title": "A person", "payload": "HUMAN"}]}])

    assert menu["call_to_actions"] == [
        {"type": "web_url", "title": "Our shop", "url": "https://shop.example"},
        {"type": "postback", "title": "A person", "payload": "HUMAN"},
    ]


@pytest.mark.parametrize(
    ("read", "raw", "problem"),
    [
        pytest.param(read_menu, "hello", "a list of objects", id="a-text"),
        pytest.param(read_menu, [{"entries": []}], "1 to 20 entries", id="none"),
        pytest.param(read_menu, [{"entries": [SHOP] * 21}], "1 to 20 entries", id="too-many"),
        pytest.param(read_ice_breakers, [{"questions": [HOURS] * 5}], "1 to 4", id="5-questions"),
        pytest.param(read_ice_breakers, [{"questions": ["Open?"]}], "objects", id="bare-texts"),
        pytest.param(
            read_ice_breakers, [{"questions": [{"question": "x" * 81}]}], "at most 80", id="long"
        ),
        pytest.param(read_menu, [{"entries": [{"title": "x" * 31}]}], "at most 30", id="title"),
        pytest.param(
            read_menu,
            [{"entries": [{"title": "A", "payload": "x" * 1001}]}],
            "at most 1000",
            id="payload",
        ),
        pytest.param(
            read_ice_breakers, [{"questions": [{"question": 5}]}], "text for question", id="number"
        ),
        pytest.param(
            read_menu, [{"entries": [{**SHOP, "payload": "P"}]}], "not both", id="url-and-payload"
        ),
        pytest.param(
            read_menu,
            [{"entries": [{"title": "A", "url": "http://shop.example"}]}],
            "https://",
            id="no-tls",
        ),
        pytest.param(
            read_menu, [{"entries": [{**SHOP, "urll": "x"}]}], "there is urll", id="mistyped"
        ),
        pytest.param(
            read_menu, [{"locale": "de_DE", "entries": [SHOP]}], "locale default", id="no-default"
        ),
        pytest.param(
            read_menu, [{"locale": "german", "entries": [SHOP]}], "such as default", id="locale"
        ),
        pytest.param(read_menu, [{"entries": [SHOP]}] * 2, "twice", id="twice"),
    ],
)
def test_what_meta_would_refuse_is_refused_with_the_reason(read, raw, problem):
    with pytest.raises(ValueError, match=problem):
        read(raw)
