"""Accounts are found by the ids that webhooks carry, whichever of them was configured."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from ak_instagram.delivery.accounts import Accounts
from ak_instagram.errors import Transient
from ak_instagram.meta.graph.client import Profile
from ak_instagram.meta.graph.codes import ErrorClass
from ak_instagram.meta.graph.errors import GraphError
from ak_instagram.settings.model import Account
from tests.support.fakes import FakeGraph

SHOP, CAFE = Account("t-shop"), Account("t-cafe", "222")
PROFILES = {"t-shop": Profile("111", "app-1", "shop"), "t-cafe": Profile("222", "app-2", "cafe")}


async def learnt(accounts: Accounts, graph: FakeGraph) -> Accounts:
    """Return the accounts once Meta has answered."""
    task = asyncio.create_task(accounts.learn())
    await graph.until("me")
    await asyncio.sleep(0)
    task.cancel()
    return accounts


async def test_a_single_account_answers_before_meta_was_asked():
    assert Accounts([SHOP], FakeGraph()).find("anything") is SHOP


async def test_one_of_several_has_to_wait_for_meta_unless_it_is_configured():
    accounts = Accounts([SHOP, CAFE], FakeGraph())

    assert accounts.find("222") is CAFE
    with pytest.raises(Transient):
        accounts.find("111")


async def test_both_ids_of_me_lead_to_the_account():
    graph = FakeGraph(profiles=PROFILES)

    accounts = await learnt(Accounts([SHOP, CAFE], graph), graph)

    assert [accounts.find(it) for it in ("111", "app-1", "222", "app-2")] == [
        SHOP,
        SHOP,
        CAFE,
        CAFE,
    ]


async def test_an_account_that_is_not_configured_is_logged_once():
    graph = FakeGraph(profiles=PROFILES)
    accounts = await learnt(Accounts([SHOP], graph), graph)

    with capture_logs() as logs:
        found = [accounts.find("333"), accounts.find("333")]

    assert found == [None, None]
    assert [line["event"] for line in logs] == ["account.not_configured"]


async def test_learning_goes_on_while_one_token_is_dead():
    graph = FakeGraph(
        profiles=PROFILES | {"t-cafe": GraphError(ErrorClass.AUTHORIZATION, code=190)}
    )

    accounts = await learnt(Accounts([SHOP, CAFE], graph), graph)

    assert accounts.find("111") is SHOP
    with pytest.raises(Transient):
        accounts.find("333")


# --- accounts that come, go and change ------------------------------------------


async def test_another_token_is_used_for_every_id_of_the_account():
    graph = FakeGraph(profiles=PROFILES)
    accounts = await learnt(Accounts([SHOP, CAFE], graph), graph)
    renewed = replace(SHOP, access_token="t-new", account_id="111")

    accounts.adopt(PROFILES["t-shop"], renewed, instead_of=SHOP)

    assert [accounts.find(it) for it in ("111", "app-1", "222")] == [renewed, renewed, CAFE]
    assert {each.account for each in accounts.identified()} == {renewed, CAFE}


async def test_an_account_whose_settings_token_is_dead_is_known_by_the_store():
    """It is asked with the other token then, and nothing waits for that."""
    accounts = Accounts([SHOP, CAFE], graph := FakeGraph(profiles={}))
    renewed = Account("t-new", "111")

    accounts.adopt(PROFILES["t-shop"], renewed, instead_of=SHOP)

    assert accounts.find("111") is renewed
    graph.profiles = {"t-new": PROFILES["t-shop"], "t-cafe": PROFILES["t-cafe"]}
    await learnt(accounts, graph)
    assert accounts.find("app-1") is renewed


async def test_an_account_that_was_connected_may_leave_again():
    accounts = Accounts([], FakeGraph(), may_grow=True)
    accounts.adopt(PROFILES["t-cafe"], CAFE)
    assert accounts.find("222") is CAFE

    accounts.remove("222")

    assert accounts.identified() == ()
    with pytest.raises(Transient):
        accounts.find("222")


async def test_an_unknown_account_waits_until_somebody_has_looked_for_it():
    accounts = Accounts([], FakeGraph(), may_grow=True)
    with pytest.raises(Transient):
        accounts.find("222")
    assert accounts.news.is_set()

    accounts.settle(accounts.doubts())

    assert accounts.find("222") is None
    accounts.adopt(PROFILES["t-cafe"], CAFE)
    assert accounts.find("222") is CAFE


async def test_an_account_whose_token_can_t_be_read_waits_instead_of_being_ignored():
    accounts = Accounts([], FakeGraph())
    accounts.hold("222", "its token can't be read")

    with pytest.raises(Transient, match="can't be read") as waiting:
        accounts.find("222")

    assert waiting.value.retry_after == 300
    accounts.adopt(PROFILES["t-cafe"], CAFE)
    assert accounts.find("222") is CAFE


async def test_an_account_has_one_id_in_webhooks_whatever_meta_calls_it():
    graph = FakeGraph(profiles=PROFILES)
    accounts = await learnt(Accounts([SHOP, CAFE], graph), graph)

    ids = [accounts.webhook_id(it) for it in ("111", "app-1", "222", "app-2", "a-person")]

    assert ids == ["111", "111", "222", "222", None]


async def test_before_meta_has_told_only_what_is_configured_is_known():
    accounts = Accounts([SHOP, CAFE], FakeGraph())

    assert accounts.webhook_id("222") == "222"
    with pytest.raises(Transient):
        accounts.webhook_id("app-2")
