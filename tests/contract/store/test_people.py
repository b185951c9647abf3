"""A person's data is exported and erased in every table there is, and repeats stay known."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import BigInteger, Integer, insert

from ak_instagram.meta.events import Kind
from ak_instagram.meta.keys import mid_key
from ak_instagram.store.schema import metadata
from ak_instagram.store.verbs import steps
from ak_instagram.store.verbs.people import data, deletions
from ak_instagram.store.verbs.people.deletions import Deletion
from tests.support.store_bench import (
    LEASE,
    answered,
    arrival,
    claim_one,
    echo,
    sending,
)

WHO, ELSE = "751390000000001", "751390000000002"
# Columns that never tell about a person: digests, codes and our own words.
IMPERSONAL = frozenset({"key", "code", "kind", "status"})
TABLES = tuple(table.name for table in metadata.sorted_tables if "contact" in table.c)


async def fill(bench) -> None:
    """Put a row about each of two people into every table that names people."""
    for table in metadata.sorted_tables:
        if "contact" not in table.c:
            continue
        for number, who in enumerate((WHO, ELSE)):
            row: dict[str, object] = {
                column.name: 0
                if isinstance(column.type, BigInteger | Integer)
                else f"{column.name} of {number if column.name in IMPERSONAL else who}"
                for column in table.c
                if column.computed is None and column.autoincrement is not True
            }
            row |= {"account": "shop", "contact": who}
            values = {name: it for name, it in row.items() if name in table.c}
            await bench.database.run(
                lambda connection, _now, table=table, values=values: connection.execute(
                    insert(table).values(values)
                )
            )


async def dump(bench) -> str:
    """Return all that is stored, as text."""
    rows: list[tuple[object, ...]] = []
    for table in metadata.sorted_tables:
        rows += await bench.query(f"SELECT * FROM {table.name}")  # noqa: S608 - our own names
    return "\n".join(map(str, rows))


async def test_every_table_that_names_people_is_exported(bench):
    await fill(bench)

    exported = await bench.run(data.export, WHO)

    assert sorted(exported) == sorted(TABLES)
    assert all(len(rows) == 1 for rows in exported.values())
    assert ELSE not in json.dumps(exported)


async def test_every_table_that_names_people_is_erased_and_nothing_of_others(bench):
    await fill(bench)

    erased = await bench.run(data.erase, [WHO])

    left = await dump(bench)
    assert erased.rows == len(TABLES)
    assert WHO not in left
    assert left.count(f"of {ELSE}") > len(TABLES)
    assert sorted(await bench.run(data.export, ELSE)) == sorted(TABLES)


async def test_what_meta_repeats_after_an_erasure_is_known_and_what_is_new_is_answered(
    bench, store
):
    await store.put([arrival("m1", WHO)])
    claim = await claim_one(store)
    await store.run(steps.settle, claim, answered(claim))

    await bench.run(data.erase, [WHO])
    await store.put([arrival("m1", WHO)])
    repeated = await bench.query("SELECT contact, mid, payload, status FROM events")
    await store.put([arrival("m2", WHO)])

    assert repeated == [("", None, None, "counted")]
    assert [event.mid for event in (await claim_one(store)).events] == ["m2"]


async def test_a_message_that_waits_is_erased_unanswered(bench, store):
    await store.put([arrival("m1", WHO)])

    await bench.run(data.erase, [WHO])

    assert await bench.query("SELECT due_at FROM conversations") == []
    assert await bench.query("SELECT status FROM events") == [("counted",)]


async def test_the_echo_of_what_was_sent_before_an_erasure_is_no_persons(bench, store):
    step = await sending(store, "We open at nine", contact=WHO)
    await store.run(steps.sent, step, "mid-1")
    await bench.run(data.erase, [WHO])
    late = echo("mid-1", "We open at nine", WHO)._replace(key=mid_key(Kind.ECHO, "shop", "mid-1"))

    await store.put([late])

    assert await bench.query("SELECT paused_until FROM conversations") == []


async def test_whoever_is_being_answered_is_left_for_another_try(bench, store):
    await store.put([arrival("m1", WHO)])
    claim = await claim_one(store)

    busy = await bench.run(data.erase, [WHO])
    bench.clock.move(LEASE + 1)
    free = await bench.run(data.erase, [WHO])

    assert (busy.rows, busy.busy) == (0, {WHO})
    assert (free.busy, free.sessions) == (frozenset(), (("shop", WHO, 0),))
    with pytest.raises(Exception, match="fence"):  # its worker may not write any more
        await store.run(steps.settle, claim, answered(claim, "too late"))


async def test_one_account_s_data_stay_when_another_s_are_erased(bench, store):
    await store.put([arrival("m1", WHO), arrival("m2", WHO, account="café")])

    await bench.run(data.erase, [WHO], "shop")

    assert await bench.query("SELECT account FROM conversations") == [("café",)]
    assert await bench.run(data.contacts_of, "shop") == []
    assert await bench.run(data.contacts_of, "café") == [WHO]


async def test_a_deletion_is_written_down_once_and_forgets_whose_it_was(bench):
    deletion = Deletion("code1", "", WHO)
    asked = [await bench.run(deletions.ask, deletion) for _ in range(2)]
    pending = await bench.run(deletions.pending)
    bench.clock.move(5)
    await bench.run(deletions.finish, "code1")

    status = await bench.run(deletions.status, "code1")
    assert asked == [True, False]
    assert pending == [deletion]
    assert status is not None
    assert status.done_at == status.asked_at + 5
    assert await bench.run(deletions.pending) == []
    assert WHO not in await dump(bench)


async def test_a_deletion_is_known_by_its_code_for_ninety_days(bench):
    await bench.run(deletions.ask, Deletion("code1", "", WHO))
    await bench.run(deletions.finish, "code1")

    bench.clock.move(deletions.KNOWN_FOR)
    kept = await bench.run(deletions.forget)
    bench.clock.move(1)

    assert (kept, await bench.run(deletions.forget)) == (0, 1)
    assert await bench.run(deletions.status, "code1") is None
