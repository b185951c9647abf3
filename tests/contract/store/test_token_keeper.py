"""The keeper uses what the store knows: tokens that changed, and accounts that came or left."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from ak_instagram.delivery.accounts import Accounts
from ak_instagram.errors import Transient
from ak_instagram.meta.graph.codes import ErrorClass
from ak_instagram.meta.graph.errors import GraphError
from ak_instagram.meta.graph.token_calls import IssuedToken
from ak_instagram.settings.model import Account
from ak_instagram.store.store import Store
from ak_instagram.store.verbs.accounts import rows
from ak_instagram.tokens.keeper import TokenKeeper
from ak_instagram.tokens.life import digest
from ak_instagram.tokens.refreshing import new_token
from ak_instagram.tokens.vault import Vault
from tests.support.fakes import FakeGraph
from tests.support.store_bench import DAY, START

OLD, NEW = (base64.b64encode(byte * 32).decode() for byte in (b"a", b"b"))
SHOP = Account("IGAAshop")
THIRD = IssuedToken("IGAAthird", 60 * 86_400)


@dataclass
class FakeRefreshes:
    """Gives the next of *answers*, or raises it; remembers which tokens it was asked for."""

    answers: list[IssuedToken | GraphError]
    asked: list[str] = field(default_factory=list)

    async def refresh(self, token: str) -> IssuedToken:
        self.asked.append(token)
        answer = self.answers.pop(0)
        if isinstance(answer, GraphError):
            raise answer
        return answer


@dataclass
class Process:
    """A process on a store, with the encryption *keys*; *woken* are the accounts that changed."""

    store: Store
    keys: tuple[str, ...] = (OLD,)
    answers: list = field(default_factory=list)
    woken: list[str] = field(default_factory=list)

    def __post_init__(self):
        self.accounts = Accounts([SHOP], FakeGraph(), may_grow=True)
        self.calls = FakeRefreshes(self.answers)
        self.keeper = TokenKeeper(
            self.store, self.calls, self.accounts, [SHOP], Vault(self.keys), self.wake, agent="main"
        )

    async def wake(self, account: str) -> None:
        self.woken.append(account)


async def connect(store) -> None:
    new = new_token(Vault([OLD]), "3", THIRD, START)
    await store.run(rows.connect, "3", "cafe.bar", new)


async def test_a_connected_account_is_answered_for_and_asks_the_common_agent(store):
    await connect(store)
    process = Process(store)

    await process.keeper.look()

    assert process.accounts.find("3") == Account("IGAAthird", "3", agent="main")
    assert process.woken == ["3"]
    await store.run(rows.disconnect, "3")
    await process.keeper.look()
    with pytest.raises(Transient, match="Meta has not said yet"):
        process.accounts.find("3")


async def test_a_connected_account_whose_key_is_gone_waits_until_it_is_back(store):
    await connect(store)
    process = Process(store, keys=(NEW,))

    with capture_logs() as logs:
        await process.keeper.look()

    assert [line["event"] for line in logs] == ["token.locked", "token.seen"]
    with pytest.raises(Transient, match=r"not in store\.encryption_key"):
        process.accounts.find("3")
    mended = Process(store, keys=(NEW, OLD))
    await mended.keeper.look()
    assert mended.accounts.find("3") == Account("IGAAthird", "3", agent="main")
    alone = Process(store, keys=(NEW,))  # it was encrypted anew
    await alone.keeper.look()
    assert alone.accounts.find("3") == Account("IGAAthird", "3", agent="main")


async def test_a_refresh_takes_the_token_that_is_in_use_and_the_result_is_used(bench, store):
    await store.run(rows.see, "1", "shop", digest("IGAAshop"), expires=True)
    process = Process(store, answers=[IssuedToken("IGAAsecond", 60 * 86_400), THIRD])

    bench.clock.move(DAY)
    await process.keeper.look()
    bench.clock.move(30 * DAY)
    await process.keeper.look()

    assert process.calls.asked == ["IGAAshop", "IGAAsecond"]
    found = process.accounts.find("1")
    assert found is not None
    assert found.access_token == "IGAAthird"
    assert process.woken == ["1", "1"]


@pytest.mark.parametrize(
    ("error", "again"),
    [
        pytest.param(
            GraphError(ErrorClass.TRANSIENT), (DAY + 300_000, DAY + 600_000), id="meta-is-away"
        ),
        pytest.param(
            GraphError(ErrorClass.BAD_REQUEST, code=100), (2 * DAY, 2 * DAY), id="too-young"
        ),
        pytest.param(
            GraphError(ErrorClass.AUTHORIZATION, code=190, subcode=463), None, id="expired"
        ),
    ],
)
async def test_a_refresh_that_fails_is_tried_again_by_its_reason(bench, store, error, again):
    await store.run(rows.see, "1", "shop", digest("IGAAshop"), expires=True)
    process = Process(store, answers=[error])
    bench.clock.move(DAY)

    await process.keeper.look()

    row = await store.run(rows.find, "1")
    assert (row.failures, row.sealed) == (1, None)
    if again is None:
        assert row.refresh_at is None
    else:
        assert again[0] <= row.refresh_at - START <= again[1]
    assert process.accounts.current() == (SHOP,)


async def test_what_other_settings_began_is_left_alone(bench, store):
    """A replica with another token in its settings has not the one that is to be refreshed."""
    await store.run(rows.see, "1", "shop", digest("IGAAof-another"), expires=True)
    process = Process(store, answers=[THIRD])
    bench.clock.move(DAY)

    await process.keeper.look()

    assert process.calls.asked == []
    assert len(await store.run(rows.lease_due, 1)) == 1, "the lease was given back"
