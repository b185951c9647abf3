"""The composition root: everything is put together, opened, and closed in reverse here."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import aiohttp
import structlog
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ak_instagram.admin.figures import Figures
from ak_instagram.agents.agent import Agent, Deferring
from ak_instagram.agents.registry import build_agent
from ak_instagram.conversation.answering import Answering
from ak_instagram.conversation.profiles import ProfiledAgent, Profiles
from ak_instagram.conversation.requests import Requests
from ak_instagram.conversation.speaking import Speaker
from ak_instagram.conversation.turn import turn_id
from ak_instagram.conversation.worker import Worker
from ak_instagram.delivery.accounts import Accounts
from ak_instagram.delivery.circuit_breaker import CircuitBreaker
from ak_instagram.delivery.delivery import Delivery
from ak_instagram.delivery.rate_limit import RateLimiter
from ak_instagram.delivery.stop_switch import StopSwitch
from ak_instagram.delivery.typing import TypingIndicator
from ak_instagram.maintenance.backlog_metrics import run_measurements
from ak_instagram.maintenance.notifier import Notifier
from ak_instagram.maintenance.retention import run_purges
from ak_instagram.maintenance.sweep import Sweeper, run_sweeps
from ak_instagram.meta.events import STORED, Kind
from ak_instagram.meta.graph.account_calls import AccountCalls
from ak_instagram.meta.graph.client import GraphClient
from ak_instagram.meta.graph.codes import ErrorClass
from ak_instagram.meta.graph.token_calls import TokenCalls
from ak_instagram.privacy.callbacks import PrivacyCallbacks
from ak_instagram.privacy.deletions import Deletions
from ak_instagram.settings.logins import graph_host
from ak_instagram.settings.model import InstagramSettings, NotifySettings, Settings
from ak_instagram.store.database import WorkerIdentity
from ak_instagram.store.store import Store, open_store
from ak_instagram.store.verbs import claims
from ak_instagram.store.verbs.accounts import rows
from ak_instagram.tokens.keeper import TokenKeeper
from ak_instagram.tokens.vault import Vault
from ak_instagram.webhook.callbacks import CALLBACKS, CallbackEndpoint
from ak_instagram.webhook.endpoint import WebhookEndpoint

from .backoff import Backoff
from .health import Probes
from .http_client import open_http_session, proxy_variables
from .jobs import TaskSet, running
from .webhook import PATHS

log = structlog.get_logger()

FIRST_CHECK_AFTER = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Service:
    """
    The running service, as far as requests need it.

    *dead_jobs* names those that died, *figures* are what the console draws. *connect_routes* are
    there if accounts can be connected. Once *stopping* is set, requests that go on and on end.
    """

    settings: Settings
    agent: Agent
    store: Store
    dead_jobs: Callable[[], list[str]]
    privacy: PrivacyCallbacks
    figures: Figures
    connect_routes: Sequence[Route] = ()
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def open_service(
    settings: Settings, *, first_check_after: float = FIRST_CHECK_AFTER
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
            graph = GraphClient.of(settings.instagram, session)
            may_grow = settings.instagram.app_id is not None
            accounts = Accounts(settings.instagram.all_accounts, graph, may_grow=may_grow)
            notifier = _notifier(settings.notify, store, session)
            circuit_breaker = CircuitBreaker(
                on_stopped=notifier.account_stopped if notifier else None
            )
            worker = _assemble(settings, agent, store, graph, accounts, circuit_breaker)
            deletions = Deletions(store, accounts.webhook_id)
            privacy = PrivacyCallbacks(
                store,
                app_secrets=settings.instagram.app_secrets,
                account_of=accounts.webhook_id,
                disconnect=partial(_disconnect, store, circuit_breaker),
                hurry=deletions.hurry,
                public_url=settings.server.public_url,
            )
            keeper = _make_keeper(settings, store, session, accounts, circuit_breaker)
            await keeper.apply()  # a token of the settings may be dead, and the store's not
            stop_switch = StopSwitch(store, circuit_breaker, enabled=settings.sender.enabled)
            await stop_switch.look()  # before anything is sent
            every = settings.instagram.sweep
            sweeper = Sweeper(store, AccountCalls(graph), every)
            figures = Figures()
            # Nobody sees them without the console.
            drawing = {"figures": figures.run()} if settings.admin.token else {}
            async with running(
                **drawing,
                stopping=stop_switch.run(),
                renewal=worker.run_renewals(),
                accounts=accounts.learn(),
                tokens=keeper.run(),
                purging=run_purges(store, settings.store),
                measuring=run_measurements(store),
                deleting=deletions.run(),
                sweeping=run_sweeps(sweeper, accounts.identified, every),
                checking=_check_daily(settings, session, accounts, first_check_after),
                **({"notifying": notifier.run()} if notifier else {}),
            ) as upkeep:
                async with running(worker=worker.run_claims()) as work:
                    yield Service(
                        settings,
                        agent,
                        store,
                        lambda: [*upkeep.dead(), *work.dead()],
                        privacy,
                        figures,
                        _connect_routes(settings, store, session, accounts),
                    )
                # Claiming has ended; leases are still renewed while the rest is finished.
                await worker.drain(settings.server.drain)


def make_app(service: Service) -> ASGIApp:
    """Return the ASGI application of *service*: the webhook, the probes, and the admin's part."""
    webhook = WebhookEndpoint(
        service.store,
        verify_token=service.settings.instagram.verify_token,
        app_secrets=service.settings.instagram.app_secrets,
        kept=STORED if service.settings.comments.all_rules is None else STORED | {Kind.COMMENT},
    )
    probes = Probes(service.store, service.dead_jobs)
    routes: list[BaseRoute] = [
        *(Route(path, webhook) for path in PATHS),
        *service.privacy.routes(),
        *probes.routes(),
        *_admin_routes(service),
    ]
    if isinstance(service.agent, Deferring):
        secret = service.settings.agent.callback_secret or ""
        routes.append(Route(CALLBACKS, CallbackEndpoint(service.store, service.agent, secret)))
    router = Starlette(routes=[*routes, *service.connect_routes])

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


