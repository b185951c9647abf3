"""
Meta's callbacks about users who leave: the app is removed, or their data shall be deleted.

Both are posts of a form with a `signed_request`
(https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import aiohttp

from instagram_simulator.values import Json

# What the form in Meta's dashboard calls them, and where services usually have them.
CALLBACKS = {
    "deauthorize": "/instagram/deauthorize",
    "data_deletion": "/instagram/data-deletion",
}


@dataclass(frozen=True, slots=True)
class CallbackAnswer:
    """A service's answer: *status* (`None`: there was none), JSON, or its text if it is none."""

    status: int | None
    body: Any


def signed_request(claims: Json, app_secret: str) -> str:
    """Return *claims* as Meta signs them: a signature and the JSON, each in base64url."""
    encoded = base64url(json.dumps(claims).encode())
    signature = hmac.digest(app_secret.encode(), encoded.encode(), hashlib.sha256)
    return f"{base64url(signature)}.{encoded}"


def base64url(content: bytes) -> str:
    """Return *content* in base64url without its padding."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


async def call_back(
    session: aiohttp.ClientSession, webhook: str, callback: str, signed: str
) -> CallbackAnswer:
    """Post *signed* to the service whose webhook that is, once."""
    url = urljoin(webhook, CALLBACKS[callback])
    try:
        async with session.post(url, data={"signed_request": signed}) as response:
            text = await response.text()
    except (aiohttp.ClientError, TimeoutError) as exc:
        return CallbackAnswer(None, f"no answer: {type(exc).__name__}")
    try:
        return CallbackAnswer(response.status, json.loads(text))
    except ValueError:
        return CallbackAnswer(response.status, text)
