"""What Meta's message ids tell, and that others tell nothing."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ak_instagram.meta.keys import said_at
from tests.support.meta_ids import mid_of_item, mid_said_at

AT = 1_756_650_587_321  # UTC ms


def test_metas_ids_tell_when_it_was_said():
    assert said_at(mid_said_at(AT)) == AT
    assert said_at(mid_said_at(AT, number=(1 << 64) - 1)) == AT


def test_they_look_as_they_do_in_webhooks():
    assert mid_said_at(AT).startswith("aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlEOjE3")


@pytest.mark.parametrize(
    "mid",
    [
        "",
        "m1",
        "m_" + 60 * "aB3_",
        "aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlE",
        "Grüße",
        "\ud800",
        mid_said_at(AT)[:-5],
        mid_of_item("x"),
        mid_of_item(""),
        mid_of_item(0),
        mid_of_item(-1 << 100),
        mid_of_item(1 << 64),
        mid_of_item(1 << 200),
        mid_of_item("9" * 5000),
        base64.b64encode(b"\xff:\xff").decode(),
    ],
)
def test_an_id_of_another_form_tells_nothing(mid):
    assert said_at(mid) is None


@given(st.text())
def test_no_id_is_too_strange(mid):
    moment = said_at(mid)

    assert moment is None or moment > 0