def _notifier(
    settings: NotifySettings, store: Store, session: aiohttp.ClientSession
) -> Notifier | None:
    """Return what tells an operator, if there is an endpoint for it."""
    return Notifier(store, session, settings.url, settings.secret or "") if settings.url else None


def _assemble(
    settings: Settings,
    agent: Agent,
    store: Store,
    graph: GraphClient,
    accounts: Accounts,
    circuit_breaker: CircuitBreaker,
) -> Worker:
    tasks = TaskSet()
    backoff = Backoff(settings.conversation.attempts)
    if settings.instagram.profile:
        agent = ProfiledAgent(agent, Profiles(store, graph, accounts.find, tasks.spawn))
    requests = Requests(
        settings.conversation.handoff_words,
        settings.conversation.handoff_reply,
        settings.conversation.reset,
        settings.conversation.reset_reply,
    )
    # An answer that is posted later comes whole.
    streams = settings.agent.stream and not isinstance(agent, Deferring)
    delivery = Delivery(
        store=store,
        graph=graph,
        circuit_breaker=circuit_breaker,
        rate=RateLimiter(settings.sender.rate),
        backoff=Backoff(settings.sender.attempts),
    )
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
        comments=settings.comments.all_rules or (),
        requests=requests if requests.are_offered else None,
        speaker=Speaker(store, delivery) if streams else None,
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


async def _disconnect(store: Store, circuit_breaker: CircuitBreaker, account: str) -> None:
    """Forget a token that the store keeps of *account*; stop sending until one works again."""
    why = "its owner has removed the app"
    circuit_breaker.open(account, "", circuit_breaker.now(), ErrorClass.AUTHORIZATION, why)
    await store.run(rows.disconnect, account)


def _make_keeper(
    settings: Settings,
    store: Store,
    session: aiohttp.ClientSession,
    accounts: Accounts,
    circuit_breaker: CircuitBreaker,
) -> TokenKeeper:
    instagram = settings.instagram

    async def probe(account: str) -> None:
        """Let what waits for *account* try its new token."""
        circuit_breaker.try_again(account)
        await store.run(claims.wake_account, account)

    keys = settings.store.encryption_key
    return TokenKeeper(
        store,
        make_token_calls(instagram, session),
        accounts,
        instagram.all_accounts,
        Vault(keys) if keys else None,
        probe,
        agent=instagram.agent or None,
    )


async def _check_daily(
    settings: Settings, session: aiohttp.ClientSession, accounts: Accounts, first_after: float
) -> None:
    """Log what the doctor finds, first after so many seconds and then every day; never return."""
    await asyncio.sleep(first_after)
    # Here and not above: a start has more urgent things to do than to import all checks.
    from .doctor.run import run_daily

    await run_daily(settings, session, accounts.current)


def _connect_routes(
    settings: Settings, store: Store, session: aiohttp.ClientSession, accounts: Accounts
) -> Sequence[Route]:
    if settings.instagram.app_id is None:
        return ()
    # Here and not above: most services run without them.
    from .tokens.connecting import Connecting, connect_app
    from .tokens.pages import connect_routes

    app = connect_app(settings)
    assert app is not None
    calls = make_token_calls(settings.instagram, session)
    vault = Vault(settings.store.encryption_key)
    return connect_routes(Connecting(store, calls, app, vault), accounts.news.set)


def make_token_calls(settings: InstagramSettings, session: aiohttp.ClientSession) -> TokenCalls:
    """Return the calls about tokens, which Instagram Login alone has."""
    graph_url = graph_host("instagram", settings.graph_url)
    return TokenCalls(session, graph_url, settings.api_version)


def _open_store(settings: Settings, agent: Agent) -> AbstractAsyncContextManager[Store]:
    worker = WorkerIdentity(
        owner=uuid.uuid4().hex,
        lease_ms=int(settings.conversation.lease * 1000),
        debounce_ms=int(settings.conversation.debounce * 1000),
        takeover_pause_ms=int(settings.conversation.takeover_pause * 1000),
        automatic_texts=settings.conversation.automatic_texts,
        replies_to_comments=settings.comments.all_rules is not None,
        opt_out_words=settings.conversation.opt_out_words,
        opt_in_words=settings.conversation.opt_in_words,
        transcript_lines=agent.history,
        notifies=settings.notify.url is not None,
        disclosure=settings.conversation.disclosure,
        disclosures={
            it.account_id: it.disclosure
            for it in settings.instagram.all_accounts
            if it.account_id is not None and it.disclosure is not None
        },
        disclosure_gap_ms=int(settings.conversation.disclosure_gap * 1000),
        turn_id=turn_id if isinstance(agent, Deferring) else None,
    )
    return open_store(settings.store.url, worker)
