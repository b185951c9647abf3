"""The webhook over real HTTP, with a real store behind it and nobody who works on that."""

from __future__ import annotations

import json
from collections.abc import MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import aiohttp
from sqlalchemy import delete
from starlette.applications import Starlette
from starlette.routing import Route
from structlog.testing import capture_logs

from ak_instagram.store.schema import conversations, events
from ak_instagram.webhook.endpoint import BodyReader, WebhookEndpoint
from ak_instagram.webhook.signature import sign
from tests.support.loopback import loopback
from tests.support.store_bench import START, Bench

SECRETS = ("instagram-app-secret", "meta-app-secret")
VERIFY_TOKEN = "verify-me"
ACCOUNT, CONTACT = "17841400000000001", "751390000000001"
PATH = "/instagram/webhook"


@dataclass
class Webhook:
    """A client that signs what it posts, and the store behind the webhook."""

    url: str
    bench: Bench
    session: aiohttp.ClientSession
    logged: list[MutableMapping[str, Any]]

    async def post(self, body: object) -> int:
        """Post *body* (JSON unless it is bytes), signed with the first secret."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.post_with(content, {"X-Hub-Signature-256": sign(SECRETS[0], content)})

    async def post_with(self, content: bytes, headers: dict[str, str]) -> int:
        """Post *content* with just these *headers*; return the status."""
        async with self.session.post(self.url, data=BytesIO(content), headers=headers) as response:
            return response.status

    async def stored(self, *columns: str) -> list[tuple]:
        """Return the stored events, oldest first."""
        sql = f"SELECT {', '.join(columns)} FROM events ORDER BY id"  # noqa: S608 - our own names
        return await self.bench.query(sql)

    async def empty(self) -> None:
        """Forget everything that is stored and logged."""
        self.logged.clear()
        for table in (events, conversations):
            await self.bench.database.run(
                lambda connection, _now, table=table: connection.execute(delete(table))
            )

    async def mids(self) -> list[str]:
        """Return the mids of the stored events."""
        return [mid for (mid,) in await self.stored("mid")]


def text_event(mid: object = "mid-1", text: object = "Hello", **changes: object) -> dict:
    """An item of `messaging[]`: a person wrote."""
    event = {
        "sender": {"id": CONTACT},
        "recipient": {"id": ACCOUNT},
        "timestamp": START,
        "message": {"mid": mid, "text": text},
    }
    return event | changes


def post_of(*events: object) -> dict:
    """The envelope in which Meta posts *events*."""
    entry = {"id": ACCOUNT, "time": START, "messaging": list(events)}
    return {"object": "instagram", "entry": [entry]}


@asynccontextmanager
async def open_webhook(bench: Bench, secrets: tuple[str, ...], bodies: BodyReader | None = None):
    """Serve the webhook on *bench*, which is open."""
    with capture_logs() as logged:
        endpoint = WebhookEndpoint(
            bench.store(), verify_token=VERIFY_TOKEN, app_secrets=secrets, bodies=bodies
        )
        app = Starlette(routes=[Route(PATH, endpoint)])
        async with loopback(app) as url, aiohttp.ClientSession() as session:
            yield Webhook(f"{url}{PATH}", bench, session, logged)
