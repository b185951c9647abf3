"""A simulator, and a service just good enough to be talked to by one."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from instagram_simulator import ProfessionalAccount, Retries, Simulator, listen
from instagram_simulator.listener import serving

VERIFY_TOKEN = "verify-me"


@dataclass
class Service:
    """Takes webhooks and remembers them; *statuses* are its next answers, then it is 200."""

    url: str = ""
    posts: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    statuses: deque[int] = field(default_factory=deque)

    async def verify(self, request: web.Request) -> web.Response:
        if request.query["hub.verify_token"] != VERIFY_TOKEN:
            return web.Response(text="no", status=403)
        return web.Response(text=request.query["hub.challenge"])

    async def take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.posts.append((await request.read(), headers))
        return web.Response(status=self.statuses.popleft() if self.statuses else 200)

    @property
    def events(self) -> list[dict]:
        """All messaging events, in the order in which they came."""
        entries = [entry for body, _ in self.posts for entry in json.loads(body)["entry"]]
        return [event for entry in entries for event in entry["messaging"]]


@dataclass
class Caller:
    """Calls the Graph API as the service would."""

    meta: Simulator
    session: aiohttp.ClientSession
    version: str = "v21.0"

    async def post(
        self, body: dict, token: str | None = None, node: str = "me"
    ) -> tuple[int, dict]:
        return await self.call("POST", f"{node}/messages", body, token)

    async def get(self, path: str, **query: str) -> tuple[int, dict]:
        return await self.call("GET", path, query=query)

    async def send(self, igsid: str, text: str) -> tuple[int, dict]:
        return await self.post({"recipient": {"id": igsid}, "message": {"text": text}})

    async def call(self, method, path, body=None, token=None, query=None) -> tuple[int, dict]:
        bearer = self.meta.account.access_token if token is None else token
        answer = self.session.request(
            method,
            f"{self.meta.url}/{self.version}/{path}",
            json=body,
            params=query,
            headers={"Authorization": f"Bearer {bearer}"},
        )
        async with answer as response:
            return response.status, await response.json(content_type=None)


@pytest.fixture
async def meta():
    """A simulator that tries webhooks again at once, three times; it has a second account too."""
    other = ProfessionalAccount("17841400000000002", "24600000000000002", access_token="other")
    retries = Retries(waits=(0, 0, 0), timeout=2)
    async with Simulator(ProfessionalAccount(), other, retries=retries) as simulator:
        yield simulator


@pytest.fixture
async def service():
    service = Service()
    app = web.Application()
    app.router.add_get("/hook", service.verify)
    app.router.add_post("/hook", service.take)
    async with serving(app, listen("127.0.0.1", 0)) as url:
        service.url = f"{url}/hook"
        yield service


@pytest.fixture
async def subscribed(meta, service):
    """The service, its webhook subscribed."""
    await meta.subscribe(service.url, VERIFY_TOKEN)
    return service


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def graph(meta, http):
    return Caller(meta, http)


@pytest.fixture
async def mia(meta):
    """A person who has written, so that the account may answer."""
    person = meta.add_person("Mia", "mia")
    meta.phones.say(person.igsid, "Hi!")
    return person
