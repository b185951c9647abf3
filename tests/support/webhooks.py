"""Webhooks that no phone of the simulator makes, signed as Meta signs them."""

from __future__ import annotations

import json
import time

import aiohttp

from instagram_simulator.webhooks.payload import signature
from tests.support.stage import ACCOUNT, Stage


def now() -> int:
    """Return the time as webhooks tell it: UTC milliseconds."""
    return time.time_ns() // 1_000_000


def message(igsid: str, mid: str, text: str, at: int) -> dict[str, object]:
    """Return what a person wrote, as an item of `messaging[]` or `standby[]`."""
    return {
        "sender": {"id": igsid},
        "recipient": {"id": ACCOUNT.account_id},
        "timestamp": at,
        "message": {"mid": mid, "text": text},
    }


async def post(stage: Stage, place: str, *items: dict[str, object]) -> None:
    """Post *items* in the member *place* of an entry; the service has to take them."""
    entry = {"id": ACCOUNT.account_id, "time": now(), place: items}
    body = json.dumps({"object": "instagram", "entry": [entry]}).encode()
    headers = {"X-Hub-Signature-256": signature(body, ACCOUNT.app_secret)}
    async with (
        aiohttp.ClientSession() as session,
        session.post(stage.service.webhook, data=body, headers=headers) as answer,
    ):
        assert answer.status == 200
