"""Stores to fill and to measure, of either kind."""

from __future__ import annotations

import pytest

from qa.benchmarks.databases import open_databases
from qa.benchmarks.stores import Kind


@pytest.fixture(scope="session")
def databases():
    with open_databases() as databases:
        yield databases


@pytest.fixture(params=list(Kind))
def url(request, tmp_path):
    """The URL of an empty store."""
    if request.param is Kind.SQLITE:
        return f"sqlite:///{tmp_path}/store.db"
    return request.getfixturevalue("databases").new()
