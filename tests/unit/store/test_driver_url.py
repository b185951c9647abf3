"""A URL as libpq takes it is one that we take."""

from __future__ import annotations

import pytest

from ak_instagram.store.postgres import driver_url


@pytest.mark.parametrize("word", ["sslmode", "ssl"])
def test_the_driver_is_told_of_tls_in_its_own_word(word):
    url = driver_url(f"postgresql://bot:secret@db:5433/dms?{word}=verify-full&application_name=bot")

    assert url.drivername == "postgresql+asyncpg"
    assert (url.username, url.password, url.host, url.port) == ("bot", "secret", "db", 5433)
    assert url.query == {"ssl": "verify-full", "application_name": "bot"}
