"""What orchestrators and monitoring ask the service, over real HTTP."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.types import ASGIApp

from ak_instagram.app import make_app, open_service
from ak_instagram.errors import StoreUnavailable
from ak_instagram.health import Probes
from ak_instagram.jobs import running
from ak_instagram.settings.model import (
    AgentSettings,
    InstagramSettings,
    Settings,
    StoreSettings,
)
from instagram_simulator import Simulator
from tests.support.loopback import loopback

NAMES = {
    "ak_instagram_webhooks",
    "ak_instagram_webhook_seconds",
    "ak_instagram_signatures",
    "ak_instagram_signed_requests",
    "ak_instagram_events",
    "ak_instagram_events_unreadable",
    "ak_instagram_events_stored",
    "ak_instagram_events_duplicate",
    "ak_instagram_turns",
    "ak_instagram_turn_seconds",
    "ak_instagram_turns_active",
    "ak_instagram_dead_letters",
    "ak_instagram_account_stopped",
    "ak_instagram_delivery_attempts",
    "ak_instagram_delivery_seconds",
    "ak_instagram_typing_failures",
    "ak_instagram_parts_refused",
    "ak_instagram_jobs_dead",
    "ak_instagram_oldest_due_seconds",
    "ak_instagram_conversations_due",
    "ak_instagram_pieces_parked",
    "ak_instagram_dead_letters_kept",
    "ak_instagram_newest_event_timestamp_seconds",
    "ak_instagram_build_info",
}


class Asking:
    """A client that asks for a path's status and body."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session, self.url = session, url

    async def __call__(self, path: str) -> tuple[int, str]:
        async with self.session.get(f"{self.url}{path}", allow_redirects=False) as response:
            return response.status, await response.text()


@asynccontextmanager
async def asking(app: ASGIApp):
    async with loopback(app) as url, aiohttp.ClientSession() as session:
        yield Asking(session, url)


@pytest.fixture
async def service(tmp_path):
    """The whole service, with the echo agent and a Meta of its own."""
    async with Simulator() as meta:
        settings = Settings(
            instagram=InstagramSettings("verify", "IGAAsimulator", graph_url=meta.url),
            agent=AgentSettings("echo"),
            store=StoreSettings(f"sqlite:///{tmp_path}/store.db"),
        )
        async with open_service(settings) as service:
            yield service


@pytest.fixture
async def ask(service):
    """Asks the service."""
    async with asking(make_app(service)) as ask:
        yield ask


class SilentStore:
    """A store that never answers, or refuses."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    async def ping(self) -> None:
        if self.error:
            raise self.error
        await asyncio.Event().wait()


def probes(store: SilentStore, dead_jobs) -> Starlette:
    """Return an app of nothing but the probes."""
    return Starlette(routes=Probes(store, dead_jobs).routes())


async def test_a_service_that_runs_is_healthy_live_and_ready(ask):
    assert await ask("/health") == (200, '{"status":"ok"}')
    assert await ask("/livez") == (200, '{"dead_jobs":[]}')
    assert await ask("/readyz") == (200, '{"store":"ok"}')


async def test_no_family_tells_when_counting_began(ask):
    _, text = await ask("/metrics")

    assert [it.name for it in text_string_to_metric_families(text) if "_created" in it.name] == []


async def test_the_metrics_have_the_names_that_dashboards_use(ask):
    status, text = await ask("/metrics")

    assert status == 200
    families = {family.name for family in text_string_to_metric_families(text)}
    assert families >= NAMES


async def test_a_message_is_counted_from_its_webhook_to_its_delivery(ask):
    before = samples(await ask("/metrics"))
    body = {"object": "instagram", "entry": [{"id": "1", "messaging": ["unreadable"]}]}

    async with ask.session.post(f"{ask.url}/instagram/webhook", json=body) as response:
        assert response.status == 200

    after = samples(await ask("/metrics"))
    changed = {name for name in after if after[name] != before.get(name, 0)}
    assert 'ak_instagram_webhooks_total{"status": "200"}' in changed
    assert "ak_instagram_events_unreadable_total{}" in changed


def samples(answer: tuple[int, str]) -> dict[str, float]:
    """Return each sample's value by its name and labels."""
    return {
        f"{sample.name}{json.dumps(sample.labels)}": sample.value
        for family in text_string_to_metric_families(answer[1])
        for sample in family.samples
    }


async def test_a_store_whose_file_is_locked_is_not_ready_until_it_is_free(ask, tmp_path):
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    locked = await ask("/readyz")

    other.execute("ROLLBACK")
    other.close()
    assert locked == (503, '{"store":"takes no writes"}')
    assert (await ask("/livez"))[0] == 200
    assert (await ask("/readyz"))[0] == 200


@pytest.mark.parametrize("error", [None, StoreUnavailable("gone")], ids=["hangs", "refuses"])
async def test_a_store_that_does_not_answer_is_not_ready(error):
    async with asking(probes(SilentStore(error), list)) as ask:
        assert await ask("/readyz") == (503, '{"store":"takes no writes"}')


async def test_a_job_that_died_turns_the_liveness_probe_red():
    async def dies() -> None:
        raise ZeroDivisionError

    async def lives() -> None:
        await asyncio.Event().wait()

    async with running(worker=dies(), renewal=lives()) as jobs:
        await asyncio.wait(jobs.tasks, return_when=asyncio.FIRST_COMPLETED)
        async with asking(probes(SilentStore(None), jobs.dead)) as ask:
            assert await ask("/livez") == (503, '{"dead_jobs":["worker"]}')
            assert "ak_instagram_jobs_dead 1.0" in (await ask("/metrics"))[1]


@pytest.mark.parametrize("path", ["/instagram/webhook", "/instagram/webhook/"])
async def test_the_webhook_is_served_with_and_without_a_slash_at_its_end(ask, path):
    handshake = "hub.mode=subscribe&hub.verify_token=verify&hub.challenge=1158201444"
    body = {"object": "instagram", "entry": []}

    verified = await ask(f"{path}?{handshake}")
    async with ask.session.post(f"{ask.url}{path}", json=body, allow_redirects=False) as response:
        taken = response.status

    assert verified == (200, "1158201444")
    assert taken == 200


@pytest.mark.parametrize("path", ["/", "/docs", "/admin", "/instagram", "/instagram/webhook/x"])
async def test_there_is_nothing_else(ask, path):
    assert (await ask(path))[0] == 404


@pytest.mark.parametrize(
    ("path", "status", "is_routed"),
    [
        pytest.param("/instagram/webhook", 403, False, id="webhook"),
        pytest.param("/instagram/webhook/", 403, False, id="webhook-with-a-slash"),
        pytest.param("/livez", 200, True, id="probe"),
        pytest.param("/instagram", 404, True, id="nothing"),
    ],
)
async def test_what_meta_sends_goes_straight_to_its_endpoint(service, path, status, is_routed):
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"here")],
    }
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await make_app(service)(scope, receive, send)

    assert sent[0]["status"] == status
    assert ("router" in scope) == is_routed
