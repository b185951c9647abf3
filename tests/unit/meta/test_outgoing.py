"""What we send and what Meta shows of it agree on the kind of an attachment."""

from __future__ import annotations

import pytest

from ak_instagram import fast_json
from ak_instagram.meta.outgoing import (
    attachment,
    echoed_kind,
    fallback_of,
    fetch_seconds,
    is_timed_media,
    part_of,
    quoting,
    reaction,
    sent_kind,
)
from ak_instagram.meta.parse import parse_webhook

CARDS = attachment("template", {"template_type": "generic"}, [])


@pytest.mark.parametrize(
    ("message", "kind", "part", "is_timed", "is_fetched"),
    [
        pytest.param(
            {"text": "a", "quick_replies": []},
            None,
            "QuickReplies",
            False,
            False,
            id="quick-replies",
        ),
        pytest.param(attachment("image", {}, []), "image", "Media", False, True, id="image"),
        pytest.param(attachment("audio", {}, []), "file", "Media", True, True, id="audio"),
        pytest.param(attachment("video", {}, []), "file", "Media", True, True, id="video"),
        pytest.param(attachment("file", {}, []), "file", "Media", False, True, id="file"),
        pytest.param(CARDS, "template", "Cards", False, False, id="cards"),
        pytest.param(
            attachment("template", {"template_type": "button"}, []),
            "template",
            "Buttons",
            False,
            False,
            id="buttons",
        ),
        pytest.param(quoting("m1", {"text": "a"}), None, "ReplyTo", False, False, id="reply"),
        pytest.param(
            quoting("m1", attachment("audio", {}, [])), "file", "ReplyTo", True, True, id="media"
        ),
        pytest.param(reaction("m1", "❤", []), None, "Reaction", False, False, id="reaction"),
    ],
)
def test_a_message_tells_what_it_is(message, kind, part, is_timed, is_fetched):
    assert (sent_kind(message), part_of(message)) == (kind, part)
    assert (is_timed_media(message), fetch_seconds(message) > 0) == (is_timed, is_fetched)


@pytest.mark.parametrize(
    ("echo", "kind"),
    [
        pytest.param({"attachments": [{"type": "image", "payload": {}}]}, "image", id="image"),
        pytest.param({"attachments": [{"type": "audio"}]}, "file", id="audio"),
        pytest.param(
            {"attachments": [{"type": "template"}], "text": "a"}, "template", id="template"
        ),
        pytest.param({"attachments": []}, None, id="no-attachment"),
        pytest.param({"attachments": [None]}, None, id="null"),
        pytest.param({"attachments": {"type": "image"}}, None, id="no-list"),
        pytest.param({"text": "a"}, None, id="words"),
    ],
)
def test_an_echo_tells_the_kind_of_its_attachment(echo, kind):
    assert echoed_kind(echo) == kind


def test_only_an_echo_is_looked_into():
    item = {
        "sender": {"id": "178"},
        "recipient": {"id": "751"},
        "timestamp": 1_800_000_000_000,
        "message": {"mid": "m1", "is_echo": True, "attachments": [{"type": "video"}]},
    }
    entry = {"id": "178", "messaging": [item, {**item, "message": {"mid": "m2", "text": "hi"}}]}
    body = fast_json.dump({"object": "instagram", "entry": [entry]})

    events = parse_webhook(body, 1_800_000_000_000).events

    assert [event.echo_attachment for event in events] == ["file", None]


@pytest.mark.parametrize("stored", [None, "text", {"text": "a"}])
def test_what_stands_in_is_a_list_or_nothing(stored):
    assert fallback_of({"fallback": stored}) == ()
