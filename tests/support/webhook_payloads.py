"""The payloads under tests/data/webhooks, and small ones made on the spot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ak_instagram.meta.events import Event
from ak_instagram.meta.parse import parse_webhook

FOLDER = Path(__file__).parents[1] / "data" / "webhooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))

ACCOUNT = "17841400000000001"
PERSON = "751390000000001"
AT = 1756650587321
RECEIVED = 1756650588000


def raw(name: str) -> bytes:
    """Return the payload *name* as Meta would send it, escapes and all."""
    return (FOLDER / f"{name}.json").read_bytes()


def item(*, by_account: bool = False, **members: Any) -> dict[str, Any]:
    """Return an item of `messaging[]`; a member given as `None` is left out."""
    sender, recipient = (ACCOUNT, PERSON) if by_account else (PERSON, ACCOUNT)
    whole = {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": AT} | members
    return {name: value for name, value in whole.items() if value is not None}


def entry(*items: Any, time: int = AT + 440) -> dict[str, Any]:
    """Return an entry with *items* in `messaging[]`."""
    return {"id": ACCOUNT, "time": time, "messaging": list(items)}


def body(*entries: Any) -> bytes:
    """Return a body with *entries*."""
    return json.dumps({"object": "instagram", "entry": list(entries)}).encode()


def only_event(payload: bytes) -> Event:
    """Return the one event in *payload*."""
    webhook = parse_webhook(payload, RECEIVED)
    assert webhook.unreadable == 0
    (event,) = webhook.events
    return event
