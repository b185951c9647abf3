"""The cases of the table in docs/agents.md end with every adapter as the table says."""

from __future__ import annotations

import asyncio

import pytest

from ak_instagram.agents.agent import Handoff, MessageEnd, Text
from ak_instagram.agents.registry import ADAPTERS
from ak_instagram.errors import Deferred, Permanent, Transient
from tests.support.dialects import (
    ANSWER,
    CASES,
    DIALECTS,
    LATER,
    LIMIT,
    NEVER,
    NONE,
    PATIENCE,
    PERSON,
    SILENCE,
    STOPPED,
    WAITS,
)

TABLE = [
    pytest.param(dialect, case, id=f"{dialect}-{case}")
    for dialect in DIALECTS
    for case in CASES
    if case.expected(dialect) != NONE
]


def test_every_adapter_that_asks_over_http_is_in_the_table():
    assert sorted(map(str, DIALECTS)) == sorted(set(ADAPTERS) - {"echo"})


@pytest.mark.parametrize(("dialect", "case"), TABLE)
async def test_a_case_ends_as_the_table_says(dialect, case, agent_server, ask, turn):
    agent_server.aside = dialect.aside
    agent_server.only_streams = dialect.only_streams
    case.begin(agent_server, dialect)
    timeout = PATIENCE if case.serve and case.outcome == LATER else 5.0
    settings = {"max_answer": LIMIT, "timeout": timeout, **case.settings(dialect)}
    asking = asyncio.create_task(ask(turn, dialect.adapter, **settings))
    if case.cancels:
        await asyncio.wait_for(agent_server.arrived.wait(), 2)
        asking.cancel()

    assert await outcome(asking) == case.expected(dialect)
    if case.cancels:
        await asyncio.wait_for(agent_server.gone.wait(), 2)


async def outcome(asking: asyncio.Task) -> str:
    """Return what became of a question, in the words of the table."""
    try:
        parts = await asking
    except Transient:
        return LATER
    except Permanent:
        return NEVER
    except Deferred:
        return WAITS
    except asyncio.CancelledError:
        return STOPPED
    if any(isinstance(part, Handoff) for part in parts):
        return PERSON
    said = [part.text for part in parts if isinstance(part, Text) and part.text.strip()]
    ends = sum(isinstance(part, MessageEnd) for part in parts)
    return SILENCE if not said else f"{ends + 1} messages" if ends else ANSWER
