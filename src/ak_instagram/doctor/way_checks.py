"""Checks of the two ways: to the agent, and in from the public address to the webhook."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

import aiohttp

from ak_instagram.agents.agent import Turn, UserMessage
from ak_instagram.agents.answers import ask
from ak_instagram.agents.registry import build_agent
from ak_instagram.errors import Permanent, Transient
from ak_instagram.reply.plan import plan_answer
from ak_instagram.webhook import PATH

from .facts import Facts
from .finding import Asks, Group, Verdict, check, error, ok, warning

WITHIN = 8.0  # seconds for a connection and the first answer
_HELLO = "Hello! What can you do for me?"
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_LONGEST = 4096  # bytes of an answer that are read


def reason_of(exc: Exception) -> str:
    """Return why there was no answer, in words that quote no address."""
    match exc:
        case aiohttp.ClientConnectorDNSError():
            return "the host's name is unknown here"
        case aiohttp.ClientConnectorCertificateError():
            return "its certificate is not trusted"
        case aiohttp.ClientConnectorError():
            return "nothing listens there"
        case TimeoutError():
            return f"no answer within {WITHIN:g} s"
    return type(exc).__name__


# --- the agent --------------------------------------------------------------


@check("AKI-201", Group.AGENT, "The agent can be reached", asks=Asks.AGENT)
async def agent_reachable(facts: Facts) -> Sequence[Verdict]:
    """
    Connect to `agent.url` and ask for its root with HEAD; any answer will do.

    While the agent is down, messages are taken and wait; it is asked again for a quarter of an
    hour. In a container, `localhost` is the container itself.
    """
    agent = facts.settings.agent
    if agent.url is None:
        return [ok(f"the adapter {agent.adapter} has no address")]
    url = urlsplit(agent.url)
    where = f"{url.scheme}://{url.hostname}{f':{url.port}' if url.port else ''}"
    timeout = aiohttp.ClientTimeout(total=WITHIN)
    try:
        async with facts.session.head(where, timeout=timeout, allow_redirects=False) as answer:
            return [ok(f"{where} answers, {answer.status} to HEAD")]
    except (aiohttp.ClientError, TimeoutError, OSError) as exc:
        fix = "start the agent, or correct AK_AGENT__URL"
        if url.hostname in _HERE:
            fix += (
                f"; from a container this machine is http://host.docker.internal:{url.port or 80}"
            )
        return [error(f"the agent at {where} is down: {reason_of(exc)}", fix)]


@check("AKI-202", Group.AGENT, "The agent answers a question", asks=Asks.AGENT, at_start=False)
async def agent_answers(facts: Facts) -> Sequence[Verdict]:
    """
    Ask the agent a harmless question, if `--ask-agent` says so: it may cost something.

    `check-agent` does the same and shows the request and all that comes of it.
    """
    if not facts.request.ask_agent:
        return []
    settings, key = facts.settings.agent, secrets.token_hex(8)
    turn = Turn(
        id=f"doctor-{key}",
        session=f"doctor-{key}",
        account="0",
        contact="0",
        messages=(UserMessage("doctor", time.time_ns() // 1_000_000, _HELLO, ()),),
        agent=facts.settings.instagram.agent or None,
    )
    began = time.perf_counter()
    fix = "`ak-instagram check-agent` shows the request, the answer, and why"
    try:
        parts = await ask(
            build_agent(settings, facts.session), turn, settings.max_answer, settings.timeout
        )
    except (Transient, Permanent) as exc:
        return [error(f"the agent does not answer: {exc}", fix)]
    took = f"after {time.perf_counter() - began:.1f} s"
    plan = plan_answer(parts)
    if plan.is_empty:
        return [warning(f"the agent's answer {took} is empty", fix)]
    return [ok(f"the agent answers {took}: {len(plan.messages)} message(s)")]


# --- the way in -------------------------------------------------------------


def callback_url(given: str) -> str:
    """Return the webhook's address; of a host alone the path is added."""
    url = urlsplit(given if "://" in given else f"https://{given}")
    return url._replace(path=url.path.rstrip("/") or PATH, query="", fragment="").geturl()


@check("AKI-411", Group.CALLBACK, "The webhook's URL answers Meta's handshake", asks=Asks.CALLBACK)
async def callback_shakes_hands(facts: Facts) -> Sequence[Verdict]:
    """
    Do what Meta does when the URL is saved: a GET with the verify token.

    The URL is that of `--callback`, else the one that the app has at Meta, if Meta tells it.
    It has to answer 200 and the challenge, nothing else, without a redirect. Best run from
    outside your network; a certificate that Meta does not trust shows here too.
    """
    told = [each.url for each in (await facts.app_webhooks()).values() if each and each.url]
    given = facts.request.callback
    urls = [callback_url(given)] if given is not None else [*dict.fromkeys(told)]
    return [await handshake(facts, url) for url in urls]


