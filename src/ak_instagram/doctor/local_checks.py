"""Checks that ask nobody: the settings, the version's end, what the law and people expect."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

from ak_instagram.http_client import proxy_variables
from ak_instagram.meta.graph.versions import LIVING, end_of

from .facts import Facts
from .finding import Asks, Group, Verdict, check, error, ok, warning

META_HOSTS = frozenset({"graph.instagram.com", "graph.facebook.com"})
ENDS_SOON = 90  # days
LONG = 90.0  # days that few have a reason to keep what people wrote


@check("AKI-101", Group.SETTINGS, "The settings can be used")
async def settings_usable(facts: Facts) -> Sequence[Verdict]:
    """
    Check that the service would start.

    With settings that it would refuse there is a finding for each problem, which names the key
    and the fix, no other check is made, and the exit code is 2. `check-config` shows every
    value and where it comes from.
    """
    return [ok(f"the settings are complete; {len(facts.accounts)} account(s)")]


@check("AKI-102", Group.SETTINGS, "Webhooks have to be signed")
async def signatures_required(facts: Facts) -> Sequence[Verdict]:
    """
    Check that there is an app secret, and that a start without one is refused.

    Without a secret, whoever finds the URL can post messages in anybody's name. The secret is
    the *Instagram* app secret: App Dashboard > Instagram > API setup with Instagram login.
    """
    instagram = facts.settings.instagram
    if not instagram.app_secrets:
        fix = "set AK_INSTAGRAM__APP_SECRET and AK_INSTAGRAM__REQUIRE_SIGNATURE=true"
        return [warning("no app secret is set: unsigned webhooks are taken from anybody", fix)]
    if not instagram.require_signature:
        text = "webhooks are checked, but a start without a secret would not be refused"
        return [warning(text, "set AK_INSTAGRAM__REQUIRE_SIGNATURE=true")]
    return [ok(f"webhooks are checked against {len(instagram.app_secrets)} secret(s)")]


@check("AKI-103", Group.SETTINGS, "The Graph API is Meta's own", at_start=False)
async def graph_is_metas(facts: Facts) -> Sequence[Verdict]:
    """
    Check that `instagram.graph_url` is one of Meta's hosts, by HTTPS.

    Tokens go there. Another host is for tests and the simulator.
    """
    url = urlsplit(facts.settings.instagram.graph_url)
    if url.scheme == "https" and url.hostname in META_HOSTS:
        return [ok(f"calls go to {url.hostname}")]
    text = f"calls, and tokens with them, go to {url.scheme}://{url.hostname}, not to Meta"
    return [warning(text, "unset AK_INSTAGRAM__GRAPH_URL, unless this is a test")]


@check("AKI-104", Group.SETTINGS, "The environment's proxies are used or not there")
async def proxies_used(facts: Facts) -> Sequence[Verdict]:
    """
    Check that no proxy is named and passed over.

    Meta and the agent can't be reached without it if the way out leads through one.
    """
    variables = proxy_variables()
    if variables and not facts.settings.server.outgoing_proxies:
        text = f"{' and '.join(variables)} set(s) a proxy that is not used"
        return [warning(text, "set AK_SERVER__OUTGOING_PROXIES=true, or unset the variables")]
    return [ok("proxies are used as the environment names them" if variables else "no proxies")]


@check("AKI-501", Group.VERSION, "The Graph version has more than 90 days to live")
async def version_lives(facts: Facts) -> Sequence[Verdict]:
    """
    Check when `instagram.api_version` ends.

    Meta does not refuse a version that has ended: the oldest living one serves its calls,
    without a word, and answers may change from one day to the next.
    """
    version = facts.settings.instagram.api_version
    return [version_verdict(version, end_of(version), datetime.now(UTC).date())]


def version_verdict(version: str, end: date | None, today: date) -> Verdict:
    """Return what it means that *version* ends at *end*, seen from *today*."""
    fix = f"set AK_INSTAGRAM__API_VERSION={LIVING} and restart"
    if end is None:
        return ok(f"no end of {version} is known")
    days = (end - today).days
    if days < 0:
        text = f"{version} has ended on {end}; the oldest living version serves its calls"
        return error(text, fix)
    if days <= ENDS_SOON:
        return warning(f"{version} ends on {end}, in {days} days", fix)
    return ok(f"{version} ends on {end}")


@check("AKI-502", Group.VERSION, "Meta serves the version that is asked for", asks=Asks.META)
async def version_served(facts: Facts) -> Sequence[Verdict]:
    """
    Check which version Meta's answer names, in its header `facebook-api-version`.

    Another one than was asked for means that this one has ended.
    """
    asked = facts.settings.instagram.api_version
    for account in facts.accounts:
        if served := (await facts.account(account)).served_version:
            if served == asked:
                return [ok(f"Meta serves {served}")]
            fix = f"set AK_INSTAGRAM__API_VERSION={LIVING} and restart"
            return [warning(f"{asked} is asked for, and Meta serves {served}", fix)]
    return []


@check("AKI-601", Group.POLICY, "People are told that a machine answers")
async def machine_disclosed(facts: Facts) -> Sequence[Verdict]:
    """
    Check that `conversation.disclosure` is set, or that each account has a line of its own.

    Meta's policy asks for it where the law does, California and Germany among others, and the
    EU's AI Act does since 2026-08-02. An agent that says so by itself is not seen from here.
    """
    common = facts.settings.conversation.disclosure
    untold = [
        it
        for it in facts.settings.instagram.all_accounts
        if not (common if it.disclosure is None else it.disclosure)
    ]
    if not untold:
        return [ok("people are told before the first answer, and when the bot returns")]
    fix = 'set AK_CONVERSATION__DISCLOSURE="Our assistant answers here; it is a machine."'
    if not common:
        return [warning("people are not told that a machine answers", fix)]
    ids = ", ".join(it.account_id or "the main account" for it in untold)
    return [warning(f"people are not told that a machine answers by {ids}", fix)]


@check("AKI-602", Group.POLICY, "What people wrote is not kept for longer than needed")
async def retention_short(facts: Facts) -> Sequence[Verdict]:
    """
    Check that `store.retention` is not longer than 90 days.

    Messages are personal data. Seven days, the default, are enough to answer and to find out
    what went wrong.
    """
    days = facts.settings.store.retention
    if days > LONG:
        fix = "set AK_STORE__RETENTION=7, or the days that your privacy policy names"
        return [warning(f"what people wrote is kept for {days:g} days", fix)]
    return [ok(f"what people wrote is kept for {days:g} days")]


CHECKS = (
    settings_usable,
    signatures_required,
    graph_is_metas,
    proxies_used,
    version_lives,
    version_served,
    machine_disclosed,
    retention_short,
)
