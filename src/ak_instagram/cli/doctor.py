"""`doctor`: what keeps messages from being answered, each with its fix."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import structlog

from ak_instagram.errors import SettingsError
from ak_instagram.settings import explain

from .shared import config_option, load_settings

if TYPE_CHECKING:
    from ak_instagram.doctor.facts import CheckRequest
    from ak_instagram.doctor.finding import Finding
    from ak_instagram.settings import Settings

PAUSE = 2.0  # seconds between two rounds of `--wait`
WRONG_SETTINGS = 2
_LOOKS = {"ok": "green", "warning": "yellow", "error": "red"}


@click.command(epilog="Example: ak-instagram doctor --callback https://bot.example.com")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--offline", is_flag=True, help="Ask neither Meta nor the agent.")
@click.option("--only", multiple=True, metavar="CODE", help="This check alone; may be repeated.")
@click.option(
    "--fail-on",
    type=click.Choice(["warning", "error"]),
    default="error",
    show_default=True,
    help="The least finding with which the exit code is 1.",
)
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Look again until all is well, for so long.",
)
@click.option("--callback", metavar="URL", help="The webhook's public URL, to be tried as well.")
@click.option("--ask-agent", is_flag=True, help="Ask the agent a question, which may cost money.")
@config_option
@click.pass_context
def doctor(
    ctx: click.Context,
    as_json: bool,
    offline: bool,
    only: tuple[str, ...],
    fail_on: str,
    wait: float,
    callback: str | None,
    ask_agent: bool,
    config: Path | None,
) -> None:
    """
    Look for what keeps messages from being answered.

    Checks settings, clock, store, agent, token, account, webhooks, Graph version and more, beside
    a running service or without one, and changes nothing. Each finding has a code (docs/doctor.md
    explains all), a sentence and a fix. Exit codes: 0 all is well, 1 there are findings, 2 the
    settings can't be used.
    """
    # Here and not above: all rooms are looked at, which takes longer than `--help` should.
    from ak_instagram.doctor.facts import CheckRequest
    from ak_instagram.doctor.run import CHECKS

    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=sys.stderr))
    codes = {code.upper() for code in only}
    if unknown := codes - {check.code for check in CHECKS}:
        raise click.BadParameter(f"{', '.join(sorted(unknown))}: docs/doctor.md has all codes")
    try:
        settings = load_settings(config)
    except SettingsError as exc:
        tell(problems_of(exc), as_json=as_json, is_well=False)
        ctx.exit(WRONG_SETTINGS)
    request = CheckRequest(callback, ask_agent, sources_of(config))
    worst = {"warning", "error"} if fail_on == "warning" else {"error"}
    found = asyncio.run(examined(settings, request, codes, worst, wait, offline=offline))
    is_well = not any(finding.result.value in worst for finding in found)
    tell(found, as_json=as_json, is_well=is_well)
    ctx.exit(0 if is_well else 1)


def problems_of(exc: SettingsError) -> list[Finding]:
    """Return a finding for each problem of the settings."""
    from ak_instagram.doctor.finding import Finding, Group, Result  # as above

    found = []
    for problem in exc.problems:
        text, mark, fix = problem.partition("; ")
        fix = fix if mark else "correct it; `ak-instagram check-config` shows every value"
        found.append(Finding("AKI-101", Group.SETTINGS, Result.ERROR, text, fix))
    return found


def sources_of(config: Path | None) -> dict[str, str]:
    """Return where each setting came from."""
    from ak_instagram.agents import registry  # as above

    return {each.path: each.source for each in explain(config=config, adapters=registry)}


async def examined(
    settings: Settings,
    request: CheckRequest,
    only: Collection[str],
    worst: Collection[str],
    wait: float,
    *,
    offline: bool,
    pause: float = PAUSE,
) -> tuple[Finding, ...]:
    """Return the findings, looked for until none is among the *worst* or *wait* s are over."""
    from ak_instagram.doctor.run import run_checks  # as above

    until = time.monotonic() + wait
    while True:
        found = await run_checks(settings, request=request, only=only, offline=offline)
        is_well = not any(finding.result.value in worst for finding in found)
        if is_well or time.monotonic() + pause > until:
            return found
        await asyncio.sleep(pause)


def tell(found: Sequence[Finding], *, as_json: bool, is_well: bool) -> None:
    """Print *found*: as JSON, or for people, by groups."""
    if as_json:
        answer = {"ok": is_well, "findings": [finding.as_json() for finding in found]}
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        return
    group = None
    for finding in found:
        if finding.group is not group:
            group = finding.group
            click.echo(f"\n{group}")
        look = click.style(f"{finding.result.value:<7}", fg=_LOOKS[finding.result.value])
        click.echo(f"  {look}  {finding.code}  {finding.text}")
        if finding.fix:
            click.echo(f"           fix: {finding.fix}")
            click.echo(f"           see: {finding.anchor}")
    counts = {word: sum(each.result.value == word for each in found) for word in _LOOKS}
    click.echo(f"\n{counts['ok']} ok, {counts['warning']} warning(s), {counts['error']} error(s)")
