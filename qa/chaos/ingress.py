"""
The ingress: hands webhooks to whichever process takes them, and notes what was accepted.

A process that refuses the connection is passed over; one that does not answer costs
Meta a 504, and Meta tries again.
"""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus

import aiohttp
from aiohttp import web

from qa.chaos.names import names_in
from qa.chaos.record import Record
from qa.support.serving import serving

PATIENCE = 2.0  # seconds
_FORWARDED = ("Content-Type", "X-Hub-Signature-256")


class Ingress:
    """Spreads webhooks over *ports* by chance."""

    def __init__(self, record: Record, ports: Sequence[int], seed: int) -> None:
        self.url = ""
        self._record = record
        self._ports = ports
        self._random = random.Random(seed)
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Ingress]:
        """Take webhooks while the block runs."""
        app = web.Application()
        app.router.add_route("*", "/instagram/webhook", self._handle)
        limit = aiohttp.ClientTimeout(total=PATIENCE)
        async with (
            aiohttp.ClientSession(timeout=limit) as self._session,
            serving(app) as url,
        ):
            self.url = f"{url}/instagram/webhook"
            yield self

    async def _handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        names = list(_messages(body))
        self._record.post(names)
        status, answer = await self._forward(request, body)
        if status == HTTPStatus.OK:
            self._record.accept(names)
        return web.Response(status=status, body=answer)

    async def _forward(self, request: web.Request, body: bytes) -> tuple[int, bytes]:
        """Return the answer of the first process that gives one."""
        assert self._session is not None
        headers = {k: v for k, v in request.headers.items() if k in _FORWARDED}
        for port in self._random.sample(self._ports, len(self._ports)):
            url = f"http://127.0.0.1:{port}{request.path_qs}"
            try:
                async with self._session.request(
                    request.method, url, data=body or None, headers=headers
                ) as response:
                    return response.status, await response.read()
            except aiohttp.ClientConnectorError:
                continue
            except (aiohttp.ClientError, TimeoutError):
                return HTTPStatus.GATEWAY_TIMEOUT, b""
        return HTTPStatus.BAD_GATEWAY, b""


def _messages(body: bytes) -> Iterator[str]:
    """Yield the names of a webhook's messages; an echo is none."""
    if not body:
        return
    for entry in json.loads(body)["entry"]:
        for event in entry["messaging"]:
            message = event.get("message", {})
            if not message.get("is_echo"):
                yield from names_in(message.get("text", ""))
