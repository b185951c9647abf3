"""Tokens are refreshed in time by one replica, kept encrypted, and used by all at once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from sqlalchemy import text

from ak_instagram.store.maintenance import open_for_maintenance
from ak_instagram.store.statement import Statement
from ak_instagram.tokens.life import written
from instagram_simulator import Fault, FaultKind
from qa.support import postgres
from qa.support.service import Service
from tests.support.forking import forked
from tests.support.stage import ACCOUNT, Stage, open_stage

OLD_KEY, KEY = (
    "b2xkLWtleS1vZi0zMi1ieXRlcy1mb3ItdGhlLXRlc3Q=",
    "a2V5LW9mLTMyLWJ5dGVzLWZvci10aGUtdGVzdC0wMTI=",
)
DAY = 86_400_000
PATIENCE = 20.0  # seconds: a look of the keeper is every five


@pytest.fixture(scope="module")
def server():
    server = postgres.launch()
    yield server
    postgres.discard(server)


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    return request.getfixturevalue("server").database()


@pytest_asyncio.fixture
async def stage(tmp_path, store_url):
    settings = {"store__url": store_url, "store__encryption_key": KEY}
    async with open_stage(tmp_path, **settings) as stage:
        yield stage


async def change(stage: Stage, sql: str, **values: object) -> None:
    """Change the service's store by hand, as time would."""
    async with open_for_maintenance(stage.service.settings["store.url"]) as store:
        await store.run(lambda tx: Statement(text(sql)).run(tx, **values))


async def query(stage: Stage, sql: str) -> list[tuple[Any, ...]]:
    async with open_for_maintenance(stage.service.settings["store.url"]) as store:
        return [tuple(row) for row in await store.run(lambda tx: Statement(text(sql)).rows(tx))]


def event(name: str, **facts: object) -> Callable[[Mapping[str, Any]], bool]:
    """Return what matches a log line called *name* with these *facts*."""
    return lambda line: line["event"] == name and facts.items() <= line.items()


async def until_seen(stage: Stage) -> None:
    """Return once the store knows the account."""
    await stage.service.until_logged(event("account.identified"))
    await stage.service.until_logged(event("token.seen"), within=PATIENCE)


async def metrics_of(service: Service, session: aiohttp.ClientSession) -> str:
    async with session.get(f"{service.url}/metrics") as answer:
        text = await answer.text()
    return "\n".join(line for line in text.splitlines() if "{account=" in line)


def refreshes(stage: Stage) -> list[int | None]:
    """Return the statuses of the calls that refreshed, or did not."""
    return [
        entry.data["status"]
        for entry in stage.meta.journal.known()
        if entry.kind == "graph" and entry.data["path"].endswith("/refresh_access_token")
    ]


@asynccontextmanager
async def another(stage: Stage, folder, **settings: str) -> AsyncIterator[Service]:
    """Yield another process with the stage's settings and these, by their keys."""
    changes = {key.replace("__", "."): value for key, value in settings.items()}
    kept = {key: it for key, it in stage.service.settings.items() if key != "server.port"}
    service = Service(folder, kept | changes, start=forked)
    await service.start()
    try:
        yield service
    finally:
        await service.stop()
    assert Stage(stage.meta, stage.agent, service).leaks() == []


