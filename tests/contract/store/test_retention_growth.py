"""Weeks of everything that can happen leave no more behind than one retention's worth of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from ak_instagram.meta.events import Event
from ak_instagram.store.store import Store
from ak_instagram.store.values import Claim, EventStatus, PieceStatus, TranscriptLine, TurnResult
from ak_instagram.store.verbs import steps
from ak_instagram.store.verbs.retention import DAY, purge
from tests.support.store_bench import Bench, answered, arrival, echo, unsend

KEEP = 7  # days
WEEKS = 4
EACH = 3  # people a day to whom the same happens

COUNTS = {
    "events": "SELECT count(*) FROM events",
    "dead turns": "SELECT count(*) FROM events WHERE status = 'dead'",
    "outbox": "SELECT count(*) FROM outbox",
    "parked": "SELECT count(*) FROM outbox WHERE status = 'parked'",
    "dead pieces": "SELECT count(*) FROM outbox WHERE status = 'dead'",
    "conversations": "SELECT count(*) FROM conversations",
    "transcript": "SELECT count(*) FROM transcript",
    "echoes": "SELECT count(*) FROM echoes",
}


def heard(claim: Claim, mid: str, said: str) -> Event:
    """The account says something to the claim's person, whoever speaks for it."""
    return echo(f"{mid}-{claim.contact}", said, claim.contact)._replace(at=claim.events[0].at)


async def settled(store: Store, claim: Claim, result: TurnResult) -> Claim:
    step = await store.run(steps.settle, claim, result)
    assert step is not None
    return step


async def is_answered(store: Store, claim: Claim) -> None:
    lines = (TranscriptLine("user", "Hi"), TranscriptLine("assistant", "Hello"))
    step = await settled(store, claim, answered(claim, "one", "two", lines=lines))
    await store.put([heard(claim, "first", "one")])
    second = await store.run(steps.sent, step, f"first-{claim.contact}")
    assert second is not None
    await store.run(steps.sent, second, f"second-{claim.contact}")


async def fails_for_good(store: Store, claim: Claim) -> None:
    dead = dict.fromkeys((event.id for event in claim.events), EventStatus.DEAD)
    step = await settled(store, claim, replace(answered(claim, "Sorry."), events=dead))
    await store.run(steps.give_up, step, "the account is restricted")


async def is_parked(store: Store, claim: Claim) -> None:
    step = await settled(store, claim, answered(claim, "too", "late"))
    await store.run(steps.close_window, step, "Meta says that it is closed")


async def is_shown_by_its_echo(store: Store, claim: Claim) -> None:
    step = await settled(store, claim, answered(claim, "one"))
    await store.run(steps.retry, step, after=5, why="time-out", then=PieceStatus.SENDING)
    await store.put([heard(claim, "late", "one")])


async def is_taken_over(store: Store, claim: Claim) -> None:
    step = await settled(store, claim, answered(claim, "one", "two"))
    # Not at once, as what is automatic, nor the same to all.
    by_hand = heard(claim, "ann", f"I am Ann, {claim.contact}")
    by_hand = by_hand._replace(at=by_hand.at - 5000)
    await store.put([by_hand])
    await store.run(steps.sent, step, f"first-{claim.contact}")


async def is_taken_back(store: Store, claim: Claim) -> None:
    [event] = claim.events
    assert event.mid is not None
    await store.put([unsend(event.mid, claim.contact, event.at)])
    anew = await settled(store, claim, answered(claim, "one"))
    await store.run(steps.settle, anew, answered(anew))


FATES: Mapping[str, Callable[[Store, Claim], Awaitable[None]]] = {
    fate.__name__: fate
    for fate in (
        is_answered,
        fails_for_good,
        is_parked,
        is_shown_by_its_echo,
        is_taken_over,
        is_taken_back,
    )
}


async def day(bench: Bench, store: Store, number: int) -> None:
    """Let people write, each with a fate, and what is due end; then forget what is old."""
    people = [f"{fate}.{number}.{n}" for fate in FATES for n in range(EACH)]
    await store.put([arrival(f"m-{who}", who, bench.clock.now) for who in people])
    while claims := await due(bench, store):
        for claim in claims:
            await FATES[claim.contact.split(".")[0]](store, claim)
    bench.clock.move(DAY)
    while (await store.run(purge, KEEP * DAY)).total:
        pass


async def due(bench: Bench, store: Store) -> list[Claim]:
    return await store.run(steps.claim_due, 100)


async def counts(bench: Bench) -> dict[str, int]:
    return {name: (await bench.query(sql))[0][0] for name, sql in COUNTS.items()}


async def test_the_store_does_not_grow_without_bound(bench):
    store = bench.store(lines=10)
    sizes = []
    for week in range(WEEKS):
        for number in range(week * 7, week * 7 + 7):
            await day(bench, store, number)
        sizes.append(await counts(bench))

    assert all(count > 0 for count in sizes[1].values()), sizes
    assert sizes[1:] == [sizes[1]] * (WEEKS - 1)
