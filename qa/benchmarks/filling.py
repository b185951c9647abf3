"""A store that has been in use: people, what they wrote, the answers, and their echoes."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing

import asyncpg
from sqlalchemy import make_url

from ak_instagram.store.database import WorkerIdentity
from ak_instagram.store.store import open_store
from qa.benchmarks.webhooks import ACCOUNT, contact_of

EVENTS_EACH = 8  # of one person: messages, and echoes of as many answers
DAY = 86_400_000  # milliseconds
SPAN = 5 * DAY  # in which the events came in; the last of them a day ago

# 32 random hex digits, as turns and the digests of texts are, in each database's own words.
_DIGEST = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "md5(CAST(random() AS text))"}
# A column of times as 12 hex digits, with which keys begin.
_TIME = {"sqlite": "printf('%012x', {at})", "postgresql": "lpad(to_hex({at}), 12, '0')"}
# Meta's ids have 164 characters, begin alike, and tell messages apart further on.
_META_ID = "'aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlE' || {digest} || '" + 97 * "Z" + "'"

_MESSAGES = """
    INSERT INTO events
        (account, contact, kind, key, mid, at, received_at, payload, status, turn)
    WITH RECURSIVE numbers (n) AS (
        SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {messages}
    ), said AS (
        SELECT CAST({first_contact} + n % {people} AS text) AS contact, {meta_id} AS mid,
               {since} + CAST(n AS bigint) * {span} / {messages} AS at
        FROM numbers
    )
    SELECT '{account}', contact, 'message', {said} || substr({digest}, 1, 20), mid, at, at + 300,
           '{{"sender":{{"id":"' || contact || '"}},"recipient":{{"id":"{account}"}},"timestamp":'
               || at || ',"message":{{"mid":"' || mid
               || '","text":"Is it still to be had, and would you send it abroad?"}}}}',
           'answered', {digest}
    FROM said
"""
_ANSWERS = """
    INSERT INTO outbox
        (account, contact, turn, seq, payload, text_key, status, tries, message_id,
         planned_at, changed_at)
    SELECT account, contact, turn, 0, '{{"text": "Yes, it is."}}', {digest}, 'sent', 1,
           {meta_id}, at + 2000, at + 2200
    FROM events ORDER BY id
"""
_ECHOES = """
    INSERT INTO events (account, contact, kind, key, mid, at, received_at, payload, status)
    SELECT account, contact, 'echo', {echoed} || substr({digest}, 1, 20), message_id, changed_at,
           changed_at + 300, '', 'counted'
    FROM outbox ORDER BY id
"""
_CONVERSATIONS = """
    INSERT INTO conversations (account, contact, fence, window_closes_at)
    SELECT account, contact, count(*), max(at) + {day}
    FROM events WHERE kind = 'message' GROUP BY account, contact
"""
# An index is made faster than it grows.
_INDICES = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND indexdef LIKE 'CREATE INDEX %'
"""


def people_in(events: int) -> int:
    """Return how many people there are in a store of *events*: `contact_of` 0 and on."""
    return max(events // EVENTS_EACH, 1)


async def make(url: str, events: int) -> None:
    """Make a store at *url* and `fill` it."""
    async with open_store(url, WorkerIdentity("filling", lease_ms=30_000)):
        pass  # it is migrated now
    await fill(url, events)


async def fill(url: str, events: int) -> None:
    """Write *events* that are settled, and all that belongs to them, into the migrated store."""
    dialect = make_url(url).get_backend_name()
    statements = _statements(events, dialect)
    if dialect == "sqlite":
        _fill_file(make_url(url).database or "", statements)
    else:
        await _fill_server(url, statements)


def _statements(events: int, dialect: str) -> list[str]:
    digest = _DIGEST[dialect]
    values = {
        "account": ACCOUNT,
        "day": DAY,
        "digest": digest,
        "echoed": _TIME[dialect].format(at="changed_at"),
        "first_contact": contact_of(0),
        "messages": events // 2,
        "meta_id": _META_ID.format(digest=digest),
        "people": people_in(events),
        "said": _TIME[dialect].format(at="at"),
        "since": time.time_ns() // 1_000_000 - DAY - SPAN,
        "span": SPAN,
    }
    return [part.format(**values) for part in (_MESSAGES, _ANSWERS, _ECHOES, _CONVERSATIONS)]


def _fill_file(file: str, statements: Sequence[str]) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        # For this connection only: nothing has to be durable before all of it is.
        connection.execute("PRAGMA cache_size = -1000000")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        for statement in statements:
            connection.execute(statement)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def _fill_server(url: str, statements: Sequence[str]) -> None:
    connection = await asyncpg.connect(url)
    try:
        indices = await connection.fetch(_INDICES)
        for name, _ in indices:
            await connection.execute(f"DROP INDEX {name}")
        for statement in statements:
            await connection.execute(statement)
        for _, definition in indices:
            await connection.execute(definition)
        await connection.execute("VACUUM ANALYZE")  # as autovacuum does
    finally:
        await connection.close()
