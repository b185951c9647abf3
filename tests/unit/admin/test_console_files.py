"""What the console brings along is what others published."""

from __future__ import annotations

import hashlib

import pytest

from ak_instagram.admin.console.pages import FILES
from ak_instagram.admin.console.rendering import STATIC

# htmx 4.0.1 and its extension for server-sent events, as npm's htmx.org has them in dist/.
VENDORED = {
    "htmx.min.js": "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
    "hx-sse.min.js": "18ef2761356ec1fe0bb6d92612315b37517a7c1e9856b661c5ae81fef239d103",
}


@pytest.mark.parametrize(("name", "digest"), VENDORED.items(), ids=VENDORED)
def test_what_is_brought_along_is_as_it_was_published(name, digest):
    assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest


def test_every_file_that_is_there_can_be_loaded_and_no_other():
    assert {it.name for it in STATIC.iterdir()} == set(FILES)
