"""Whatever JSON spells, UTF-8 can encode it and PostgreSQL store it afterwards."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ak_instagram.text import sanitize

# Half surrogate pairs too.
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        pytest.param("plain", "plain", id="nothing-to-do"),
        pytest.param("a\ud83d", "a\ufffd", id="first-half-at-the-end"),
        pytest.param("\ude00b", "\ufffdb", id="second-half"),
        pytest.param("\ud83dx", "\ufffdx", id="first-half-before-a-letter"),
        pytest.param("\ud83d\ude00", "\U0001f600", id="halves-that-meet"),
        pytest.param("a\0b\0", "a\ufffdb\ufffd", id="nul"),
        pytest.param("\ufeff\ud83d", "\ufeff\ufffd", id="byte-order-mark-stays"),
    ],
)
def test_half_surrogate_pairs_and_nul_are_repaired(text, repaired):
    assert sanitize(text) == repaired


@given(ANY_TEXT)
@settings(deadline=None)
def test_any_text_becomes_storable(text):
    assert sanitize(text).encode().decode() == sanitize(text)
    assert "\0" not in sanitize(text)
