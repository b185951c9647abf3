"""Characters are what people see."""

from __future__ import annotations

import pytest

from ak_instagram.reply.split import cluster_end, fitting_end


@pytest.mark.parametrize(
    ("text", "limit", "end"),
    [
        pytest.param("abc", 2, 2, id="ascii"),
        pytest.param("äöü", 4, 2, id="two-bytes-each"),
        pytest.param("äöü", 3, 1, id="no-half-characters"),
        pytest.param("a😀", 4, 1, id="four-bytes"),
        pytest.param("abc", 9, 3, id="all-of-it"),
    ],
)
def test_as_much_fits_as_its_bytes_allow(text, limit, end):
    assert fitting_end(text, 0, limit) == end


@pytest.mark.parametrize(
    ("text", "end", "boundary"),
    [
        pytest.param("abc", 2, 2, id="letters"),
        pytest.param("e\u0301x", 1, 0, id="accent"),
        pytest.param("xe\u0301", 2, 1, id="accent-after-a-letter"),
        pytest.param("🇩🇪🇫🇷", 3, 2, id="flags"),
        pytest.param("👍🏽", 1, 0, id="skin-tone"),
        pytest.param("👨‍👩‍👧!", 5, 5, id="family-that-fits"),
        pytest.param("👨‍👩‍👧!", 4, 0, id="family-that-does-not"),
        pytest.param("\r\n", 1, 0, id="line-end"),
    ],
)
def test_clusters_end_where_people_see_an_end(text, end, boundary):
    assert cluster_end(text, 0, end) == boundary
