"""`check-agent`: one question to the configured agent, and everything that comes of it."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import click
import structlog

from ak_instagram.errors import Permanent, Transient
from ak_instagram.masking import MASK, Masking
from ak_instagram.meta.outgoing import FALLBACK
from ak_instagram.settings import load_agent

from .shared import config_option

if TYPE_CHECKING:
    import aiohttp

    from ak_instagram.agents.agent import Agent, Part, Turn
    from ak_instagram.reply.plan import Plan
    from ak_instagram.settings.model import AgentSettings, ServerSettings

_HELLO = "Hello! What can you do for me?"
# Headers that nobody has to hide.
_SHOWN = frozenset({"accept", "content-type", "idempotency-key", "a2a-version"})


@click.command(epilog="Example: ak-instagram check-agent --say 'Are you open on Sunday?'")
@click.option("--say", metavar="TEXT", help=f"What the person says.  [default: {_HELLO}]")
@click.option("--image", metavar="URL", help="A picture that the person sends.")
@config_option
@click.pass_context
def check_agent(
    ctx: click.Context, say: str | None, image: str | None, config: Path | None
) -> None:
    """
    Ask the agent once.

    Prints each request, the answer as it would be sent, what of it can't be sent, and the times
    to the first and the last word; if the agent fails, the reason, with the server's own words.
    Needs no Meta account and no store. Keys are masked. The exit code is 1 if there is no answer.
    """
    # Here and not above: the adapters take longer to import than `--help` should.
    from ak_instagram.agents import registry

    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=sys.stderr))
    settings, server, name = load_agent(config=config, adapters=registry)
    said = _HELLO if say is None and image is None else say or ""
    ctx.exit(asyncio.run(asked_once(settings, server, question(said, image, name))))


def question(said: str, image: str | None, name: str) -> Turn:
    """Return a turn in a conversation of its own."""
    # As above.
    from ak_instagram.agents.agent import Attachment, Turn, UserMessage

    pictures = (Attachment("image", image),) if image else ()
    key = secrets.token_hex(8)
    return Turn(
        id=f"check-{key}",
        session=f"check-agent-{key}",
        account="0",
        contact="0",
        messages=(UserMessage("check-agent", time.time_ns() // 1_000_000, said, pictures),),
        agent=name or None,
    )


async def asked_once(settings: AgentSettings, server: ServerSettings, turn: Turn) -> int:
    """Ask about *turn*, print what comes of it, and return the exit code."""
    # As above.
    from ak_instagram.agents.answers import ask
    from ak_instagram.agents.registry import build_agent
    from ak_instagram.http_client import open_http_session
    from ak_instagram.reply.plan import plan_answer

    wire = Wire(Masking([settings.api_key or "", *settings.headers.values()]))
    proxies = server.outgoing_proxies
    async with open_http_session(outgoing_proxies=proxies, trace=wire.trace()) as session:
        agent = TimedAgent(build_agent(settings, session))
        click.echo(f"adapter {settings.adapter}{f', agent {turn.agent}' if turn.agent else ''}")
        try:
            parts = await ask(agent, turn, settings.max_answer, settings.timeout)
        except (Transient, Permanent) as exc:
            click.echo("\n" + "\n".join(told(exc, agent.clock.since())))
            return 1
    plan = plan_answer(parts, turn.messages[-1].mid)
    click.echo("\n" + "\n".join(shown(plan)))
    first = "no word" if agent.first is None else f"the first word after {agent.first:.2f} s"
    click.echo(f"\n{first}, the last after {agent.last:.2f} s")
    return 1 if plan.is_empty else 0


def told(exc: Transient | Permanent, seconds: float) -> list[str]:
    """Return the lines that tell why there is no answer, after so many *seconds*."""
    import aiohttp  # as above

    worth = "would be tried again" if isinstance(exc, Transient) else "is final"
    lines = [f"no answer after {seconds:.2f} s; this {worth}:", f"  {exc}"]
    # It names no more than host and port; that of other errors may quote an address.
    if isinstance(exc.__cause__, aiohttp.ClientConnectorError):
        lines.append(f"  {exc.__cause__}")
    return lines


def shown(plan: Plan) -> list[str]:
    """Return the lines that tell what *plan* sends, refuses and wishes."""
    lines = [f"{len(plan.messages)} to send:"] if plan.messages else []
    for message in plan.messages:
        said = str(message.get("text", "")).splitlines()
        if more := {name: it for name, it in message.items() if name not in ("text", FALLBACK)}:
            said += json.dumps(more, ensure_ascii=False, indent=2).splitlines()
        lines += ["", *(f"  {line}" for line in said)]
    if plan.refused:
        lines += ["", "can't be sent as what it is:"]
        lines += [f"  {part}: {reason}" for part, reason in plan.refused]
    if plan.handoff is not None:
        lines += ["", f"asks for a person: {plan.handoff or 'without a reason'}"]
    if plan.is_silent:
        lines.append("the agent chose to say nothing")
    if plan.is_empty:
        lines.append("an empty answer: the person gets nothing")
    return lines


# --- the times --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """The seconds since it was made."""

    began: float = field(default_factory=time.perf_counter)

    def since(self) -> float:
        """Return the seconds until now."""
        return time.perf_counter() - self.began


class TimedAgent:
    """An agent that is watched: *first* and *last* are the seconds until its words."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self.history = agent.history
        self.clock = Stopwatch()
        self.first: float | None = None
        self.last = 0.0

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """Yield the agent's parts."""
        from ak_instagram.agents.agent import Text  # as above

        self.clock = Stopwatch()
        async for part in self._agent.answer(turn):
            if self.first is None and isinstance(part, Text) and part.text.strip():
                self.first = self.clock.since()
            yield part
        self.last = self.clock.since()


