"""Rich parts become messages that Meta takes; what does not fit is said in words, and named."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from ak_instagram.meta.outgoing import FALLBACK, fallback_of, request_body, words_of
from ak_instagram.reply.plan import Plan, plan_answer
from ak_instagram.reply.rich import Refusal
from instagram_simulator.graph.send_validation import content_of

SHOP = "https://shop.example/"
RED_BLUE = QuickReplies((Option("Red", "RED"), Option("**Blue**", "BLUE")))
CHIPS = [
    {"content_type": "text", "title": "Red", "payload": "RED"},
    {"content_type": "text", "title": "Blue", "payload": "BLUE"},
]
LONG = "A title of more than twenty characters"
CUT = "A title of more tha…"
OPEN = {"type": "web_url", "url": SHOP, "title": "Open"}
ASK = {"type": "postback", "title": "Ask", "payload": "ASK"}
TWO_BUTTONS = (Button("Open", url=SHOP), Button("Ask", payload="ASK"))


def sent(plan: Plan) -> list[object]:
    """Return what Meta is sent, without what stands in; of a mere message without the recipient."""
    bodies = (request_body("anna", message) for message in plan.messages)
    mere = {"recipient", "message"}
    return [body["message"] if body.keys() == mere else body for body in bodies]


def template(**payload: object) -> dict[str, object]:
    return {"attachment": {"type": "template", "payload": payload}}


def generic(*elements: object) -> dict[str, object]:
    return template(template_type="generic", elements=list(elements))


def button_template(text: str, *buttons: object) -> dict[str, object]:
    return template(template_type="button", text=text, buttons=list(buttons))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param(
            [Text("Which "), RED_BLUE, Text("one?"), MessageEnd(), Text("End")],
            [{"text": "Which one?", "quick_replies": CHIPS}, {"text": "End"}],
            id="quick-replies-under-the-message-they-are-in",
        ),
        pytest.param(
            [Text("Which one?"), MessageEnd(), RED_BLUE],
            [{"text": "Which one?", "quick_replies": CHIPS}],
            id="quick-replies-under-the-message-before",
        ),
        pytest.param(
            [Text("a " * 600), RED_BLUE],
            [
                {"text": ("a " * 500).strip()},
                {"text": ("a " * 100).strip(), "quick_replies": CHIPS},
            ],
            id="quick-replies-under-the-last-piece",
        ),
        pytest.param(
            [Text("?"), QuickReplies((Option("Red", ""),))],
            [{"text": "?", "quick_replies": [{**CHIPS[0], "payload": "Red"}]}],
            id="a-title-is-its-payload",
        ),
        pytest.param(
            [Text("Look:"), Buttons("*What* next?", TWO_BUTTONS), Text("after")],
            [{"text": "Look:"}, button_template("What next?", OPEN, ASK), {"text": "after"}],
            id="buttons",
        ),
        pytest.param(
            [Buttons("word " * 140, TWO_BUTTONS)],
            [
                {"text": ("word " * 128).strip()},
                button_template(("word " * 12).strip(), OPEN, ASK),
            ],
            id="buttons-below-a-long-text",
        ),
        pytest.param(
            [
                Cards(
                    (
                        Card("Shoes", "Size 38", f"{SHOP}a.jpg", SHOP, TWO_BUTTONS),
                        Card("Hats", "Felt"),
                    )
                )
            ],
            [
                generic(
                    {
                        "title": "Shoes",
                        "subtitle": "Size 38",
                        "image_url": f"{SHOP}a.jpg",
                        "default_action": {"type": "web_url", "url": SHOP},
                        "buttons": [OPEN, ASK],
                    },
                    {"title": "Hats", "subtitle": "Felt"},
                )
            ],
            id="cards",
        ),
        pytest.param(
            [Cards((Card("a", "b"),) * 11)],
            [
                generic(*[{"title": "a", "subtitle": "b"}] * 10),
                generic({"title": "a", "subtitle": "b"}),
            ],
            id="eleven-cards",
        ),
        pytest.param(
            [Media(kind, f"{SHOP}it") for kind in ("image", "audio", "video", "file")],
            [
                {"attachment": {"type": kind, "payload": {"url": f"{SHOP}it"}}}
                for kind in ("image", "audio", "video", "file")
            ],
            id="media",
        ),
        pytest.param(
            [Reaction("❤️"), Text("Hi"), Reaction("love", "m1")],
            [
                {
                    "recipient": {"id": "anna"},
                    "sender_action": "react",
                    "payload": {"message_id": "m9", "reaction": "❤️"},
                },
                {"text": "Hi"},
                {
                    "recipient": {"id": "anna"},
                    "sender_action": "react",
                    "payload": {"message_id": "m1", "reaction": "love"},
                },
            ],
            id="reactions-in-order",
        ),
        pytest.param(
            [Text("Hi"), ReplyTo("m1"), Media("image", f"{SHOP}it"), Text("It.")],
            [
                {"text": "Hi"},
                {
                    "recipient": {"id": "anna"},
                    "reply_to": {"mid": "m1"},
                    "message": {
                        "attachment": {"type": "image", "payload": {"url": f"{SHOP}it"}},
                    },
                },
                {"text": "It."},
            ],
            id="a-reply-is-the-next-message",
        ),
        pytest.param(
            [ReplyTo(), Text("yes " * 300)],
            [
                {
                    "recipient": {"id": "anna"},
                    "reply_to": {"mid": "m9"},
                    "message": {"text": ("yes " * 250).strip()},
                },
                {"text": ("yes " * 50).strip()},
            ],
            id="a-reply-of-two-pieces-to-the-latest",
        ),
        pytest.param([ReplyTo("m1"), Handoff("x")], [], id="a-reply-without-words"),
    ],
)
def test_what_fits_is_sent_as_what_it_is(parts, expected):
    plan = plan_answer(parts, "m9")

    assert sent(plan) == expected
    assert plan.refused == ()


@pytest.mark.parametrize(
    ("parts", "expected", "refused"),
    [
        pytest.param(
            [Text("Which?"), QuickReplies(tuple(Option(f"o{n}", "") for n in range(1, 15)))],
            [{"text": "Which?\n\n" + "\n".join(f"{n}. o{n}" for n in range(1, 15))}],
            [("QuickReplies", "14 of them, Instagram takes 13")],
            id="fourteen-quick-replies",
        ),
        pytest.param(
            [Text("Which?"), QuickReplies((Option(LONG, "L"), Option("Red", "RED")))],
            [
                {
                    "text": f"Which?\n\n1. {LONG}\n2. Red",
                    "quick_replies": [
                        {"content_type": "text", "title": CUT, "payload": "L"},
                        CHIPS[0],
                    ],
                }
            ],
            [("QuickReplies", "a title of 38 characters, Instagram shows 20")],
            id="a-long-quick-reply",
        ),
        pytest.param(
            [Text("Which?"), QuickReplies((Option("Red", "R" * 1001),))],
            [{"text": "Which?\n\n1. Red"}],
            [("QuickReplies", "a payload of more than 1000 characters")],
            id="a-long-payload",
        ),
        pytest.param(
            [Media("image", SHOP), RED_BLUE],
            [
                {"attachment": {"type": "image", "payload": {"url": SHOP}}},
                {"text": "1. Red\n2. Blue", "quick_replies": CHIPS},
            ],
            [("QuickReplies", "Instagram has them under a text only")],
            id="quick-replies-under-a-picture",
        ),
        pytest.param(
            [Text("Which?"), QuickReplies((Option(" ", "B"),))],
            [{"text": "Which?"}],
            [("QuickReplies", "none of them has a title")],
            id="quick-replies-without-titles",
        ),
        pytest.param(
            [Buttons("Next?", (*TWO_BUTTONS, Button("A"), Button("B")))],
            [
                {
                    "text": f"Next?\nOpen: {SHOP}",
                    "quick_replies": [
                        {"content_type": "text", "title": title, "payload": payload}
                        for title, payload in (("Ask", "ASK"), ("A", "A"), ("B", "B"))
                    ],
                }
            ],
            [("Buttons", "4 of them, Instagram takes 3")],
            id="four-buttons",
        ),
        pytest.param(
            [Buttons("Next?", (Button(LONG, url=SHOP),))],
            [{"text": f"Next?\n{LONG}: {SHOP}"}],
            [("Buttons", "a title of 38 characters, Instagram shows 20")],
            id="a-long-button",
        ),
        pytest.param(
            [Buttons("Next?", (Button("Call", url="tel:+49221"),))],
            [{"text": "Next?\nCall: tel:+49221"}],
            [("Buttons", "a button's address is none of the web")],
            id="a-button-that-calls",
        ),
        pytest.param(
            [Buttons("", (Button("Open", url=SHOP),))],
            [{"text": f"Open: {SHOP}"}],
            [("Buttons", "no text above them")],
            id="buttons-without-text",
        ),
        pytest.param(
            [Cards((Card("Only a title"), Card("a", "b")))],
            [generic({"title": "a", "subtitle": "b"}), {"text": "Only a title"}],
            [("Cards", "a card with nothing but a title")],
            id="a-card-of-a-title",
        ),
        pytest.param(
            [Cards((Card("Shoes", "word " * 20, url=SHOP),))],
            [
                generic(
                    {
                        "title": "Shoes",
                        "subtitle": ("word " * 16).strip() + "…",
                        "default_action": {"type": "web_url", "url": SHOP},
                    }
                ),
                {"text": f"Shoes\n{('word ' * 20).strip()}\n{SHOP}"},
            ],
            [("Cards", "a title or subtitle of 99 characters, Instagram shows 80")],
            id="a-long-subtitle",
        ),
        pytest.param(
            [Cards((Card("a", "b", "data:image/png;base64,AA=="),))],
            [generic({"title": "a", "subtitle": "b"}), {"text": "a\nb"}],
            [("Cards", "an address is none of the web")],
            id="a-picture-that-is-no-address",
        ),
        pytest.param(
            [Text("Here:"), Media("image", "data:image/png;base64,AA==")],
            [{"text": "Here:"}],
            [("Media", "its address is none of the web")],
            id="media-without-address",
        ),
        pytest.param(
            [Reaction("👍")],
            [{"text": "👍"}],
            [("Reaction", "there is no message to react to")],
            id="a-reaction-to-nothing",
        ),
        pytest.param(
            [Reaction("thanks", "m1")],
            [{"text": "thanks"}],
            [("Reaction", "it is not one emoji")],
            id="a-reaction-in-words",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_words_and_named(parts, expected, refused):
    plan = plan_answer(parts)

    assert sent(plan) == expected
    assert plan.refused == tuple(Refusal(*it) for it in refused)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        pytest.param(Buttons("Next?", TWO_BUTTONS[:1]), f"Next?\nOpen: {SHOP}", id="buttons"),
        pytest.param(Cards((Card("a", "b", url=SHOP),)), f"a\nb\n{SHOP}", id="cards"),
        pytest.param(Media("video", SHOP), SHOP, id="media"),
        pytest.param(Reaction("❤️", "m1"), "❤️", id="reaction"),
    ],
)
def test_words_stand_in_for_what_meta_may_refuse(part, said):
    (message,) = plan_answer([part]).messages

    assert fallback_of(message) == ({"text": said},)
    assert words_of(message) == said


def test_a_list_stands_in_for_quick_replies():
    (message,) = plan_answer([Text("Which?"), RED_BLUE]).messages

    assert fallback_of(message) == ({"text": "Which?\n\n1. Red\n2. Blue"},)
    assert words_of(message) == "Which?"


def test_an_answer_of_which_nothing_is_left_is_neither_silent_nor_empty():
    plan = plan_answer([Silence(), Media("image", "nowhere")])

    assert plan.messages == ()
    assert not plan.is_silent
    assert not plan.is_empty


words = st.text(alphabet="ab 👍é*[]\n", max_size=90)
addresses = st.sampled_from([None, "", SHOP, "http://a b", "tel:1", "https://[", f"{SHOP}x" * 9])
buttons = st.lists(st.builds(Button, words, addresses, st.none() | words), max_size=4).map(tuple)
parts = st.one_of(
    st.builds(Text, words),
    st.just(MessageEnd()),
    st.lists(st.builds(Option, words, words), max_size=15).map(lambda it: QuickReplies(tuple(it))),
    st.builds(Buttons, words.map(lambda it: it * 9), buttons),
    st.lists(
        st.builds(Card, words, st.none() | words, addresses, addresses, buttons), max_size=12
    ).map(lambda it: Cards(tuple(it))),
    st.builds(Media, st.sampled_from(["image", "audio"]), addresses.map(str)),
    st.builds(Reaction, words, st.none() | st.just("m1")),
)


@given(st.lists(parts, max_size=5))
@settings(deadline=None)
def test_whatever_an_agent_says_meta_takes(answer):
    waiting = list(plan_answer(answer, "m1").messages)

    while waiting:
        message = waiting.pop()
        waiting += fallback_of(message)
        body = request_body("anna", message)
        assert FALLBACK not in (body.get("message") or body)  # type: ignore[operator]  # an object
        if "sender_action" not in body:
            content_of(body)  # raises what Meta would refuse it with
