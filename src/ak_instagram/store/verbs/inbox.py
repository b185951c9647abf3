"""The inbox: events come in, many in one statement, each at most once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from sqlalchemy import text

from ak_instagram import fast_json
from ak_instagram.meta.events import ACTIONABLE, CONTEXT, OTHER_VOICES, Event
from ak_instagram.store.database import Tx
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import WINDOW, EventStatus

from . import callbacks, takeover, unsend

BURST_LIMIT = 5  # a burst is waited for at most this many debounce times

_COLUMNS = ("account", "contact", "kind", "key", "mid", "at", "payload", "status", "received_at")
# Many rows in a statement: Python's lock changes hands once for all of them. The sizes
# are few, so that the driver has each of the statements prepared already. As JSON, which
# PostgreSQL gets, they would take SQLite half as long again.
_SIZES = (64, 32, 16, 8, 4, 2, 1)
_ROW = ", ".join(f":{name}_{{n}}" for name in _COLUMNS)
_INSERT_SQLITE = {
    size: Statement(
        text(
            f"""
    INSERT INTO events ({", ".join(_COLUMNS)})
    VALUES {", ".join(f"({_ROW.format(n=n)})" for n in range(size))}
    ON CONFLICT (key) DO NOTHING
    """  # noqa: S608 - made of constants
        )
    )
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
               value->>6, value->>7, CAST(value->>8 AS bigint)
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

# A link that is opened makes nothing due: the person has not said anything yet.
_KEEP_REFERRAL = Statement(
    text(
        """
    INSERT INTO conversations AS c (account, contact, referral, referral_at)
    VALUES (:account, :contact, :payload, :at)
    ON CONFLICT (account, contact) DO UPDATE
    SET referral = excluded.referral, referral_at = excluded.referral_at
    WHERE c.referral_at <= excluded.referral_at
    """
    )
)


def put(tx: Tx, events: Sequence[Event]) -> int:
    """Store the events that are new among *events* and make their conversations due."""
    quiet = [it for it in events if it.kind in OTHER_VOICES or it.kind in CONTEXT]
    news = [it for it in quiet if takeover.is_news(tx, it)]
    wakeup = {
        "now": tx.now,
        "window": WINDOW,
        "due": tx.now + tx.worker.debounce_ms,
        "burst_ends": tx.now + BURST_LIMIT * tx.worker.debounce_ms,
    }
    rows = [
        (
            event.account,
            event.contact,
            event.kind.value,
            event.key,
            event.mid,
            event.at,
            event.payload,
            (EventStatus.WAITING if event.kind in ACTIONABLE else EventStatus.COUNTED).value,
            tx.now,
        )
        for event in events
    ]
    if tx.connection.dialect.name == "sqlite":
        fresh = _put_sqlite(tx, rows, wakeup)
    else:
        fresh = _PUT_POSTGRES.value(tx, batch=fast_json.dump(rows).decode(), **wakeup)
    for event in news:
        if event.kind not in CONTEXT:
            takeover.hear(tx, event)
        elif event.account:  # Meta may not say whose link it was
            key = {"account": event.account, "contact": event.contact}
            _KEEP_REFERRAL.run(tx, **key, payload=event.payload, at=min(event.at, tx.now))
    for event in events:
        if event.unsends is not None:
            unsend.forget(tx, event, event.unsends)
    if tx.worker.turn_id is not None:
        for event in events:
            if event.unsends is not None or event.kind in OTHER_VOICES:
                callbacks.look_again(tx, event.account, event.contact)
    return fresh


def _put_sqlite(tx: Tx, rows: Sequence[tuple[object, ...]], wakeup: Mapping[str, int]) -> int:
    """Store the *rows* that are new and return how many; nobody else writes meanwhile."""
    last = _LAST_ID.value(tx)
    fresh = done = 0
    for size in _SIZES:
        while len(rows) - done >= size:
            values = list(chain.from_iterable(rows[done : done + size]))
            fresh += _INSERT_SQLITE[size].run_in_order(tx, values)
            done += size
    if fresh:
        _WAKE_SQLITE.run(tx, last=last, **wakeup)
    return fresh
