"""A URL as libpq takes it is one that we take."""

from __future__ import annotations

from inspect import signature

import asyncpg
import pytest

from ak_instagram.settings.value_types import POSTGRES_OPTIONS
from ak_instagram.store.postgres.connections import driver_url


@pytest.mark.parametrize("word", ["sslmode", "ssl"])
def test_the_driver_is_told_of_tls_in_its_own_word(word):
    url = driver_url(
        f"postgresql://bot:secret@db:5433/dms?{word}=verify-full&target_session_attrs=any"
    )

    assert url.drivername == "postgresql+asyncpg"
    assert (url.username, url.password, url.host, url.port) == ("bot", "secret", "db", 5433)
    assert url.query == {"ssl": "verify-full", "target_session_attrs": "any"}


@pytest.mark.parametrize("name", sorted(POSTGRES_OPTIONS))
def test_the_driver_knows_what_the_settings_let_pass(name):
    [told] = driver_url(f"postgresql://db/dms?{name}=text").query

    assert told in signature(asyncpg.connect).parameters
