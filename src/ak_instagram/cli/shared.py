"""Shared by commands: `--config`, the settings, the store opened from beside the service."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate

import click
import structlog

from ak_instagram.errors import StoreUnavailable
from ak_instagram.settings import Settings, load, load_store
from ak_instagram.store.database import P, T, Transactions, Tx
from ak_instagram.store.maintenance import open_for_maintenance

if TYPE_CHECKING:
    from ak_instagram.meta.graph.client import GraphClient

COMMAND = "command"  # in the operator log

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The settings file.  [default: what AK_CONFIG names, else ./config.yaml if there]",
)


def require_id(
    _context: click.Context, _parameter: click.Parameter, name: str | None
) -> str | None:
    """Refuse the names of people and accounts: under a name nothing is stored."""
    if name is not None and not (name.isascii() and name.isdigit()):
        raise click.BadParameter(
            "is not an id: it has digits alone, as `account` and `contact` in the log"
        )
    return name


def load_settings(config: Path | None) -> Settings:
    """Return the settings that the service would start with; `SettingsError` if it would not."""
    # Here and not above: the adapters take longer to import than `--help` should.
    from ak_instagram.agents import registry

    return load(config=config, adapters=registry)


@asynccontextmanager
async def open_graph(settings: Settings) -> AsyncIterator[GraphClient]:
    """Yield a client of the Graph API as the service has it."""
    # Here and not above: they take longer to import than `--help` should.
    from ak_instagram.http_client import open_http_session
    from ak_instagram.meta.graph.client import GraphClient

    async with open_http_session(outgoing_proxies=settings.server.outgoing_proxies) as session:
        yield GraphClient.of(settings.instagram, session)


class OpenStore:
    """A store that is open for one command."""

    def __init__(self, runner: asyncio.Runner, session: Transactions) -> None:
        self._runner = runner
        self._session = session

    def run(self, verb: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what *verb* returns, in a transaction of its own."""
        return self._runner.run(self._session.run(verb, *args, **kwargs))


@contextmanager
def open_store(config: Path | None) -> Iterator[OpenStore]:
    """
    Yield the store that the settings name; log to stderr.

    The command ends with exit code 1 and a line if the store can't be used.
    """
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=sys.stderr))
    url = load_store(config=config).url
    try:
        with asyncio.Runner() as runner:
            stack = AsyncExitStack()
            session = runner.run(stack.enter_async_context(open_for_maintenance(url)))
            try:
                yield OpenStore(runner, session)
            finally:
                runner.run(stack.aclose())
    except StoreUnavailable as exc:
        raise click.ClickException(f"the store can't be used: {exc}") from exc
