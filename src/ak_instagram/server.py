"""The process that serves: a server around the app, from the first signal to the exit code."""

from __future__ import annotations

import gc
import resource
import signal
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp

from ak_instagram.agents.registry import load_factory
from ak_instagram.settings.model import ServerSettings, Settings

from .app import make_app, open_service
from .errors import StoreInUse, StoreUnavailable
from .masking import without_password

log = structlog.get_logger()

# New objects before the collector looks for cycles. A turn that waits keeps hundreds alive:
# with Python's own 700, half of the work of starting 10,000 turns is to look through them.
GC_THRESHOLD = 100_000
KEEP_ALIVE = 75  # seconds; longer than an ingress keeps its idle connections


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
    async with open_service(settings) as service:
        server = TellingServer(
            server_config(settings.server, make_app(service)), service.stopping.set
        )
        for stop in (signal.SIGINT, signal.SIGTERM):
            signal.signal(stop, stop_on_signal(server))
        raise_open_file_limit()
        tune_gc()
        await server.serve()


class TellingServer(uvicorn.Server):
    """A server that calls *tell* when a signal ends it, before it waits for its requests."""

    def __init__(self, config: uvicorn.Config, tell: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell = tell

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end."""
        self._tell()
        super().handle_exit(sig, frame)


def server_config(settings: ServerSettings, app: ASGIApp) -> uvicorn.Config:
    """Return how uvicorn is to serve *app*: as fast as it can, and silently."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
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
    """Raise the limit of open files as far as it goes: each turn that waits holds one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # what some systems call unlimited can't be asked for
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def tune_gc() -> None:
    """Have the collector look seldom, and never through what is there now: that stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 100)
    gc.enable()


def stop_on_signal(server: uvicorn.Server) -> Callable[[int, object], None]:
    """
    Return a signal handler that ends *server* in order.

    uvicorn has handlers of its own only while it serves. A signal may come before that. And
    having shut down, uvicorn raises the signal again, which must not end the process before
    the work under way is finished. A second signal ends it at once.
    """

    def stop(number: int, _frame: object) -> None:
        server.should_exit = True
        signal.signal(number, signal.SIG_DFL)

    return stop
