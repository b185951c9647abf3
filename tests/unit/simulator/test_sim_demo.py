"""The demo's conversation: when an echo is whole, and how it is shown."""

from __future__ import annotations

import pytest

from instagram_simulator.demo.conversation import LONG, SCRIPT, answered, asked, is_echo_of


@pytest.mark.parametrize(
    ("pieces", "is_whole"),
    [
        pytest.param(["one two three"], True, id="in-one"),
        pytest.param(["one", "two\nthree"], True, id="cut-at-white-space"),
        pytest.param(["one"], False, id="not-yet"),
        pytest.param(["three", "one two"], False, id="out-of-order"),
        pytest.param(["one two three", "three"], False, id="something-twice"),
    ],
)
def test_an_echo_is_whole_when_every_word_is_there_in_order(pieces, is_whole):
    assert is_echo_of("one two three", pieces) is is_whole


def test_the_script_needs_several_pieces_and_several_bytes_a_character():
    assert len(LONG.encode()) > 1000
    assert any(len(text.encode()) > len(text) for text in SCRIPT)


def test_a_long_text_is_shown_by_its_beginning_and_its_size():
    shown = asked("word " * 500)

    assert "2,500 bytes" in shown
    assert shown.count("\n") == 2


def test_an_answer_has_its_time():
    assert answered("Hi", 41.4).endswith("+41 ms\x1b[0m")
