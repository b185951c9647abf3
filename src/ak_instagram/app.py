"""The composition root: everything is put together, opened, and closed in reverse here."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import structlog
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ak_instagram.admin.figures import Figures
from ak_instagram.agents.agent import Agent, Deferring
from ak_instagram.agents.registry import build_agent
from ak_instagram.conversation.answering import Answering
from ak_instagram.conversation.turn import turn_id
from ak_instagram.conversation.worker import Worker
from ak_instagram.delivery.accounts import Accounts
from ak_instagram.delivery.circuit_breaker import CircuitBreaker
from ak_instagram.delivery.delivery import Delivery
from ak_instagram.delivery.rate_limit import RateLimiter
from ak_instagram.delivery.typing import TypingIndicator
from ak_instagram.doctor.run import FIRST_AFTER, run_daily
from ak_instagram.maintenance.backlog_metrics import run_measurements
from ak_instagram.maintenance.retention import run_purges
from ak_instagram.maintenance.sweep import Sweeper, run_sweeps
from ak_instagram.meta.account_calls import AccountCalls
from ak_instagram.meta.graph import GraphClient
from ak_instagram.settings.model import Settings
from ak_instagram.store.database import WorkerIdentity
from ak_instagram.store.store import Store, open_store
from ak_instagram.webhook.callbacks import CALLBACKS, CallbackEndpoint
from ak_instagram.webhook.endpoint import WebhookEndpoint

from .backoff import Backoff
from .health import Probes
from .http_client import open_http_session, proxy_variables
from .jobs import TaskSet, running
from .webhook import PATHS

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Service:
    """
    The running service, as far as requests need it.

    *dead_jobs* names those that died, *figures* are what the console draws. Once *stopping* is
    set, requests that go on and on end.
    """

    settings: Settings
    agent: Agent
    store: Store
    dead_jobs: Callable[[], list[str]]
    figures: Figures
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def open_service(
    settings: Settings, *, first_check_after: float = FIRST_AFTER
) -> AsyncIterator[Service]:
    """
    Run the service while the block does; its resources are closed in reverse.

    What the doctor finds is logged after *first_check_after* seconds.
    Raises `errors.StoreUnavailable` and `errors.StoreInUse` if the store can't be opened.
    """
    log.info("service.starting", adapter=settings.agent.adapter, port=settings.server.port)
    if not settings.instagram.app_secrets:
        log.warning(
            "webhook.unsigned_accepted",
            reason="no instagram.app_secret is set: anybody can post messages",
            fix="set AK_INSTAGRAM__APP_SECRET and AK_INSTAGRAM__REQUIRE_SIGNATURE=true",
        )
    if not settings.server.outgoing_proxies and (variables := proxy_variables()):
        log.warning(
            "service.proxies_unused",
            variables=variables,
            reason="server.outgoing_proxies is false: Meta and the agent are called directly",
            fix="set AK_SERVER__OUTGOING_PROXIES=true, or take the variables away",
        )
    async with open_http_session(outgoing_proxies=settings.server.outgoing_proxies) as session:
        agent = build_agent(settings.agent, session)
        async with _open_store(settings, agent) as store:
            graph = GraphClient(
                session, settings.instagram.graph_url, settings.instagram.api_version
            )
            accounts = Accounts(settings.instagram.all_accounts, graph)
            worker = _assemble(settings, agent, store, graph, accounts)
            every = settings.instagram.sweep
            sweeper = Sweeper(store, AccountCalls(graph), every)
            figures = Figures()
            # Nobody sees them without the console.
            drawing = {"figures": figures.run()} if settings.admin.token else {}
            async with running(
                **drawing,
                renewal=worker.run_renewals(),
                accounts=accounts.learn(),
                purging=run_purges(store, settings.store.retention),
                measuring=run_measurements(store),
                sweeping=run_sweeps(sweeper, accounts.identified, every),
                checking=run_daily(settings, session, first_after=first_check_after),
            ) as upkeep:
                async with running(worker=worker.run_claims()) as work:
                    yield Service(
                        settings, agent, store, lambda: [*upkeep.dead(), *work.dead()], figures
                    )
                # Claiming has ended; leases are still renewed while the rest is finished.
                await worker.drain(settings.server.drain)


def make_app(service: Service) -> ASGIApp:
    """Return the ASGI application of *service*: the webhook, the probes, and the admin's part."""
    webhook = WebhookEndpoint(
        service.store,
        verify_token=service.settings.instagram.verify_token,
        app_secrets=service.settings.instagram.app_secrets,
    )
    probes = Probes(service.store, service.dead_jobs)
    routes: list[BaseRoute] = [
        *(Route(path, webhook) for path in PATHS),
        *probes.routes(),
        *_admin_routes(service),
    ]
    if isinstance(service.agent, Deferring):
        secret = service.settings.agent.callback_secret or ""
        routes.append(Route(CALLBACKS, CallbackEndpoint(service.store, service.agent, secret)))
    router = Starlette(routes=routes)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # What Meta posts goes round the router, which costs as much as storing a message does.
        serve = webhook if scope.get("path") in PATHS else router
        await serve(scope, receive, send)

    return app


def _admin_routes(service: Service) -> list[BaseRoute]:
    """Return where operators see and steer *service*: nowhere without a token."""
    admin = service.settings.admin
    if not admin.token:
        return []
    # Here and not above: most services run without it.
    from .admin.app import make_admin

    return [
        Mount(
            "/admin",
            app=make_admin(service.store, service.settings, service.figures, service.stopping),
        )
    ]


def _assemble(
    settings: Settings, agent: Agent, store: Store, graph: GraphClient, accounts: Accounts
) -> Worker:
    tasks = TaskSet()
    circuit_breaker = CircuitBreaker()
    backoff = Backoff(settings.conversation.attempts)
    answering = Answering(
        store=store,
        agent=agent,
        circuit_breaker=circuit_breaker,
        typing_indicator=TypingIndicator(graph, settings.sender.rate),
        backoff=backoff,
        max_answer=settings.agent.max_answer,
        timeout=settings.agent.timeout,
        fallback=settings.agent.fallback,
        spawn=tasks.spawn,
    )
    delivery = Delivery(
        store=store,
        graph=graph,
        circuit_breaker=circuit_breaker,
        rate=RateLimiter(settings.sender.rate),
        backoff=Backoff(settings.sender.attempts),
    )
    return Worker(
        store=store,
        accounts=accounts,
        answering=answering,
        delivery=delivery,
        tasks=tasks,
        concurrency=settings.conversation.concurrency,
        lease=settings.conversation.lease,
        backoff=backoff,
    )


def _open_store(settings: Settings, agent: Agent) -> AbstractAsyncContextManager[Store]:
    worker = WorkerIdentity(
        owner=uuid.uuid4().hex,
        lease_ms=int(settings.conversation.lease * 1000),
        debounce_ms=int(settings.conversation.debounce * 1000),
        takeover_pause_ms=int(settings.conversation.takeover_pause * 1000),
        automatic_texts=settings.conversation.automatic_texts,
        transcript_lines=agent.history,
        turn_id=turn_id if isinstance(agent, Deferring) else None,
    )
    return open_store(settings.store.url, worker)
