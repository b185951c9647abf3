"""Events come in: one statement for many of them, each at most once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import Connection, text

from ak_instagram import fast_json
from ak_instagram.meta.events import Event
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import WINDOW, EventStatus, Receipt

from . import takeover, unsend

BURST_LIMIT = 5  # a burst is waited for at most this many debounce times

# Many rows in a statement: Python's lock changes hands once for all of them. The sizes
# are few, so that the driver has each of the statements prepared already.
_SIZES = (64, 32, 16, 8, 4, 2, 1)
_ROW = "(?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_SQLITE = {
    size: f"""
    INSERT INTO events (account, contact, kind, key, mid, at, payload, status, received_at)
    VALUES {", ".join([_ROW] * size)}
    ON CONFLICT (key) DO NOTHING
    """  # noqa: S608 - made of constants
    for size in _SIZES
}
_LAST_ID = Statement(text("SELECT coalesce(max(id), 0) FROM events"))

# Only fresh events wake a conversation. Messages and taps open the 24 h window. Without
# NOT INDEXED all waiting events would be looked through instead of the new ones.
_WAKE_SQLITE = Statement(
    text(
        """
    INSERT INTO conversations AS c (account, contact, due_at, burst_ends, window_closes_at)
    SELECT account, contact, :due, :burst_ends,
           max(CASE WHEN kind IN ('message', 'postback') THEN min(at, :now) + :window ELSE 0 END)
    FROM events NOT INDEXED
    WHERE id > :last AND status = 'waiting'
    GROUP BY account, contact
    ON CONFLICT (account, contact) DO UPDATE SET
        due_at = max(min(coalesce(c.burst_ends, excluded.due_at), excluded.due_at), c.not_before),
        burst_ends = coalesce(c.burst_ends, excluded.burst_ends),
        window_closes_at = max(c.window_closes_at, excluded.window_closes_at)
    """
    )
)

# One statement: what other replicas insert meanwhile is not taken for this batch's.
# Conversations are locked in one order by all, so that batches can't block each other.
_PUT_POSTGRES = Statement(
    text(
        """
    WITH fresh AS (
        INSERT INTO events (account, contact, kind, key, mid, at, payload, status, received_at)
        SELECT value->>0, value->>1, value->>2, value->>3, value->>4, CAST(value->>5 AS bigint),
               value->>6, value->>7, :now
        FROM json_array_elements(CAST(:batch AS json)) AS e(value)
        ON CONFLICT (key) DO NOTHING
        RETURNING account, contact, kind, at, status
    ), woken AS (
        INSERT INTO conversations AS c (account, contact, due_at, burst_ends, window_closes_at)
        SELECT account, contact, CAST(:due AS bigint), CAST(:burst_ends AS bigint),
               max(CASE WHEN kind IN ('message', 'postback')
                   THEN least(at, CAST(:now AS bigint)) + CAST(:window AS bigint)
                   ELSE 0 END)
        FROM fresh
        WHERE status = 'waiting'
        GROUP BY account, contact
        ORDER BY account, contact
        ON CONFLICT (account, contact) DO UPDATE SET
            due_at = greatest(
                least(coalesce(c.burst_ends, excluded.due_at), excluded.due_at), c.not_before
            ),
            burst_ends = coalesce(c.burst_ends, excluded.burst_ends),
            window_closes_at = greatest(c.window_closes_at, excluded.window_closes_at)
    )
    SELECT count(*) FROM fresh
    """
    )
)


@dataclass(frozen=True, slots=True)
class Inbox:
    """
    How events enter; times in milliseconds.

    *debounce* is the quiet that ends a burst, *takeover_pause* how long the bot is
    silent after a person has answered.
    """

    debounce: int = 0
    takeover_pause: int = 12 * 3600 * 1000

    def put(self, connection: Connection, now: int, arrivals: Sequence[Event]) -> Receipt:
        """Store what is new of *arrivals* and make their conversations due."""
        said = takeover.fresh_echoes_and_standby(connection, arrivals)
        is_sqlite = connection.dialect.name == "sqlite"
        put = self._put_sqlite if is_sqlite else self._put_postgres
        fresh = put(connection, now, arrivals)
        takeover.apply(connection, now, said, self.takeover_pause)
        unsend.wipe(connection, arrivals)
        return Receipt(fresh, len(arrivals) - fresh)

    def _put_sqlite(self, connection: Connection, now: int, arrivals: Sequence[Event]) -> int:
        """Store what is fresh and return how much it is; nobody else writes meanwhile."""
        last = _LAST_ID.value(connection)
        fresh = _insert_sqlite(connection, [(*_row(arrival), now) for arrival in arrivals])
        if fresh:
            _WAKE_SQLITE.run(connection, last=last, now=now, window=WINDOW, **self._due(now))
        return fresh

    def _put_postgres(self, connection: Connection, now: int, arrivals: Sequence[Event]) -> int:
        batch = fast_json.dump([_row(arrival) for arrival in arrivals]).decode()
        fresh: int = _PUT_POSTGRES.value(
            connection, batch=batch, now=now, window=WINDOW, **self._due(now)
        )
        return fresh

    def _due(self, now: int) -> dict[str, int]:
        return {"due": now + self.debounce, "burst_ends": now + BURST_LIMIT * self.debounce}


def _insert_sqlite(connection: Connection, rows: Sequence[tuple[object, ...]]) -> int:
    """Insert the rows that are new and return how many they are."""
    cursor = connection.connection.cursor()
    fresh = done = 0
    for size in _SIZES:
        while len(rows) - done >= size:
            values = list(chain.from_iterable(rows[done : done + size]))
            cursor.execute(_INSERT_SQLITE[size], values)
            fresh += cursor.rowcount
            done += size
    cursor.close()
    return fresh


def _row(arrival: Event) -> tuple[object, ...]:
    return (
        arrival.account,
        arrival.contact,
        arrival.kind.value,
        arrival.key,
        arrival.mid,
        arrival.at,
        arrival.payload,
        (EventStatus.WAITING if arrival.is_actionable else EventStatus.COUNTED).value,
    )
