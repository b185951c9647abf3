"""What an operator stops waits for its account, and each process that lets go wakes it."""

from __future__ import annotations

import pytest

from ak_instagram.delivery.circuit_breaker import HELD, CircuitBreaker
from ak_instagram.delivery.stop_switch import StopSwitch
from ak_instagram.store.store import Store
from ak_instagram.store.values import ALL_ACCOUNTS, Claim, WaitReason
from ak_instagram.store.verbs import steps
from ak_instagram.store.verbs.operators import stops
from tests.support.store_bench import START, arrival, claim_one, mids


class Process:
    """A process as far as it holds what is stopped."""

    def __init__(self, store: Store, *, enabled: bool = True) -> None:
        self.store = store
        self.circuit_breaker = CircuitBreaker()
        self.switch = StopSwitch(store, self.circuit_breaker, enabled=enabled)

    async def put_back(self, claim: Claim) -> None:
        """Do with *claim* as answering and delivery do while sending is stopped."""
        after = self.circuit_breaker.open_for(claim.account, claim.contact)
        assert after == HELD
        await self.store.run(
            steps.retry, claim, after=after, why="stopped", wait_reason=WaitReason.ACCOUNT
        )


async def due(store: Store) -> list[list[str | None]]:
    return [mids(claim) for claim in await store.run(steps.claim_due, 10)]


@pytest.mark.parametrize("account", [ALL_ACCOUNTS, "shop"])
async def test_a_process_that_hears_late_of_a_resume_wakes_what_it_put_back(bench, account):
    early, late = Process(bench.store("early")), Process(bench.store("late"))
    await early.store.run(stops.stop, account)
    await early.switch.look()
    await late.switch.look()
    await early.store.put([arrival("m1")])
    await early.put_back(await claim_one(early.store))

    await early.store.run(stops.resume, account)
    await early.switch.look()
    await late.put_back(await claim_one(late.store))
    until_then = await due(late.store)
    await late.switch.look()

    assert until_then == []
    assert await due(late.store) == [["m1"]]


async def test_waiting_uses_up_no_attempt_and_is_no_backlog(bench):
    process = Process(bench.store())
    await process.store.run(stops.stop, ALL_ACCOUNTS)
    await process.switch.look()
    await process.store.put([arrival("m1")])
    for _ in range(3):
        await process.put_back(await claim_one(process.store))
        bench.clock.move(int(HELD * 1000))

    states = await bench.query("SELECT attempts, waits_for FROM conversations")
    assert states == [(0, "account")]


async def test_an_account_that_was_stopped_by_itself_stays_so(store):
    assert await store.run(stops.stop, "shop")
    assert await store.run(stops.stop, ALL_ACCOUNTS)
    assert not await store.run(stops.stop, "shop"), "it was stopped already"

    assert await store.run(stops.resume, ALL_ACCOUNTS)
    assert not await store.run(stops.resume, ALL_ACCOUNTS)

    assert await store.run(stops.stopped) == {"shop": START}


async def test_a_service_that_may_not_send_holds_all_whatever_the_store_says(store):
    process = Process(store, enabled=False)

    await process.switch.look()

    assert process.circuit_breaker.open_for("shop", "anna") == HELD
    assert process.circuit_breaker.open_for("cafe", "ben") == HELD
