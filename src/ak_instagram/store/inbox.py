"""Events come in: one statement for many of them, each at most once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from . import takeover, unsend
from .values import Arrival, EventStatus, Receipt

BURST_LIMIT = 5  # a burst is waited for at most this many debounce times

# The whole batch travels as one JSON parameter: the database then works through it
# in one step, without Python's lock between the rows. Only fresh events wake a
# conversation. Messages and taps open the 24 h window.
_INSERT_SQLITE = text(
    """
    INSERT INTO events (account, contact, kind, key, mid, at, payload, status, received_at)
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
           json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]'),
           json_extract(value, '$[6]'), json_extract(value, '$[7]'), :now
    FROM json_each(:batch)
    WHERE true
    ON CONFLICT (key) DO NOTHING
    """
)
_LAST_ID = text("SELECT coalesce(max(id), 0) FROM events")
_WAKE_SQLITE = text(
    """
    INSERT INTO conversations AS c (account, contact, due_at, burst_ends, window_closes_at)
    SELECT account, contact, :due, :burst_ends,
           max(CASE WHEN kind IN ('message', 'postback') THEN at + 86400000 ELSE 0 END)
    FROM events
    WHERE id > :last AND status = 'waiting'
    GROUP BY account, contact
    ON CONFLICT (account, contact) DO UPDATE SET
        due_at = max(min(coalesce(c.burst_ends, excluded.due_at), excluded.due_at), c.not_before),
        burst_ends = coalesce(c.burst_ends, excluded.burst_ends),
        window_closes_at = max(c.window_closes_at, excluded.window_closes_at)
    """
)

# One statement: what other replicas insert meanwhile is not taken for this batch's.
# Conversations are locked in one order by all, so that batches can't block each other.
_PUT_POSTGRES = text(
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
               max(CASE WHEN kind IN ('message', 'postback') THEN at + 86400000 ELSE 0 END)
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


@dataclass(frozen=True, slots=True)
class Inbox:
    """
    How events enter; times in milliseconds.

    *debounce* is the quiet that ends a burst, *takeover_pause* how long the bot is
    silent after a person has answered.
    """

    debounce: int = 0
    takeover_pause: int = 12 * 3600 * 1000

    def put(self, connection: Connection, now: int, arrivals: Sequence[Arrival]) -> Receipt:
        """Store what is new of *arrivals* and make their conversations due."""
        values: dict[str, object] = {
            "batch": _as_json(arrivals),
            "now": now,
            "due": now + self.debounce,
            "burst_ends": now + BURST_LIMIT * self.debounce,
        }
        spoken = takeover.fresh_voices(connection, arrivals)
        is_sqlite = connection.dialect.name == "sqlite"
        fresh = (_put_sqlite if is_sqlite else _put_postgres)(connection, values)
        takeover.hear(connection, now, spoken, self.takeover_pause)
        unsend.wipe(connection, arrivals)
        return Receipt(fresh, len(arrivals) - fresh)


def _put_sqlite(connection: Connection, values: dict[str, object]) -> int:
    """Store what is fresh and return how much it is; nobody else writes meanwhile."""
    last = connection.execute(_LAST_ID).scalar_one()
    fresh = connection.execute(_INSERT_SQLITE, values).rowcount
    if fresh:
        connection.execute(_WAKE_SQLITE, {**values, "last": last})
    return fresh


def _put_postgres(connection: Connection, values: dict[str, object]) -> int:
    fresh: int = connection.execute(_PUT_POSTGRES, values).scalar_one()
    return fresh


def _as_json(arrivals: Sequence[Arrival]) -> str:
    return json.dumps(
        [
            (a.account, a.contact, a.kind, a.key, a.mid, a.at, a.payload, _first_status(a))
            for a in arrivals
        ]
    )


def _first_status(arrival: Arrival) -> str:
    return EventStatus.WAITING if arrival.wakes else EventStatus.COUNTED
