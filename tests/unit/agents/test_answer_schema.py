"""The answer schema is strict about types, and says where one is wrong without quoting it."""

from __future__ import annotations

import pytest

from ak_instagram.agents.agent import (
    Button,
    Buttons,
    Card,
    Cards,
    Handoff,
    Media,
    MessageEnd,
    Option,
    QuickReplies,
    Reaction,
    ReplyTo,
    Silence,
    Text,
)
from ak_instagram.agents.answer_schema import NotInSchema, read_answer, read_message


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        pytest.param("Hello", [Text("Hello")], id="bare-text"),
        pytest.param(None, [], id="null"),
        pytest.param({"text": ""}, [], id="empty-text"),
        pytest.param({"text": "a", "mood": 1}, [Text("a")], id="unknown-name"),
        pytest.param({"text": "a", "image": None, "buttons": None}, [Text("a")], id="null-is-none"),
        pytest.param(
            {
                "text": "Which?",
                "quick_replies": [{"title": "Red", "payload": "R"}, {"title": "Blue"}],
            },
            [Text("Which?"), QuickReplies((Option("Red", "R"), Option("Blue", "Blue")))],
            id="quick-replies",
        ),
        pytest.param(
            {"image": "https://a/b.png", "quick_replies": [{"title": "More"}]},
            [Media("image", "https://a/b.png"), QuickReplies((Option("More", "More"),))],
            id="quick-replies-under-a-picture",
        ),
        pytest.param(
            {
                "text": "Shop",
                "buttons": [
                    {"title": "Open", "url": "https://s"},
                    {"title": "Call", "payload": "C"},
                    {"title": "Menu"},
                ],
            },
            [
                Buttons(
                    "Shop",
                    (
                        Button("Open", "https://s"),
                        Button("Call", None, "C"),
                        Button("Menu", None, "Menu"),
                    ),
                )
            ],
            id="buttons",
        ),
        pytest.param(
            {
                "cards": [
                    {
                        "title": "Bread",
                        "subtitle": "3 €",
                        "image_url": "https://i",
                        "url": "https://u",
                        "buttons": [{"title": "Buy", "payload": "B"}],
                    },
                    {"title": "Rolls"},
                ]
            },
            [
                Cards(
                    (
                        Card("Bread", "3 €", "https://i", "https://u", (Button("Buy", None, "B"),)),
                        Card("Rolls"),
                    )
                )
            ],
            id="cards",
        ),
        pytest.param({"audio": "https://a"}, [Media("audio", "https://a")], id="audio"),
        pytest.param({"video": "https://a"}, [Media("video", "https://a")], id="video"),
        pytest.param({"file": "https://a"}, [Media("file", "https://a")], id="file"),
        pytest.param({"reaction": "❤"}, [Reaction("❤")], id="reaction"),
        pytest.param({"reaction": "❤", "mid": "m"}, [Reaction("❤", "m")], id="reaction-to"),
        pytest.param({"text": "Yes", "reply_to": "m"}, [ReplyTo("m"), Text("Yes")], id="reply-to"),
        pytest.param({"text": "Yes", "reply_to": True}, [ReplyTo(), Text("Yes")], id="reply"),
        pytest.param({"text": "", "reply_to": "m"}, [], id="reply-without-words"),
        pytest.param(
            {"text": "Look", "image": "https://a"},
            [Text("Look"), MessageEnd(), Media("image", "https://a")],
            id="text-and-picture-are-two",
        ),
    ],
)
def test_a_message_becomes_its_parts(message, parts):
    assert read_message(message) == parts


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        pytest.param(7, "it is a number, neither text nor a message", id="number"),
        pytest.param({"text": "a", "reply_to": 7}, "reply_to is a number, not text", id="reply-to"),
        pytest.param([], "it is a list, neither text nor a message", id="list"),
        pytest.param({"txt": "a"}, "it has none of audio, cards, file", id="no-content"),
        pytest.param({"text": 7}, "text is a number, not text", id="text"),
        pytest.param({"text": True}, "text is true or false, not text", id="flag"),
        pytest.param({"cards": {}}, "cards is an object, not a list", id="cards"),
        pytest.param({"cards": ["a"]}, "cards[0] is text, not an object", id="card"),
        pytest.param({"cards": [{}]}, "cards[0].title is missing", id="title"),
        pytest.param({"image": "data:image/png;base64,AA"}, "image is no https:// URL", id="url"),
        pytest.param(
            {"text": "a", "buttons": [{"title": "b"}, {"title": 1}]},
            "buttons[1].title is a number, not text",
            id="nested",
        ),
        pytest.param(
            {"text": "a", "quick_replies": [None]}, "quick_replies[0] is null", id="null-item"
        ),
        pytest.param({"buttons": [{"title": "b"}], "text": ""}, "buttons has no text", id="alone"),
        pytest.param(
            {"text": "", "quick_replies": [{"title": "a"}]},
            "quick_replies stands under neither",
            id="quick-replies-alone",
        ),
    ],
)
def test_another_type_is_named_by_its_place(message, reason):
    with pytest.raises(NotInSchema) as caught:
        read_message(message)

    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize(
    ("document", "parts"),
    [
        pytest.param(
            {"messages": ["a", {"text": "b"}, None, ""]},
            [Text("a"), MessageEnd(), Text("b")],
            id="messages",
        ),
        pytest.param({"messages": []}, [], id="none"),
        pytest.param({"messages": ["a"], "silence": True}, [Silence()], id="silence"),
        pytest.param(
            {"messages": ["a"], "handoff": "refund"}, [Text("a"), Handoff("refund")], id="handoff"
        ),
        pytest.param({"handoff": True}, [Handoff()], id="handoff-without-reason"),
        pytest.param(
            {"messages": ["a"], "handoff": False, "silence": None}, [Text("a")], id="neither"
        ),
    ],
)
def test_an_answer_is_its_messages_and_wishes(document, parts):
    assert read_answer(document) == parts


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        pytest.param({}, "has none of messages, silence, handoff", id="nothing"),
        pytest.param({"messages": "a"}, "messages is text, not a list", id="messages"),
        pytest.param(
            {"messages": ["a", {"audio": 1}]}, "messages[1].audio is a number", id="message"
        ),
        pytest.param({"silence": "yes"}, "silence is text, not true or false", id="silence"),
        pytest.param({"handoff": 1}, "handoff is a number, not text", id="handoff"),
    ],
)
def test_an_answer_of_another_shape_is_refused(document, reason):
    with pytest.raises(NotInSchema) as caught:
        read_answer(document)

    assert str(caught.value).startswith(reason)