async def test_a_token_that_is_due_is_refreshed_and_used_without_a_restart(stage):
    await until_seen(stage)
    mia = stage.person()

    await change(stage, "UPDATE accounts SET refresh_at = 1")
    line = await stage.service.until_logged(event("token.refreshed"), within=PATIENCE)
    await stage.service.until_logged(event("token.used"), within=PATIENCE)
    stage.meta.world.revoke_token(ACCOUNT.access_token)
    stage.meta.phones.say(mia, "By the new token")
    await stage.until_answered(mia)

    assert line["account"] == ACCOUNT.account_id
    assert refreshes(stage) == [200]
    [(sealed, failures)] = await query(stage, "SELECT sealed, failures FROM accounts")
    assert "IGAA" not in sealed
    assert failures == 0
    # The token of the settings is dead, and the next start does not need it.
    await stage.service.stop()
    await stage.restart()
    stage.meta.phones.say(mia, "After a restart")
    await stage.until_answered(mia, 2)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_a_refresh_that_fails_keeps_the_token_and_says_when_it_tries_again(stage):
    await until_seen(stage)
    mia = stage.person()
    stage.meta.fail(Fault(FaultKind.TEMPORARY, on="read", times=1))

    await change(stage, "UPDATE accounts SET refresh_at = 1")
    line = await stage.service.until_logged(event("token.refresh_failed"), within=PATIENCE)
    stage.meta.phones.say(mia, "By the old token")
    await stage.until_answered(mia)
    code, shown = await stage.service.command("token", "show")

    assert line["reason"].startswith("Meta did not answer (transient: ")
    assert line["next_try"] > line["timestamp"][:16]
    assert code == 0
    assert "failed    1 times: Meta did not answer (transient: " in shown
    assert "as set in the settings" in shown


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_another_key_is_named_and_nothing_is_lost(stage):
    await until_seen(stage)
    mia = stage.person()
    code, output = await stage.service.command("token", "refresh")
    assert (code, output.splitlines()[-1]) == (0, f"{ACCOUNT.account_id}: refreshed")
    await stage.service.until_logged(event("token.used"), within=PATIENCE)

    await stage.service.stop()
    stage.service.settings["store.encryption_key"] = OLD_KEY
    await stage.restart()
    line = await stage.service.until_logged(event("token.locked"))
    stage.meta.phones.say(mia, "By the settings' token")
    await stage.until_answered(mia)
    code, shown = await stage.service.command("token", "show")
    await stage.service.stop()
    stage.service.settings["store.encryption_key"] = f"{OLD_KEY},{KEY}"
    seen = len(stage.service.lines)
    await stage.restart()

    assert line["reason"] == "it was encrypted with a key that is not in store.encryption_key"
    assert "put the former key after a comma" in line["fix"]
    assert code == 1
    assert "locked    the key that encrypted it is not in store.encryption_key" in shown
    await stage.service.until_logged(event("token.used"), after=seen)
    # It was encrypted anew, with the first key, so that the other can be taken out.
    await stage.service.stop()
    stage.service.settings["store.encryption_key"] = OLD_KEY
    seen = len(stage.service.lines)
    await stage.restart()
    await stage.service.until_logged(event("token.used"), after=seen)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_a_token_s_end_is_told_by_log_metric_and_command(stage):
    """Ten, five and two days before, and when it is over: each once."""
    await until_seen(stage)
    steps = [(9, "warning"), (4, "warning"), (1, "error"), (-1, "error")]
    told, ends, states, codes = [], [], [], []
    async with aiohttp.ClientSession() as session:
        for days, _ in steps:
            seen = len(stage.service.lines)
            end = stage.meta.world.clock.now() + days * DAY + DAY // 2
            ends.append(end)
            await change(stage, "UPDATE accounts SET expires_at = :at, refresh_at = NULL", at=end)
            name = "token.expires" if days > 0 else "token.expired"
            line = await stage.service.until_logged(event(name), after=seen, within=PATIENCE)
            told.append((line["level"], line["is_known"], line["at"]))
            code, shown = await stage.service.command("token", "show", "--json")
            codes.append(code)
            states.append(json.loads(shown)["state"])
        metrics = await metrics_of(stage.service, session)

    assert told == [
        (level, True, written(end)) for (_, level), end in zip(steps, ends, strict=True)
    ]
    assert states == ["expires", "expires", "expires", "expired"]
    assert codes == [0, 0, 0, 1]
    series = f'ak_instagram_token_expires_timestamp_seconds{{account="{ACCOUNT.account_id}"}}'
    [metric] = [each for each in metrics.splitlines() if each.startswith(series)]
    assert abs(float(metric.split()[1]) - ends[-1] / 1000) < 1


@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
async def test_of_two_replicas_one_refreshes_and_both_use_it(stage, tmp_path_factory):
    await until_seen(stage)
    mia = stage.person()
    async with another(stage, tmp_path_factory.mktemp("other")) as other:
        await change(stage, "UPDATE accounts SET refresh_at = 1")
        for service in (stage.service, other):
            await service.until_logged(event("token.used"), within=PATIENCE)
        stage.meta.world.revoke_token(ACCOUNT.access_token)

        for webhook in (stage.service.webhook, other.webhook):
            stage.meta.deliveries.url = webhook
            stage.meta.phones.say(mia, "Hello")
            await stage.meta.settled()
        await stage.until_answered(mia, 2)

    assert refreshes(stage) == [200]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_an_expired_token_at_the_start_is_named(stage, tmp_path_factory):
    stage.meta.world.clock.advance(61 * 24 * 3600)
    folder = tmp_path_factory.mktemp("late")

    async with another(stage, folder, store__url=f"sqlite:///{folder}/store.db") as late:
        line = await late.until_logged(event("account.lookup_failed"))

    assert "the token has expired code=190 subcode=463" in line["reason"]
    assert line["fix"] == "set a new token, or grant the permission that the reason names"


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_without_a_key_it_is_said_that_no_token_is_refreshed(stage, tmp_path_factory):
    folder = tmp_path_factory.mktemp("keyless")
    settings = {"store__url": f"sqlite:///{folder}/store.db", "store__encryption_key": ""}

    async with another(stage, folder, **settings) as keyless:
        line = await keyless.until_logged(event("token.not_refreshed"), within=PATIENCE)
        code, output = await keyless.command("token", "refresh")

    assert line["fix"].startswith("set AK_STORE__ENCRYPTION_KEY, or a new token before 20")
    assert code == 1
    assert "store.encryption_key (AK_STORE__ENCRYPTION_KEY) is not set" in output
    assert refreshes(stage) == []
