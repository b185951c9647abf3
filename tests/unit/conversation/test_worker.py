"""The worker outlives every failure, keeps conversations apart, and ends in order."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from ak_instagram.backoff import Backoff
from ak_instagram.conversation.worker import Worker
from ak_instagram.delivery.accounts import Accounts
from ak_instagram.errors import LeaseLost, StoreUnavailable, Transient
from ak_instagram.jobs import TaskSet
from ak_instagram.settings.model import Account
from ak_instagram.store.values import Claim, EventStatus, Piece, StoredEvent
from tests.support.fakes import FakeGraph, FakeSteps, FakeStore
from tests.support.store_bench import stop

SHOP = Account("token", "shop")
EVENT = StoredEvent(5, "message", "m1", 1000, "{}")
PIECE = Piece(7, "turn", 0, {"text": "hi"}, 1, False, 0, 0)


def claim(contact: str = "anna", **changes: Any) -> Claim:
    return replace(Claim("shop", contact, 1, events=(EVENT,)), **changes)


@asynccontextmanager
async def working(
    store: FakeStore,
    steps: FakeSteps,
    *,
    tasks: TaskSet | None = None,
    accounts: tuple[Account, ...] = (SHOP,),
    concurrency: int = 500,
):
    worker = Worker(
        store,
        Accounts(accounts, FakeGraph()),
        steps,
        steps,
        tasks or TaskSet(),
        concurrency=concurrency,
        backoff=Backoff(max_attempts=3, chance=lambda: 0.0),
        retry_claiming=0,
    )
    job = asyncio.create_task(worker.run_claims())
    try:
        async with asyncio.timeout(5):
            yield worker
    finally:
        await stop(job)


async def test_steps_follow_each_other_until_the_claim_ends():
    steps = FakeSteps(claim(piece=PIECE, events=()), None)

    async with working(FakeStore([[claim()]]), steps) as worker:
        await steps.taken_one.wait()
        await worker.drain(1)

    assert [step.piece for step in steps.taken] == [None, PIECE]


@pytest.mark.parametrize(
    ("accounts", "found"),
    [
        pytest.param((SHOP,), SHOP, id="configured"),
        pytest.param((), None, id="not-configured"),
    ],
)
async def test_every_step_of_a_claim_has_its_account(accounts, found):
    steps = FakeSteps(claim(piece=PIECE, events=()), None)

    async with working(FakeStore([[claim()]]), steps, accounts=accounts) as worker:
        await steps.taken_one.wait()
        await worker.drain(1)

    assert steps.accounts == [found, found]


async def test_a_conversation_waits_until_its_account_is_known():
    store, unknown = FakeStore([[claim()]]), (Account("t-1"), Account("t-2"))

    async with working(store, FakeSteps(), accounts=unknown):
        await store.told.wait()

    assert store.log == [("retry", 1, "sending", "account")]


async def test_conversations_do_not_wait_for_each_other():
    hanging = asyncio.Event()
    steps = FakeSteps(hanging, None)

    async with working(FakeStore([[claim("anna")], [claim("ben")]]), steps):
        await steps.until(2)

    assert [step.contact for step in steps.taken] == ["anna", "ben"]


async def test_no_more_is_claimed_than_may_run():
    store, hanging = FakeStore([[claim("anna")], [claim("ben")]]), asyncio.Event()
    steps = FakeSteps(hanging)

    async with working(store, steps, concurrency=1):
        await steps.taken_one.wait()
        assert store.claims == [[claim("ben")]]
        hanging.set()
        await steps.until(2)

    assert store.claims == []


@pytest.mark.parametrize(
    ("error", "failures", "entry"),
    [
        pytest.param(RuntimeError("bug"), 0, ("retry", 1, "sending", None), id="crash"),
        pytest.param(Transient("?"), 9, ("retry", 600, "sending", "account"), id="not-its-fault"),
        pytest.param(
            Transient("?", 900), 0, ("retry", 900, "sending", "account"), id="asked-for-later"
        ),
    ],
)
async def test_a_step_that_fails_is_tried_again_later(error, failures, entry):
    store, steps = FakeStore([[claim(failures=failures)]]), FakeSteps(error)

    async with working(store, steps):
        await store.told.wait()

    assert store.log == [entry]


async def test_a_step_that_always_crashes_becomes_a_dead_letter():
    store, steps = FakeStore([[claim(failures=2)]]), FakeSteps(RuntimeError("bug"))

    async with working(store, steps):
        await store.told.wait()

    [(verb, turn_result)] = store.log
    assert (verb, turn_result.events) == ("settle", {5: EventStatus.DEAD})


@pytest.mark.parametrize(("doubtful", "status"), [(True, "sending"), (False, "planned")])
async def test_the_piece_after_a_dead_letter_keeps_its_unknown_outcome(doubtful, status):
    behind = claim(piece=replace(PIECE, outcome_unknown=doubtful), events=())
    store = FakeStore([[claim(failures=2)]], next_step=lambda: behind)

    async with working(store, FakeSteps(RuntimeError("bug"))):
        await store.until(2)

    assert store.log[1:] == [("retry", 0, status, "other")]


@pytest.mark.parametrize("error", [LeaseLost("gone"), StoreUnavailable("full")])
async def test_a_conversation_that_is_not_ours_any_more_is_dropped(error):
    store, steps = FakeStore([[claim()], [claim("ben")]]), FakeSteps(error, None)

    async with working(store, steps):
        await steps.until(2)

    assert store.log == []


async def test_claiming_outlives_a_store_that_refuses():
    refusals = [StoreUnavailable("full"), RuntimeError("odd")]

    class RefusingAtFirst(FakeStore):
        async def claim(self, limit: int) -> list[Claim]:
            if refusals:
                raise refusals.pop()
            return await super().claim(limit)

    steps = FakeSteps(None)

    async with working(RefusingAtFirst([[claim()]]), steps):
        await steps.taken_one.wait()

    assert steps.taken == [claim()]


async def test_draining_waits_for_work_that_ends_in_time():
    hanging = asyncio.Event()
    steps = FakeSteps(hanging)

    async with working(FakeStore([[claim()]]), steps) as worker:
        await steps.taken_one.wait()
        asyncio.get_running_loop().call_later(0.01, hanging.set)
        await worker.drain(5)

    assert (hanging.is_set(), steps.cut_off) == (True, [])


async def test_draining_cuts_off_work_that_does_not_end_in_time():
    steps = FakeSteps(asyncio.Event())

    async with working(FakeStore([[claim()]]), steps) as worker:
        await steps.taken_one.wait()
        await worker.drain(0.01)

    assert steps.cut_off == ["anna"]


@pytest.mark.parametrize("seconds", [pytest.param(5, id="in-time"), pytest.param(0, id="late")])
async def test_draining_waits_for_background_work_and_cuts_it_off(seconds):
    ended: list[str] = []

    async def background() -> None:
        try:
            await asyncio.sleep(0.01)
            ended.append("in-time")
        except asyncio.CancelledError:
            ended.append("late")
            raise

    tasks = TaskSet()
    async with working(FakeStore(), FakeSteps(), tasks=tasks) as worker:
        tasks.spawn(background())
        await asyncio.sleep(0)
        await worker.drain(seconds)

    assert ended == ["in-time" if seconds else "late"]
    assert tasks.tasks == frozenset()
