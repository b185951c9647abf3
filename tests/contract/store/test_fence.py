"""A worker that lost its lease can write nothing, with any verb, not even what it had begun."""

from __future__ import annotations

import inspect

import pytest

from ak_instagram.errors import LeaseLost
from ak_instagram.store.verbs import claims, steps
from tests.support.store_bench import LEASE, answered, arrival, claim_one

TABLES = ("conversations", "events", "outbox", "transcript")
VERBS = {
    "settle": lambda store, old: store.run(steps.settle, old, answered(old, "I was stopped")),
    "sent": lambda store, old: store.run(steps.sent, old, "mid-old"),
    "degrade": lambda store, old: store.run(steps.degrade, old, "why"),
    "give_up": lambda store, old: store.run(steps.give_up, old, "why"),
    "close_window": lambda store, old: store.run(steps.close_window, old, "why"),
    "retry": lambda store, old: store.run(steps.retry, old, after=0, why="why"),
    "defer": lambda store, old: store.run(steps.defer, old, 60.0),
    "sent_ids": lambda store, old: store.run(steps.sent_ids, old),
}


def test_every_verb_of_a_step_is_tried_here():
    functions = inspect.getmembers(steps, inspect.isfunction)
    verbs = {
        name
        for name, it in functions
        if list(inspect.signature(it).parameters)[:2] == ["tx", "claim"]
    }

    assert {name for name in verbs if name[0] != "_"} == set(VERBS)


@pytest.mark.parametrize("is_taken_over", [True, False], ids=["taken-over", "let-go"])
async def test_an_old_holder_writes_nothing_with_any_verb(bench, is_taken_over):
    old_store, new_store = bench.store("old"), bench.store("new")
    held = {verb: await hold(old_store, verb) for verb in VERBS}
    bench.clock.move(LEASE)
    if is_taken_over:
        assert len(await new_store.claim(len(VERBS))) == len(VERBS)
    else:
        await old_store.run(claims.release_all)
    before = await everything(bench)

    for verb, claim in held.items():
        with pytest.raises(LeaseLost):
            await VERBS[verb](old_store, claim)

    assert await everything(bench) == before


async def hold(store, verb: str):
    """Return a claim that *verb* would be for, of a conversation of its own."""
    await store.put([arrival(f"of-{verb}", verb)])
    claim = await claim_one(store)
    if verb == "settle":
        return claim
    return await store.run(steps.settle, claim, answered(claim, "one", turn=f"turn-{verb}"))


async def everything(bench) -> list[list[tuple]]:
    queries = [f"SELECT * FROM {table}" for table in TABLES]  # noqa: S608 - our own names
    return [sorted(await bench.query(query), key=repr) for query in queries]
