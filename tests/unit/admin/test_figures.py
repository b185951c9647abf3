"""The overview's figures, and the streams that keep it up to date."""

from __future__ import annotations

import asyncio
import math
from typing import Any, cast

import pytest

from ak_instagram import metrics
from ak_instagram.admin.api import AccountState
from ak_instagram.admin.console.live import LiveUpdates
from ak_instagram.admin.console.pages import REASONS_EVERY, Standing
from ak_instagram.admin.console.rendering import chart, count, moment, seconds
from ak_instagram.admin.figures import EVERY, Figures
from ak_instagram.errors import StoreUnavailable
from ak_instagram.store.database import Transactions
from ak_instagram.store.verbs.backlog import Backlog, measure
from tests.support.fakes import FakeClock


@pytest.fixture
def clock():
    return FakeClock(0)


def test_a_rate_is_of_what_happened_since_and_has_a_past(clock):
    figures = Figures(clock)
    clock.move(int(EVERY))
    metrics.TURNS.labels("answered").inc(3)
    metrics.TURNS.labels("dead").inc(1)
    figures.sample()
    clock.move(int(EVERY))

    answered, failed = figures.rate("answered"), figures.rate("failed")

    assert (answered.now, answered.past) == (9, (18, 0))
    assert (failed.now, failed.past) == (3, (6, 0))


def test_a_quantile_is_the_bound_within_which_so_many_were_done(clock):
    figures = Figures(clock)
    for taken in [0.02] * 9 + [400.0]:
        metrics.TURN_SECONDS.observe(taken)

    assert figures.quantile("agent", 0.5) == 0.025
    assert figures.quantile("agent", 0.95) == math.inf
    assert Figures(clock).quantile("agent", 0.5) is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param(None, "none", id="nothing"),
        pytest.param(0.0151, "15 ms", id="milliseconds"),
        pytest.param(2.25, "2.2 s", id="seconds"),
        pytest.param(42, "42 s", id="many-seconds"),
        pytest.param(125, "2 min 5 s", id="minutes"),
        pytest.param(3_700, "1 h 1 min", id="hours"),
        pytest.param(180_000, "2 d 2 h", id="days"),
        pytest.param(math.inf, "> 2 min", id="beyond-the-last-bucket"),
    ],
)
def test_spans_are_said_as_people_do(value, said):
    assert seconds(value) == said


def test_counts_stop_where_nobody_counted_on_and_no_time_is_too_large():
    assert (count(1999, 2000), count(2000, 2000), count(0.25)) == ("1,999", "2,000+", "0.2")
    assert moment(10**18).startswith("9999-")


def test_a_chart_says_its_label_and_nothing_that_a_label_smuggles_in():
    drawn = chart([0, 2, 1], 'a "minute"<script>')

    assert 'aria-label="a &#34;minute&#34;&lt;script&gt;"' in drawn
    assert "<script" not in drawn


def body_of(response) -> Any:
    """Return what the response goes on with."""
    return response.body_iterator


async def chunks(response, number: int) -> list[str]:
    body = body_of(response)
    found = [await anext(body) for _ in range(number)]
    await body.aclose()
    return found


async def test_a_stream_tells_what_is_new_and_outlives_a_store_that_does_not_answer():
    said = iter(["one\ntwo", "one\ntwo", None, "three"])

    async def render() -> str:
        text = next(said)
        if text is None:
            raise StoreUnavailable("gone")
        return text

    told = await chunks(LiveUpdates(every=0).stream(render), 2)

    assert told == ["data: one\ndata: two\n\n", "data: three\n\n"]


async def test_no_more_streams_are_open_than_may_be():
    async def render() -> str:
        return "x"

    live = LiveUpdates(every=0, most=1)
    first = live.stream(render)
    await anext(body_of(first))

    assert live.stream(render).status_code == 503
    await body_of(first).aclose()
    assert live.stream(render).status_code == 200


async def test_however_many_consoles_look_the_store_is_asked_as_for_one(clock):
    asked = []

    class Store:
        async def run(self, verb, *_args):
            asked.append(verb)
            return Backlog(1, 0, 0, 0, 0, None) if verb is measure else []

    async def accounts() -> list[AccountState]:
        asked.append("accounts")
        return []

    standing = Standing(cast(Transactions, Store()), accounts, clock)
    for _ in range(50):
        assert (await standing.look())[0].due == 1
    clock.move(int(REASONS_EVERY))
    await standing.look()

    assert len(asked) == 6


async def test_what_is_alike_for_all_is_rendered_once():
    rendered = []

    async def render() -> str:
        rendered.append(1)
        return "x"

    live = LiveUpdates(every=60)
    for _ in range(50):
        assert await live.shared(render) == "x"

    assert len(rendered) == 1


async def test_streams_end_when_the_service_does():
    async def render() -> str:
        return "x"

    stopping = asyncio.Event()
    body = body_of(LiveUpdates(every=60, stopping=stopping).stream(render))
    await anext(body)

    stopping.set()

    assert [it async for it in body] == []
