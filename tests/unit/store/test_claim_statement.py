"""The claim's SQL, as its docstring explains it, is the statement that runs."""

from __future__ import annotations

import re

from sqlalchemy.dialects.postgresql.asyncpg import dialect

from ak_instagram.store.verbs import claims
from tests.support.store_bench import tx_on


class Spy:
    """A connection to PostgreSQL that keeps what is executed on it, and finds nothing."""

    dialect = dialect()

    def __init__(self) -> None:
        self.sql = ""

    @property
    def connection(self) -> Spy:
        return self

    def cursor(self) -> Spy:
        return self

    def execute(self, sql: str, _values: object) -> None:
        self.sql = sql

    def fetchall(self) -> list[tuple]:
        return []

    def close(self) -> None:
        """There is nothing to close."""


def plain(sql: str) -> list[str]:
    """Return the words of *sql*; a parameter is a question mark, a column has no table."""
    sql = re.sub(r"--.*|::\w+|\b(conversations|due)\.", "", sql)
    sql = re.sub(r"\b(account|contact) AS \1\b", r"\1", sql)
    return re.findall(r"\w+|[^\w\s]", re.sub(r"[$:]\w+|\bNULL\b|\b1\b", "?", sql))


def test_the_docstring_has_the_statement_that_claims():
    spy = Spy()

    claims.acquire(tx_on(spy), 1)

    [explained] = re.findall(r"WITH due.*", claims.acquire.__doc__ or "", re.DOTALL)
    assert plain(explained) == plain(spy.sql)
