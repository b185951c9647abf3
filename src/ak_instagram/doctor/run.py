"""
The doctor: all checks, made side by side, and what they found in a fixed order.

`run_checks` is for whoever wants the findings: the command, a page, the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack

import aiohttp
import structlog

from ak_instagram.errors import StoreUnavailable
from ak_instagram.http_client import open_http_session
from ak_instagram.jobs import run_logged
from ak_instagram.meta.graph.errors import GraphError
from ak_instagram.settings.model import Account, Settings
from ak_instagram.tokens.report import current_accounts

from . import local_checks, meta_checks, store_checks, way_checks
from .facts import CheckRequest, Facts
from .finding import Asks, Check, Finding, Group, Result, Verdict, warning

log = structlog.get_logger()

WITHIN = 20.0  # seconds for one check; that of the agent's answer has the agent's time besides
EVERY = 86_400.0  # seconds between two looks of a running service
OFFLINE = frozenset({Asks.NOBODY, Asks.SERVICE})

_ORDER = {group: number for number, group in enumerate(Group)}
CHECKS: tuple[Check, ...] = tuple(
    sorted(
        (
            *local_checks.CHECKS,
            *store_checks.CLOCKS,
            *store_checks.CHECKS,
            *store_checks.AUTOMATIONS,
            *meta_checks.TOKEN,
            *meta_checks.ACCOUNT,
            *meta_checks.SUBSCRIPTION,
            *way_checks.AGENT,
            *way_checks.CALLBACK,
        ),
        key=lambda check: (_ORDER[check.group], check.code),
    )
)
"""All checks by group and code."""


async def run_checks(
    settings: Settings,
    *,
    session: aiohttp.ClientSession | None = None,
    accounts: Sequence[Account] | None = None,
    request: CheckRequest | None = None,
    only: Collection[str] = (),
    offline: bool = False,
    at_start: bool = False,
) -> tuple[Finding, ...]:
    """
    Return what all checks of *settings* find, in the order of `CHECKS`; never raises.

    *accounts*, unless they are given, are those of settings and store, each with the token that
    it sends with.
    *only* these codes are looked at, if there are any. *offline* asks neither Meta nor the
    agent nor the callback; *at_start* leaves out what tells nothing then. Without a
    *session* there is one of its own.
    """
    chosen = [
        each
        for each in CHECKS
        if (not only or each.code in only)
        and (not offline or each.asks in OFFLINE)
        and (not at_start or each.at_start)
    ]
    async with AsyncExitStack() as stack:
        if session is None:
            proxies = settings.server.outgoing_proxies
            opened = open_http_session(outgoing_proxies=proxies)
            session = await stack.enter_async_context(opened)
        if accounts is None:
            accounts = await current_accounts(settings)
        facts = Facts(settings, session, request, accounts)
        stack.push_async_callback(facts.close)
        found = await asyncio.gather(*(findings_of(each, facts) for each in chosen))
    return tuple(finding for findings in found for finding in findings)


async def findings_of(check: Check, facts: Facts) -> list[Finding]:
    """Return what *check* finds; that it can't be made is a finding as well."""
    more = facts.settings.agent.timeout if facts.request.ask_agent else 0.0
    verdicts: Sequence[Verdict]
    try:
        async with asyncio.timeout(WITHIN + more):
            verdicts = await check.run(facts)
    except GraphError:
        verdicts = []  # AKI-301 tells what Meta refuses
    except StoreUnavailable:
        verdicts = []  # AKI-121 tells what the store refuses
    except TimeoutError:
        fix = f"`ak-instagram doctor --only {check.code}`, when there is less to do"
        verdicts = [warning(f"this took longer than {WITHIN:g} s and was broken off", fix)]
    except Exception as exc:  # a check must not keep the others from telling
        log.exception("doctor.check_failed", code=check.code, reason=type(exc).__name__)
        fix = "report it, with the log line `doctor.check_failed`"
        verdicts = [warning(f"this could not be checked: {type(exc).__name__}", fix)]
    return [Finding(check.code, check.group, each.result, each.text, each.fix) for each in verdicts]


async def run_daily(
    settings: Settings,
    session: aiohttp.ClientSession,
    accounts: Callable[[], Sequence[Account]],
    *,
    every: float = EVERY,
) -> None:
    """
    Log what is wrong now and every day; never return.

    *accounts* returns them as they are used then.
    """
    while True:
        await run_logged(_log_findings(settings, session, accounts), failure="doctor.failed")
        await asyncio.sleep(every)


async def _log_findings(
    settings: Settings,
    session: aiohttp.ClientSession,
    accounts: Callable[[], Sequence[Account]],
) -> None:
    found = await run_checks(settings, session=session, accounts=accounts(), at_start=True)
    wrong = [finding for finding in found if finding.result is not Result.OK]
    for finding in wrong:
        log.warning(
            "doctor.found",
            code=finding.code,
            group=finding.group.value,
            result=finding.result.value,
            reason=finding.text,
            fix=finding.fix,
        )
    log.info("doctor.checked", ok=len(found) - len(wrong), wrong=len(wrong))
