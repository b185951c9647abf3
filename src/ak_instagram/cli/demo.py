"""`demo`: the service at work, without a Meta account."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ak_instagram.errors import SettingsError
from ak_instagram.meta.graph.versions import LIVING
from ak_instagram.settings import explain
from ak_instagram.webhook import PATH

from .simulator import need_simulator

if TYPE_CHECKING:
    from instagram_simulator.demo.service import DemoService, MetaSide, Trouble

_PORT = click.IntRange(1, 65535)
# The demo's own; anything that the user has set for a real account stays out of it.
_OURS = ("AK_INSTAGRAM__", "AK_STORE__", "AK_SERVER__", "AK_ADMIN__")
_ADAPTER, _URL, _MODEL = "AK_AGENT__ADAPTER", "AK_AGENT__URL", "AK_AGENT__MODEL"
_FIXED_REPLY = "ak_instagram.agents.adapters.echo:FixedReply"


@click.command(epilog="Example: ak-instagram demo --open")
@click.option("--once", is_flag=True, help="Play one conversation and exit; 1 if a step failed.")
@click.option("--open", "opens_browser", is_flag=True, help="Open the page in a browser.")
@click.option("--verbose", is_flag=True, help="Show the service's log here as well.")
@click.option("--adapter", help="The agent's adapter.  [default: the configured one, else echo]")
@click.option("--agent-url", help="Where the agent is.")
@click.option("--model", help="Ask this model, with OPENAI_API_KEY, or at --agent-url.")
@click.option("--reply", help="Answer everything with this text, without an agent.")
@click.option("--port", type=_PORT, help="The service's port.  [default: 8000 or the next free]")
@click.option("--simulator-port", type=_PORT, help="The page's.  [default: 8001 or the next free]")
@click.option(
    "--timeout",
    "limit",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="Seconds that a step may take.",
)
@click.pass_context
def demo(
    ctx: click.Context,
    once: bool,
    opens_browser: bool,
    verbose: bool,
    adapter: str | None,
    agent_url: str | None,
    model: str | None,
    reply: str | None,
    port: int | None,
    simulator_port: int | None,
    limit: float,
) -> None:
    """
    Chat with the service on a simulated Instagram.

    Starts the service as in production, with a simulator in Meta's place, plays a
    short conversation here, and then serves a page to chat on until Ctrl-C. The agent
    repeats what it hears, unless another is configured or named.
    """
    if reply and (adapter or agent_url or model):
        raise click.UsageError("--reply needs no agent: leave --adapter, --agent-url, --model out")
    need_simulator(ctx)
    # Here and not above: the simulator's libraries take longer to import than the
    # other commands take to run.
    from instagram_simulator.demo.run import DemoOptions, run

    environ = with_agent(os.environ, adapter, agent_url, model=model, reply=reply)

    def configure(meta: MetaSide, port: int, directory: Path) -> DemoService:
        """Return the service with the agent that *environ* names."""
        return demo_service(environ, meta, port, directory)

    options = DemoOptions(
        once=once,
        opens_browser=opens_browser,
        is_verbose=verbose,
        port=port,
        simulator_port=simulator_port,
        limit=limit,
    )
    ctx.exit(run(options, configure))


def with_agent(
    environ: Mapping[str, str],
    adapter: str | None = None,
    agent_url: str | None = None,
    *,
    model: str | None = None,
    reply: str | None = None,
) -> dict[str, str]:
    """
    Return *environ* with the agent that the command line names, if it names one.

    A *model* is asked by `openai-chat` unless an *adapter* is named too. A *reply* is an
    agent of its own.
    """
    if reply:
        return dict(environ) | {_ADAPTER: _FIXED_REPLY, "AK_AGENT__INSTRUCTIONS": reply}
    chosen = {_ADAPTER: adapter or ("openai-chat" if model else None), _URL: agent_url}
    chosen[_MODEL] = model
    return dict(environ) | {name: value for name, value in chosen.items() if value}


def trouble_in(line: str) -> Trouble | None:
    """Return what went wrong by a *line* of the service's log: a turn's attempt, or all of it."""
    from instagram_simulator.demo.service import Trouble  # as above

    try:
        logged = json.loads(line)
        is_final = {"turn.retrying": False, "turn.dead_lettered": True}[logged["event"]]
    except (ValueError, LookupError, TypeError):  # another line, or one for people
        return None
    return Trouble(str(logged.get("reason", "")), is_final)


def demo_service(
    environ: Mapping[str, str], meta: MetaSide, port: int, directory: Path
) -> DemoService:
    """
    Return the service on *port*, with its data in *directory*, that takes *meta* for Meta.

    The agent is the one that *environ* or the settings file configures, else `echo`.
    Raises `SettingsError` if that agent is configured but can't be used.
    """
    # As above.
    from ak_instagram.agents import registry
    from instagram_simulator.demo.service import DemoService

    told = {name: value for name, value in environ.items() if not name.startswith(_OURS)} | {
        "AK_INSTAGRAM__VERIFY_TOKEN": meta.verify_token,
        "AK_INSTAGRAM__ACCESS_TOKEN": meta.access_token,
        "AK_INSTAGRAM__APP_SECRET": meta.app_secret,
        "AK_INSTAGRAM__REQUIRE_SIGNATURE": "true",
        "AK_INSTAGRAM__GRAPH_URL": meta.graph_url,
        "AK_INSTAGRAM__API_VERSION": LIVING,
        "AK_INSTAGRAM__ACCOUNTS": "[]",
        "AK_STORE__URL": f"sqlite:///{directory / 'demo.db'}",
        "AK_SERVER__HOST": "127.0.0.1",
        "AK_SERVER__PORT": str(port),
    }
    try:
        found = explain(told, adapters=registry)
    except SettingsError:
        if told.get(_ADAPTER):
            raise
        # Raises if more is wrong than that there is no agent.
        explain(told | {_URL: "http://127.0.0.1:1"}, adapters=registry)
        told |= {_ADAPTER: "echo"}
        found = explain(told, adapters=registry)
    if not told.get("AK_LOGS__FORMAT"):
        told["AK_LOGS__FORMAT"] = "json"
    return DemoService(
        trouble_in=trouble_in,
        arguments=("-m", "ak_instagram", "serve"),
        environ=told,
        webhook=PATH,
        ready="/readyz",
        agent=next(str(each.value) for each in found if each.path == "agent.adapter"),
    )
