"""
The service in this process, as its command starts it, with Meta and an agent beside it.

All that the tool knows of the package is in this module: a command, settings, and the
simulator.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, chdir
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM

from aiohttp import web
from aiohttp.test_utils import TestServer

import ak_instagram
import instagram_simulator
from ak_instagram.cli import main
from instagram_simulator import ProfessionalAccount, Simulator, listen
from qa.support.processes import free_port, variable, wait_until_ready

from .recording import Recorder

PACKAGE = Path(ak_instagram.__file__).parent
SIMULATOR = Path(instagram_simulator.__file__).parent  # inside the package or beside it

_ACCOUNT = ProfessionalAccount(
    access_token="IGAAtrace0token1of2the3account", app_secret="trace-app-secret"
)
_VERIFY_TOKEN = "trace-verify-token"
_QUESTION = "Are you open on Sunday?"


@dataclass(frozen=True, slots=True)
class _Ports:
    service: int = field(default_factory=free_port)
    meta: int = field(default_factory=free_port)
    agent: int = field(default_factory=free_port)


class Meta:
    """A simulated Meta with one person, who writes."""

    def __init__(self, simulated: Simulator, recorder: Recorder) -> None:
        self._simulated = simulated
        self._recorder = recorder
        self._person = simulated.add_person("Mia").igsid

    async def ask(self) -> None:
        """Let the person write; return once the answer has come and nothing is left to do."""
        known = len(self._simulated.applied(self._person))
        self._simulated.phones.say(self._person, _QUESTION)
        await self._simulated.journal.until(
            lambda: len(self._simulated.applied(self._person)) > known
        )
        await self._recorder.quiet()


def play(script: Callable[[Meta], Awaitable[None]], recorder: Recorder, *, echoes: bool) -> None:
    """
    Serve in this thread, the process's main one, while *script* runs in another.

    With *echoes* Meta tells the service of what it has sent. Raises what *script* raises,
    and `NotReady` if the service does not start.
    """
    ports, has_ended = _Ports(), threading.Event()

    async def beside() -> None:
        async with _agent(ports.agent, recorder), _meta(ports.meta, echoes=echoes) as simulated:
            await asyncio.to_thread(wait_until_ready, ports.service, lambda: not has_ended.is_set())
            webhook = f"http://127.0.0.1:{ports.service}/instagram/webhook"
            await simulated.subscribe(webhook, _VERIFY_TOKEN)
            await script(Meta(simulated, recorder))

    def end_service(_played: object) -> None:
        if not has_ended.is_set():
            os.kill(os.getpid(), SIGTERM)

    with (
        tempfile.TemporaryDirectory(prefix="ak-instagram-trace-") as folder,
        chdir(folder),
        ThreadPoolExecutor(1) as pool,
    ):
        playing = pool.submit(asyncio.run, beside())
        playing.add_done_callback(end_service)
        recorder.install()
        try:
            _serve(ports)
        finally:
            has_ended.set()
        playing.result()


def _serve(ports: _Ports) -> None:
    """Run the command with nothing set but this."""
    settings = {
        "instagram.verify_token": _VERIFY_TOKEN,
        "instagram.access_token": _ACCOUNT.access_token,
        "instagram.app_secret": _ACCOUNT.app_secret,
        "instagram.require_signature": "true",
        "instagram.graph_url": f"http://127.0.0.1:{ports.meta}",
        "agent.url": f"http://127.0.0.1:{ports.agent}/",
        "store.url": "sqlite:///trace.db",
        "server.host": "127.0.0.1",
        "server.port": str(ports.service),
        "logs.level": "error",
    }
    for name in [name for name in os.environ if name.startswith("AK_")]:
        del os.environ[name]
    os.environ.update({variable(key): value for key, value in settings.items()})
    main(["serve"], standalone_mode=False)


@asynccontextmanager
async def _meta(port: int, *, echoes: bool) -> AsyncIterator[Simulator]:
    simulated = Simulator(_ACCOUNT)
    simulated.switch(echoes=echoes)
    async with simulated.on(listen("127.0.0.1", port)):
        yield simulated


@asynccontextmanager
async def _agent(port: int, recorder: Recorder) -> AsyncIterator[None]:
    """
    Listen as an Agent Kernel server that repeats the question.

    Its answer waits until seen and typing are over, so that the order is always the same.
    """

    async def answer(request: web.Request) -> web.Response:
        question = await request.json()
        await recorder.quiet()
        return web.json_response({"result": f"You asked: {question['prompt']}"})

    app = web.Application()
    app.router.add_post("/api/v1/chat", answer)
    async with TestServer(app, port=port):
        yield
