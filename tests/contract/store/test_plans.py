"""No statement that somebody waits for looks through a table: each finds its rows by an index."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from ak_instagram.store.statement import Statement
from ak_instagram.store.verbs import (
    backlog,
    claims,
    disclosure,
    inbox,
    outbox,
    steps,
    takeover,
    unsend,
)
from ak_instagram.store.verbs.operators import (
    conversations,
    log,
    notifications,
    outgoing,
    stops,
    timeline,
)

MODULES = (
    *(backlog, claims, disclosure, inbox, outbox, steps, takeover, unsend),
    *(conversations, log, notifications, outgoing, stops, timeline),
)
TABLES = ("events", "conversations", "outbox", "transcript")
MANY = 20_000  # rows of each table: PostgreSQL reads small tables as a whole, and rightly so

FILL = (
    """
    INSERT INTO events (account, contact, kind, key, mid, at, received_at, status, turn)
    SELECT 'shop', 'p' || n, 'message', 'k' || n, 'm' || n, n, n, 'answered', 't' || n FROM numbers
    """,
    """
    INSERT INTO conversations (account, contact, window_closes_at)
    SELECT 'shop', 'p' || n, n FROM numbers
    """,
    """
    INSERT INTO outbox (account, contact, turn, seq, text_key, status, tries, message_id,
                        planned_at, changed_at)
    SELECT 'shop', 'p' || n, 't' || n, 0, 'x' || n, 'sent', 1, 'r' || n, n, n FROM numbers
    """,
    """
    INSERT INTO transcript (account, contact, epoch, turn, role, text, at)
    SELECT 'shop', 'p' || n, 0, 't' || n, 'user', 'Hi', n FROM numbers
    """,
    "DROP TABLE numbers",
    "ANALYZE",
)


def statements(dialect: str) -> Iterator[tuple[str, Statement]]:
    """Yield all statements for *dialect*, each with its name."""
    others = {"sqlite": "POSTGRES", "postgresql": "SQLITE"}[dialect]
    for module in MODULES:
        for name, value in vars(module).items():
            if isinstance(value, Statement) and others not in name and name != "_LAST_ID":
                yield f"{module.__name__}.{name}", value


@pytest.fixture
async def filled(bench):
    await bench.query_nothing("CREATE TABLE numbers (n integer)")
    await bench.database.run(
        lambda connection, _now: connection.execute(
            text("INSERT INTO numbers VALUES (:n)"), [{"n": n} for n in range(MANY)]
        )
    )
    for statement in FILL:
        await bench.query_nothing(statement)
    return bench


async def test_every_statement_finds_its_rows_by_an_index(filled):
    plans = await filled.database.run(lambda connection, _now: all_plans(connection))

    assert len(plans) > 30
    assert {name for name, plan in plans.items() if looks_through_a_table(plan)} == set()


def all_plans(connection: Connection) -> dict[str, str]:
    dialect = connection.dialect.name
    explain = _explain_sqlite if dialect == "sqlite" else _explain_postgres
    return {
        name: explain(connection, statement.compile(connection.dialect).sql)
        for name, statement in statements(dialect)
    }


def looks_through_a_table(plan: str) -> bool:
    tables = "|".join(TABLES)
    return bool(re.search(rf"SCAN ({tables})(?! USING)|Seq Scan on ({tables})", plan))


def _explain_sqlite(connection: Connection, sql: str) -> str:
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", (None,) * sql.count("?"))
    return "\n".join(row[3] for row in rows)


def _explain_postgres(connection: Connection, sql: str) -> str:
    """Return the plan that serves any parameters, as a prepared statement gets it in time."""
    connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_generic_plan")
    connection.exec_driver_sql(f"PREPARE one AS {sql}")
    known = text("SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'one'")
    types = connection.execute(known).scalar_one()
    values = ", ".join(f"CAST(NULL AS {it})" for it in types)
    rows = connection.exec_driver_sql(f"EXPLAIN EXECUTE one{f'({values})' if values else ''}").all()
    connection.exec_driver_sql("DEALLOCATE one")
    return "\n".join(row[0] for row in rows)
