"""The field expansion of the Graph API is read, or refused where it can't be."""

from __future__ import annotations

import pytest

from instagram_simulator.graph.fields import Field, parse_fields, text_of
from instagram_simulator.graph.responses import GraphRefusal


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        pytest.param("", (), id="empty"),
        pytest.param("  ", (), id="blank"),
        pytest.param("id", (Field("id"),), id="one"),
        pytest.param("id, name", (Field("id"), Field("name")), id="space"),
        pytest.param(
            "messages.limit(2){id,message}",
            (Field("messages", {"limit": "2"}, (Field("id"), Field("message"))),),
            id="limit-and-fields",
        ),
        pytest.param(
            "messages.limit(2).after(aW5){from{id}} , id",
            (
                Field(
                    "messages", {"limit": "2", "after": "aW5"}, (Field("from", {}, (Field("id"),)),)
                ),
                Field("id"),
            ),
            id="two-arguments-and-two-levels",
        ),
    ],
)
def test_fields_are_read(text, fields):
    assert parse_fields(text) == fields


@pytest.mark.parametrize(
    ("text", "at"),
    [
        pytest.param("id,", 3, id="comma-at-the-end"),
        pytest.param(",id", 0, id="comma-at-the-start"),
        pytest.param("id name", 3, id="no-comma"),
        pytest.param("messages{id", 11, id="open-brace"),
        pytest.param("messages{}", 9, id="empty-braces"),
        pytest.param("messages}", 8, id="closing-brace"),
        pytest.param("messages.limit{id}", 8, id="argument-without-value"),
        pytest.param("a{" * 9 + "b" + "}" * 9, 18, id="too-deep"),
        pytest.param("{" * 9999, 0, id="far-too-deep"),
    ],
)
def test_what_cant_be_read_is_refused_at_its_place(text, at):
    with pytest.raises(GraphRefusal, match=f"at character {at}:") as refused:
        parse_fields(text)

    assert refused.value.code == 2500


def test_fields_are_written_as_they_were_read():
    text = "id,messages.limit(2).after(x){id,from{username}},name"

    assert text_of(parse_fields(text)) == text
