"""The one place where everything is put together, opened, and closed in reverse."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import structlog
from starlette.applications import Starlette
from starlette.routing import Route

from ak_instagram import health
from ak_instagram.agents.contract import Agent
from ak_instagram.agents.registry import build_agent
from ak_instagram.backoff import Backoff
from ak_instagram.connections import open_session
from ak_instagram.conversation.answering import Answering
from ak_instagram.conversation.background import Background
from ak_instagram.conversation.worker import Worker
from ak_instagram.jobs import running
from ak_instagram.sender.accounts import Accounts
from ak_instagram.sender.circuit import Circuits
from ak_instagram.sender.courtesy import Courtesy
from ak_instagram.sender.delivery import Delivery
from ak_instagram.sender.graph import GraphClient
from ak_instagram.sender.rate import RateLimits
from ak_instagram.settings.values import Settings
from ak_instagram.store.inbox import Inbox
from ak_instagram.store.leases import Leases
from ak_instagram.store.store import Store, open_store
from ak_instagram.upkeep.measuring import run_measurements
from ak_instagram.upkeep.purging import run_purges
from ak_instagram.webhook import PATH
from ak_instagram.webhook.endpoint import WebhookEndpoint

log = structlog.get_logger()


def create_app(settings: Settings) -> Starlette:
    """
    Return the service as an ASGI application; its resources open with its lifespan.

    `app.state.webhook` is the endpoint of `webhook.PATH`, for a server that calls
    it directly.
    """

    def lifespan(_app: Starlette) -> AbstractAsyncContextManager[dict[str, object]]:
        return _service(settings)

    webhook = WebhookEndpoint(settings.instagram)
    app = Starlette(routes=[Route(PATH, webhook), *health.ROUTES], lifespan=lifespan)
    app.state.webhook = webhook
    return app


@asynccontextmanager
async def _service(settings: Settings) -> AsyncIterator[dict[str, object]]:
    """Run the service while the block does; yield what requests need."""
    _warn(settings)
    async with open_session() as session:
        agent = build_agent(settings.agent, session)
        async with _open_store(settings, agent) as store:
            graph = GraphClient(
                session, settings.instagram.graph_url, settings.instagram.api_version
            )
            accounts = Accounts(settings.instagram.accounts, graph)
            worker = _assemble(settings, agent, store, graph, accounts)
            async with running(
                renewal=worker.run_renewals(),
                accounts=accounts.learn(),
                purging=run_purges(store, settings.store.retention),
                measuring=run_measurements(store),
            ) as upkeep:
                async with running(worker=worker.run_claims()) as work:
                    yield {"store": store, "jobs": lambda: [*upkeep.dead(), *work.dead()]}
                # Claiming has ended; leases are still renewed while the rest is finished.
                await worker.drain(settings.server.drain)


def _assemble(
    settings: Settings, agent: Agent, store: Store, graph: GraphClient, accounts: Accounts
) -> Worker:
    background = Background()
    circuits = Circuits()
    answering = Answering(
        store=store,
        agent=agent,
        accounts=accounts,
        circuits=circuits,
        courtesy=Courtesy(graph, settings.sender.rate),
        backoff=Backoff(settings.conversation.attempts),
        fallback=settings.agent.fallback,
        spawn=background.spawn,
    )
    delivery = Delivery(
        store=store,
        graph=graph,
        accounts=accounts,
        circuits=circuits,
        rate=RateLimits(settings.sender.rate),
        backoff=Backoff(settings.sender.attempts),
    )
    return Worker(store, settings.conversation, answering, delivery, background)


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
