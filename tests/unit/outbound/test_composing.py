"""One message of the answer schema becomes what is sent, or a sentence that says why not."""

from __future__ import annotations

import pytest

from ak_instagram.outbound.send import MAX_TEXT, Unsendable, compose


def test_a_text_is_read_as_an_agents_is():
    message = compose("**Ready** at *six*")

    assert message.messages == ({"text": "Ready at six"},)
    assert message.said == "Ready at six"
    assert not message.by_person


def test_a_long_text_is_several_messages():
    message = compose({"text": f"{'First. ' * 120}\n\n{'Second. ' * 120}"}, by_person=True)

    assert len(message.messages) == 2
    assert message.by_person


def test_a_rich_message_is_sent_as_what_it_is_and_noted_in_words():
    buttons = [{"title": "Open", "url": "https://shop.example"}]

    message = compose({"text": "Our shop", "buttons": buttons})

    [sent] = message.messages
    assert "attachment" in sent
    assert message.said == "Our shop\nOpen: https://shop.example"


@pytest.mark.parametrize(
    ("document", "why"),
    [
        pytest.param("", "there is nothing to send", id="empty"),
        pytest.param(" \n", "there is nothing to send", id="blank"),
        pytest.param(None, "there is nothing to send", id="null"),
        pytest.param({}, "the message has none of", id="nothing-known"),
        pytest.param(7, "the message is a number, neither text nor a message", id="number"),
        pytest.param({"text": 7}, "the message.text is a number, not text", id="text-of-a-number"),
        pytest.param("x" * (MAX_TEXT + 1), "more than 65536 bytes", id="too-long"),
    ],
)
def test_what_can_not_be_sent_is_said(document, why):
    with pytest.raises(Unsendable, match=why):
        compose(document)


def test_nothing_is_quoted_of_what_can_not_be_sent():
    with pytest.raises(Unsendable) as caught:
        compose({"text": "Hi", "buttons": "SECRET"})

    assert "SECRET" not in str(caught.value)