# --- the requests -----------------------------------------------------------


class Wire:
    """Prints requests and the statuses of their answers as they pass, without secrets."""

    def __init__(self, masking: Masking) -> None:
        self._masking = masking

    def trace(self) -> aiohttp.TraceConfig:
        """Return what a session has to be made with."""
        import aiohttp  # as above

        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._begin)
        trace.on_request_chunk_sent.append(self._send)
        trace.on_request_end.append(self._end)
        return trace

    async def _begin(
        self,
        _session: aiohttp.ClientSession,
        context: SimpleNamespace,
        request: aiohttp.TraceRequestStartParams,
    ) -> None:
        context.clock = Stopwatch()
        query = f"?{MASK}" if request.url.query_string else ""
        click.echo(f"\n{request.method} {request.url.with_query(None)}{query}")
        for name, value in request.headers.items():
            click.echo(f"  {name}: {value if name.lower() in _SHOWN else MASK}")

    async def _send(
        self,
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        sent: aiohttp.TraceRequestChunkSentParams,
    ) -> None:
        try:
            body = self.masked("", json.loads(sent.chunk))
            text = json.dumps(body, indent=2, ensure_ascii=False)
        except ValueError:  # a form
            text = str(self.masked("", sent.chunk.decode(errors="replace")))
        click.echo("\n".join(f"  {line}" for line in text.splitlines()))

    async def _end(
        self,
        _session: aiohttp.ClientSession,
        context: SimpleNamespace,
        request: aiohttp.TraceRequestEndParams,
    ) -> None:
        response = request.response
        took = f"{context.clock.since():.2f} s"
        click.echo(f"\n{response.status} {response.content_type} after {took}")

    def masked(self, name: str, value: object) -> object:
        """Return *value*, found under *name*, without what is or looks like a secret."""
        if isinstance(value, Mapping):
            return {key: self.masked(key, item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.masked("", item) for item in value]
        if not isinstance(value, str):
            return value
        # A log has no `text`; here it is the tester's own.
        key = "said" if name.lower() == "text" else name
        return self._masking(None, "", {key: value})[key]
