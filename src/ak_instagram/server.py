"""The process that serves: a server around the app, from the first signal to the exit code."""

from __future__ import annotations

import gc
import resource
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from ak_instagram.agents.registry import load_factory
from ak_instagram.settings.model import Settings

from .app import create_app
from .errors import StoreInUse, StoreUnavailable
from .masking import without_password
from .webhook import PATH

log = structlog.get_logger()

# New objects before the collector looks for cycles. A turn that waits keeps hundreds alive:
# with Python's own 700, half of the work of starting 10,000 turns is to look through them.
GC_THRESHOLD = 100_000
KEEP_ALIVE = 75  # seconds; longer than an ingress keeps its idle connections


class WebhookFastPath:
    """
    The service as uvicorn calls it: what Meta posts goes straight to its endpoint.

    Everything else goes through Starlette, whose routing and middleware cost as much
    as storing a message does.
    """

    def __init__(self, app: ASGIApp, webhook: ASGIApp, state: Mapping[str, object]) -> None:
        self._app = app
        self._webhook = webhook
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        scope["state"] = self._state
        app = self._webhook if scope.get("path") == PATH else self._app
        await app(scope, receive, send)


def serve(settings: Settings) -> int:
    """
    Serve until a signal ends it; return 0, or 1 if the service could not start.

    Raises `errors.SettingsError` if the agent's adapter can't be loaded.
    """
    load_factory(settings.agent.adapter)
    try:
        uvloop.run(_serve(settings))
    except StoreInUse as exc:
        reason = str(exc)
    except StoreUnavailable as exc:
        reason = f"store.url: {without_password(settings.store.url)}: {exc}"
    except SystemExit:  # uvicorn's, which has said what the system told it
        reason = (
            "the port can't be listened on (see the line before); set server.port (AK_SERVER__PORT)"
        )
    else:
        return 0
    log.critical("service.not_started", reason=reason, port=settings.server.port)
    return 1


async def _serve(settings: Settings) -> None:
    app = create_app(settings)
    async with app.router.lifespan_context(app) as state:
        front = WebhookFastPath(app, app.state.webhook, state or {})
        server = uvicorn.Server(_server_config(settings, front))
        for stop in (signal.SIGINT, signal.SIGTERM):
            signal.signal(stop, stop_on_signal(server))
        raise_open_file_limit()
        _tune_gc()
        await server.serve()


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


def raise_open_file_limit() -> None:
    """Take as many open files as the process may have: each turn that waits holds one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # what some systems call unlimited can't be asked for
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _tune_gc() -> None:
    """Let the collector look seldom, and never through what is there now: that stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 100)


def stop_on_signal(server: uvicorn.Server) -> Callable[[int, object], None]:
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
