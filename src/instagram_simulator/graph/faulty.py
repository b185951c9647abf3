"""Answers that go wrong on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from instagram_simulator.faults import Fault, FaultKind

from .answers import DROPPED, HTML_500, Answer, GraphError

_LIMIT_REACHED = {"X-App-Usage": '{"call_count":100,"total_time":25,"total_cputime":25}'}

# Refusals: nothing is applied.
_REFUSALS: dict[FaultKind, Callable[[], Answer]] = {
    FaultKind.SERVER_ERROR: lambda: HTML_500,
    FaultKind.DROPPED: lambda: DROPPED,
    FaultKind.TEMPORARY: GraphError(
        2, None, "Service temporarily unavailable", status=500, is_transient=True
    ).answer,
    FaultKind.RATE_LIMITED: GraphError(
        613, 2534040, "Calls to this api have exceeded the rate limit."
    ).answer,
    FaultKind.APP_LIMITED: GraphError(
        4, None, "Application request limit reached", is_transient=True, headers=_LIMIT_REACHED
    ).answer,
    FaultKind.TOKEN_EXPIRED: GraphError(
        190, 463, "Error validating access token: Session has expired"
    ).answer,
    FaultKind.WINDOW_CLOSED: GraphError(
        10, 2534022, "This message is sent outside of allowed window."
    ).answer,
    FaultKind.PERSON_UNAVAILABLE: GraphError(
        551, 1545041, "This person isn't available right now."
    ).answer,
    FaultKind.RESTRICTED: GraphError(
        368, None, "Temporarily blocked for policies violations"
    ).answer,
}

# Lies: it is applied, and this is the answer.
_LIES: dict[FaultKind, Callable[[], Answer]] = {
    FaultKind.SENT_BUT_ERROR: GraphError(
        1, 1357046, "Received invalid JSON reply", status=500
    ).answer,
    FaultKind.SENT_BUT_500: lambda: HTML_500,
    FaultKind.SENT_BUT_DROPPED: lambda: DROPPED,
}

_HANGS = frozenset({FaultKind.HANG, FaultKind.SENT_BUT_HANG})


async def with_fault(
    fault: Fault | None,
    apply: Callable[[], Awaitable[Answer]],
    silence: Callable[[], Awaitable[None]],
) -> Answer:
    """Return what *apply* answers, unless *fault* has its way; a hang lasts as *silence* does."""
    if fault is None:
        return await apply()
    if refusal := _REFUSALS.get(fault.kind):
        return refusal()
    answer = DROPPED if fault.kind is FaultKind.HANG else await apply()
    if fault.kind in _HANGS:
        await silence()
        return DROPPED
    if lie := _LIES.get(fault.kind):
        return lie()
    if fault.kind is not FaultKind.SLOW:
        raise NotImplementedError(f"no Graph call can go wrong by {fault.kind}")
    await asyncio.sleep(fault.seconds)
    return answer
