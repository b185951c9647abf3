"""`demo`: the service at work, without a Meta account."""

from __future__ import annotations

import click

_PORT = click.IntRange(1, 65535)


@click.command(epilog="Example: ak-instagram demo --open")
@click.option("--once", is_flag=True, help="Play one conversation and exit; 1 if a step failed.")
@click.option("--open", "opens_browser", is_flag=True, help="Open the page in a browser.")
@click.option("--verbose", is_flag=True, help="Show the service's log here, not in a file.")
@click.option("--adapter", help="The agent's adapter.  [default: the configured one, else echo]")
@click.option("--agent-url", help="Where the agent is.")
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
    # Here and not above: the simulator's libraries take longer to import than the
    # other commands take to run.
    from instagram_simulator.demo.run import Options, run

    ctx.exit(
        run(
            Options(
                once=once,
                opens_browser=opens_browser,
                is_verbose=verbose,
                adapter=adapter,
                agent_url=agent_url,
                port=port,
                simulator_port=simulator_port,
                limit=limit,
            )
        )
    )
