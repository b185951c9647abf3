"""Which echoes no person wrote, as one table."""

from __future__ import annotations

import pytest

from ak_instagram.store.verbs.automatic import INSTANT, Automatic, automatic
from tests.support.store_bench import START, echo

TEXTS = ("Thanks for your message! 😊", "Your parcel * is on its way.")
ASKED = START - 60_000


@pytest.mark.parametrize(
    ("said", "changes", "reason"),
    [
        pytest.param("I am Ann", {}, None, id="a-person"),
        pytest.param("I am Ann", {"echo_app": "1217981644879628"}, None, id="instagrams-inbox"),
        pytest.param("I am Ann", {"echo_app": "263902037430900"}, None, id="the-pages-inbox"),
        pytest.param("Hello!", {"echo_app": "999"}, Automatic.OTHER_APP, id="another-app"),
        pytest.param("", {}, Automatic.WORDLESS, id="a-template"),
        pytest.param(" \n", {}, Automatic.WORDLESS, id="blanks"),
        pytest.param("Thanks for your message! 😊", {}, Automatic.LISTED, id="listed"),
        pytest.param(" THANKS for  your\nmessage! 😊", {}, Automatic.LISTED, id="listed-loosely"),
        pytest.param("Your parcel DE 12 is on its way.", {}, Automatic.LISTED, id="a-wildcard"),
        pytest.param("Your parcel is on its way.", {}, None, id="not-quite-the-wildcard"),
        pytest.param("So thanks for your message! 😊", {}, None, id="more-than-the-text"),
        pytest.param("I am Ann", {"asked_at": None}, Automatic.OPENING, id="opens-it"),
        pytest.param("Hello!", {"asked_at": START - INSTANT}, Automatic.INSTANT, id="in-2-s"),
        pytest.param("Hello!", {"asked_at": START - INSTANT - 1}, None, id="after-2-s"),
        pytest.param("Hello!", {"asked_at": START + INSTANT}, Automatic.INSTANT, id="before-it"),
        pytest.param("Sale!", {"told_others": True}, Automatic.TO_SEVERAL, id="to-several"),
    ],
)
def test_an_echo_is_a_persons_unless_nobody_can_have_written_it(said, changes, reason):
    facts = {"asked_at": ASKED, "told_others": False, "texts": TEXTS, **changes}
    heard = echo("h1", said)._replace(echo_app=facts.pop("echo_app", None))

    assert automatic(heard, START, **facts) is reason
