"""Meta's callbacks where something is missing: a secret, the store, or whose id it is."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from ak_instagram.errors import StoreUnavailable, Transient
from ak_instagram.privacy.callbacks import PrivacyCallbacks, origin
from ak_instagram.privacy.deletions import Deletions
from ak_instagram.store.verbs.people import data, deletions
from instagram_simulator.webhooks.callbacks import signed_request
from tests.support.loopback import loopback
from tests.support.store_bench import Bench, arrival, stop

SECRET = "app-secret"


def signed(user_id: str) -> dict[str, str]:
    claims = {
        "algorithm": "HMAC-SHA256",
        "issued_at": int(time.time()),
        "expires": 0,
        "user_id": user_id,
    }
    return {"signed_request": signed_request(claims, SECRET)}


def unknown(_any_id: str) -> str | None:
    """Know no account yet."""
    raise Transient("Meta has not said yet which accounts the tokens belong to")


class RefusingStore:
    """A store that takes nothing."""

    async def run(self, *_: object, **__: object) -> Any:
        raise StoreUnavailable("disk full")


@pytest.fixture
async def bench(tmp_path):
    bench = Bench(f"sqlite:///{tmp_path}/store.db")
    async with bench.stack:
        await bench.open()
        yield bench


def callbacks(store, account_of, *, secrets=(SECRET,), hurry=lambda: None):
    """Return the callbacks, and the accounts that were disconnected."""
    gone: list[str] = []

    async def disconnect(account: str) -> None:
        gone.append(account)

    made = PrivacyCallbacks(
        store, app_secrets=secrets, account_of=account_of, disconnect=disconnect, hurry=hurry
    )
    return Starlette(routes=made.routes()), gone


async def post(app, path: str, form: dict[str, str]) -> tuple[int, str]:
    async with (
        loopback(app) as url,
        aiohttp.ClientSession() as session,
        session.post(f"{url}/instagram/{path}", data=form) as response,
    ):
        return response.status, await response.text()


@pytest.mark.parametrize("path", ["deauthorize", "data-deletion"])
async def test_without_a_secret_none_is_taken(path):
    app, gone = callbacks(RefusingStore(), lambda it: it, secrets=())

    assert await post(app, path, signed("1")) == (403, "rejected")
    assert gone == []


async def test_a_store_that_refuses_is_a_503_and_no_promise():
    app, _ = callbacks(RefusingStore(), lambda _: None)

    assert await post(app, "data-deletion", signed("1")) == (503, "try again")


@pytest.mark.parametrize(
    ("account_of", "account"),
    [
        pytest.param(lambda _: None, None, id="nobody-of-ours"),
        pytest.param(unknown, None, id="not-known-yet"),
        pytest.param(lambda _: "shop", "shop", id="ours"),
    ],
)
async def test_only_an_account_of_ours_is_disconnected(account_of, account):
    app, gone = callbacks(RefusingStore(), account_of)

    with capture_logs() as logs:
        status, _ = await post(app, "deauthorize", signed("1"))

    assert (status, gone) == (200, [account] if account else [])
    assert [(line["event"], line["account"]) for line in logs] == [
        ("account.deauthorized", account)
    ]


async def test_a_deletion_waits_until_it_is_known_whose_id_it_is(bench):
    store = bench.store()
    await store.put([arrival("m1", "anna")])
    known: dict[str, str] = {}

    def account_of(any_id: str) -> str | None:
        return known[any_id] if known else unknown(any_id)

    job = Deletions(store, account_of, every=0.01, again=0.01)
    app, _ = callbacks(store, account_of, hurry=job.hurry)
    status, _ = await post(app, "data-deletion", signed("246"))
    running = asyncio.create_task(job.run())
    await asyncio.sleep(0.1)  # nothing tells that it has looked
    waiting = await store.run(deletions.pending)
    known["246"] = "shop"
    async with asyncio.timeout(5):
        while await store.run(deletions.pending):  # noqa: ASYNC110 - nor that it is done
            await asyncio.sleep(0.01)
    await stop(running)

    assert (status, len(waiting)) == (200, 1)
    assert await store.run(data.contacts_of, "shop") == []


@pytest.mark.parametrize(
    ("host", "url"),
    [
        pytest.param("bot.example.com", "https://bot.example.com", id="behind-tls"),
        pytest.param("bot.example.com:8443", "https://bot.example.com:8443", id="with-a-port"),
        pytest.param("127.0.0.1:8000", "http://127.0.0.1:8000", id="here"),
        pytest.param("[::1]:8000", "http://[::1]:8000", id="here-by-ipv6"),
    ],
)
def test_the_page_is_where_the_service_was_called(host, url):
    assert origin(host) == url
