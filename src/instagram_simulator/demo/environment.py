"""The environment that the demo's service runs in: all it is told, as in production."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ak_instagram.agents import registry
from ak_instagram.errors import SettingsError
from ak_instagram.settings import explain
from instagram_simulator.values import Account

# What the demo decides; whatever the user has set for a real account stays out of it.
_OURS = ("AK_INSTAGRAM__", "AK_STORE__", "AK_SERVER__", "AK_ADMIN__")
_ADAPTER, _URL = "AK_AGENT__ADAPTER", "AK_AGENT__URL"


def service_environment(
    environ: Mapping[str, str],
    *,
    account: Account,
    verify_token: str,
    graph_url: str,
    port: int,
    directory: Path,
) -> dict[str, str]:
    """
    Return *environ* with everything set that makes the service the simulator's.

    The agent is the one that *environ* or the settings file configures, else `echo`.
    Raises `SettingsError` if that agent is configured but can't be used.
    """
    kept = {name: value for name, value in environ.items() if not name.startswith(_OURS)}
    return _with_agent(
        kept
        | {
            "AK_INSTAGRAM__VERIFY_TOKEN": verify_token,
            "AK_INSTAGRAM__ACCESS_TOKEN": account.access_token,
            "AK_INSTAGRAM__APP_SECRET": account.app_secret,
            "AK_INSTAGRAM__REQUIRE_SIGNATURE": "true",
            "AK_INSTAGRAM__GRAPH_URL": graph_url,
            "AK_INSTAGRAM__ACCOUNTS": "[]",
            "AK_STORE__URL": f"sqlite:///{directory / 'demo.db'}",
            "AK_SERVER__HOST": "127.0.0.1",
            "AK_SERVER__PORT": str(port),
        }
    )


def with_options(
    environ: Mapping[str, str], adapter: str | None, agent_url: str | None
) -> dict[str, str]:
    """Return *environ* with the agent that the command line names, if it names one."""
    chosen = {_ADAPTER: adapter, _URL: agent_url}
    return dict(environ) | {name: value for name, value in chosen.items() if value}


def adapter_of(environ: Mapping[str, str]) -> str:
    """Return the adapter that the service will use."""
    return next(
        str(found.value)
        for found in explain(environ, adapters=registry)
        if found.path == "agent.adapter"
    )


def _with_agent(environ: dict[str, str]) -> dict[str, str]:
    """Return *environ* as it is if it can be used, else with `echo` if only an agent is missing."""
    try:
        explain(environ, adapters=registry)
    except SettingsError:
        if environ.get(_ADAPTER):
            raise
        explain(
            environ | {_URL: "http://127.0.0.1:1"}, adapters=registry
        )  # raises if something else is wrong
        return environ | {_ADAPTER: "echo"}
    return environ
