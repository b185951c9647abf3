"""The one place where everything is put together, opened, and closed in reverse."""

from __future__ import annotations

import gc
import resource
import signal
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass

import aiohttp
import structlog
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ak_instagram import health
from ak_instagram.agents.contract import Agent
from ak_instagram.agents.registry import build_agent, load_factory
from ak_instagram.backoff import Backoff
from ak_instagram.connections import open_session
from ak_instagram.conversation.answering import Answering
from ak_instagram.conversation.housekeeping import housekeeping
from ak_instagram.conversation.measuring import measuring
from ak_instagram.conversation.worker import Worker
from ak_instagram.errors import StoreUnavailable
from ak_instagram.jobs import running
from ak_instagram.sender.accounts import Accounts
from ak_instagram.sender.circuit import Circuits
from ak_instagram.sender.delivery import Delivery
from ak_instagram.sender.graph import GraphClient
from ak_instagram.sender.rate import RateLimits
from ak_instagram.sender.typing import Courtesy
from ak_instagram.settings.values import Settings
from ak_instagram.store.inbox import Inbox
from ak_instagram.store.leases import Leases
from ak_instagram.store.sqlite import StoreInUse
from ak_instagram.store.store import Store, open_store
from ak_instagram.webhook.endpoint import WebhookEndpoint

log = structlog.get_logger()

WEBHOOK_PATH = "/instagram/webhook"
# New objects before the collector looks for cycles. A turn that waits keeps hundreds alive:
# with Python's own 700, half of the work of starting 10,000 turns is to look through them.
GARBAGE = 100_000
KEEP_ALIVE = 75  # seconds; longer than an ingress keeps its idle connections


class Front:
    """
    The service as uvicorn calls it: what Meta posts goes straight to its endpoint.

    Everything else goes through Starlette, whose routing and middleware cost as much
    as storing a message does.
    """

    def __init__(self, app: ASGIApp, webhook: WebhookEndpoint, state: Mapping[str, object]) -> None:
        self._app = app
        self._webhook = webhook
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        scope["state"] = self._state
        app = self._webhook if scope.get("path") == WEBHOOK_PATH else self._app
        await app(scope, receive, send)


def create_app(settings: Settings) -> Starlette:
    """Return the service as an ASGI application; its resources open with its lifespan."""

    def lifespan(_app: Starlette) -> AbstractAsyncContextManager[dict[str, object]]:
        return _service(settings)

    webhook = Route(WEBHOOK_PATH, WebhookEndpoint(settings.instagram))
    return Starlette(routes=[webhook, *health.ROUTES], lifespan=lifespan)


def serve(settings: Settings) -> int:
    """
    Serve until a signal ends it; return 0, or 1 if the service could not start.

    Raises `errors.SettingsError` if the agent's adapter can't be loaded.
    """
    load_factory(settings.agent.adapter)
    try:
        return uvloop.run(_serve(settings))
    except (StoreInUse, StoreUnavailable) as exc:
        log.critical("service.not_started", reason=str(exc))
    except SystemExit:  # uvicorn's, which has said why: a port that is taken
        log.critical("service.not_started", port=settings.server.port)
    return 1


async def _serve(settings: Settings) -> int:
    app = create_app(settings)
    async with app.router.lifespan_context(app) as state:
        front = Front(app, WebhookEndpoint(settings.instagram), state or {})
        server = uvicorn.Server(_server_config(settings, front))
        for stop in (signal.SIGINT, signal.SIGTERM):
            signal.signal(stop, stopping(server))
        allow_files()
        # What is there now stays: the collector need not look through it again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GARBAGE, 20, 100)
        await server.serve()
    return 0


def _server_config(settings: Settings, app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.server.host,
        port=settings.server.port,
        http="httptools",
        ws="none",
        lifespan="off",  # ours is around the server: what it finds wrong is told in one line
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=5,
    )


def allow_files() -> None:
    """Take as many open files as the process may have: each turn that waits holds one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # what some systems call unlimited can't be asked for
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def stopping(server: uvicorn.Server) -> Callable[[int, object], None]:
    """
    Return what to do about a signal that uvicorn does not take: end *server*, in order.

    It may come before uvicorn listens to signals. And uvicorn, having shut down, raises
    the signal again: that must not end the process before what is under way is finished.
    Whoever is in a hurry sends another.
    """

    def stop(number: int, _frame: object) -> None:
        server.should_exit = True
        signal.signal(number, signal.SIG_DFL)

    return stop


@dataclass(frozen=True, slots=True)
class Flow:
    """What works on conversations once their events are stored."""

    worker: Worker
    accounts: Accounts
    answering: Answering
    delivery: Delivery


@asynccontextmanager
async def _service(settings: Settings) -> AsyncIterator[dict[str, object]]:
    """Run the service while the block does; yield what requests need."""
    _warn(settings)
    async with open_session() as session:
        agent = build_agent(settings.agent, session)
        async with _open_store(settings, agent) as store:
            flow = _assemble(settings, session, agent, store)
            async with running(
                renewal=flow.worker.renew(),
                accounts=flow.accounts.learn(),
                housekeeping=housekeeping(store, settings.store.retention),
                measuring=measuring(store),
            ) as upkeep:
                claiming = flow.worker.claim(flow.answering, flow.delivery)
                async with running(worker=claiming) as work:
                    yield {"store": store, "jobs": lambda: [*upkeep.dead(), *work.dead()]}
                # Claiming has ended; leases are still renewed while the rest is finished.
                await flow.worker.drain(settings.server.drain)


def _assemble(
    settings: Settings, session: aiohttp.ClientSession, agent: Agent, store: Store
) -> Flow:
    graph = GraphClient(session, settings.instagram.graph_url, settings.instagram.api_version)
    worker = Worker(store, settings.conversation)
    accounts = Accounts(settings.instagram.accounts, graph)
    circuits = Circuits()
    answering = Answering(
        store=store,
        agent=agent,
        accounts=accounts,
        circuits=circuits,
        courtesy=Courtesy(graph),
        backoff=Backoff(settings.conversation.attempts),
        fallback=settings.agent.fallback,
        spawn=worker.spawn,
    )
    delivery = Delivery(
        store=store,
        graph=graph,
        accounts=accounts,
        circuits=circuits,
        rate=RateLimits(settings.sender.rate),
        backoff=Backoff(settings.sender.attempts),
    )
    return Flow(worker, accounts, answering, delivery)


def _open_store(settings: Settings, agent: Agent) -> AbstractAsyncContextManager[Store]:
    inbox = Inbox(
        debounce=int(settings.conversation.debounce * 1000),
        takeover_pause=int(settings.conversation.takeover_pause * 1000),
    )
    leases = Leases(
        owner=uuid.uuid4().hex,
        lease=int(settings.conversation.lease * 1000),
        lines=agent.history,
    )
    return open_store(settings.store.url, inbox, leases)


def _warn(settings: Settings) -> None:
    log.info("service.starting", adapter=settings.agent.adapter, port=settings.server.port)
    if not settings.instagram.app_secrets:
        log.warning(
            "webhook.unsigned_accepted",
            reason="no instagram.app_secret is set: anybody can post messages",
            fix="set AK_INSTAGRAM__APP_SECRET and AK_INSTAGRAM__REQUIRE_SIGNATURE=true",
        )