async def handshake(facts: Facts, url: str) -> Verdict:
    """Return what becomes of Meta's handshake at *url*."""
    challenge = str(secrets.randbelow(10**10))
    query = {
        "hub.mode": "subscribe",
        "hub.challenge": challenge,
        "hub.verify_token": facts.settings.instagram.verify_token,
    }
    try:
        status, body = await _asked(facts, "GET", url, query)
    except (aiohttp.ClientError, TimeoutError, OSError) as exc:
        fix = "DNS, port 443, the certificate, the firewall, the proxy in front of the service"
        return error(f"{url} can't be reached: {reason_of(exc)}", fix)
    if (status, body) == (200, challenge.encode()):
        return ok(f"{url} answers the handshake")
    fixes = {
        200: "pass the service's answer on as it is: no login page, no scripts",
        403: "enter AK_INSTAGRAM__VERIFY_TOKEN into Meta's form and here alike, then restart",
        404: f"pass {PATH} on whole, and to the service",
    }
    fix = fixes.get(status, "docs/troubleshooting.md#the-verification-of-the-webhook")
    if 300 <= status < 400:
        fix = "enter the URL that it redirects to: Meta does not follow"
    return error(f"{url} answers {status}, not the challenge", fix)


@check("AKI-412", Group.CALLBACK, "The webhook's URL refuses unsigned posts", asks=Asks.CALLBACK)
async def callback_refuses(facts: Facts) -> Sequence[Verdict]:
    """
    Post an empty object without a signature to the URL of `--callback`: it has to be refused.

    A service that takes it has no app secret: anybody can write in anybody's name.
    """
    if facts.request.callback is None:
        return []
    url = callback_url(facts.request.callback)
    try:
        status, _ = await _asked(facts, "POST", url, {})
    except (aiohttp.ClientError, TimeoutError, OSError):
        return []  # the handshake tells
    if status == 200:
        fix = "set AK_INSTAGRAM__APP_SECRET and AK_INSTAGRAM__REQUIRE_SIGNATURE=true, restart"
        return [error(f"{url} takes posts that nobody signed", fix)]
    if status in (401, 403):
        return [ok(f"{url} refuses unsigned posts with {status}")]
    fix = "docs/troubleshooting.md#the-verification-of-the-webhook"
    return [warning(f"{url} answers an unsigned post with {status}, not with 403", fix)]


async def _asked(facts: Facts, method: str, url: str, query: dict[str, str]) -> tuple[int, bytes]:
    """Return status and the beginning of the answer."""
    timeout = aiohttp.ClientTimeout(total=WITHIN)
    body = b"{}" if method == "POST" else None
    headers = {"Content-Type": "application/json"} if body else {}
    async with facts.session.request(
        method,
        url,
        params=query,
        data=body,
        headers=headers,
        timeout=timeout,
        allow_redirects=False,
    ) as answer:
        return answer.status, await answer.content.read(_LONGEST)


@check("AKI-413", Group.CALLBACK, "The secret is the one that Meta signs with", asks=Asks.SERVICE)
async def secret_matches(facts: Facts) -> Sequence[Verdict]:
    """
    Ask the running service, at `/metrics` on this machine, which secret signed its webhooks.

    An Instagram app has two secrets, and webhooks are signed with the *Instagram* app secret.
    With the other one every webhook is refused with 403. Nothing is said while no service
    runs here, or nothing has come.
    """
    counts = await facts.signatures()
    if counts is None:
        return []
    unknown = int(counts.get("none", 0))
    known = int(sum(counts.values())) - unknown
    if known:
        strangers = f"; {unknown} others were refused" if unknown else ""
        return [ok(f"{known} webhook(s) were signed with a configured secret{strangers}")]
    if unknown:
        fix = (
            "App Dashboard > Instagram > API setup with Instagram login > Instagram app secret >"
            " Show; set it as AK_INSTAGRAM__APP_SECRET (not the one under App settings > Basic)"
        )
        text = f"no configured secret signed any of the {unknown} webhook(s) that came"
        return [error(text, fix)]
    return []


AGENT = (agent_reachable, agent_answers)
CALLBACK = (callback_shakes_hands, callback_refuses, secret_matches)
