"""An operator's endpoint is told of what happened: signed, again until it takes it, once."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections import deque

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from ak_instagram.backoff import Backoff
from ak_instagram.errors import StoreUnavailable
from ak_instagram.maintenance.notifier import LEASE, Notifier
from ak_instagram.meta.graph.codes import ErrorClass
from ak_instagram.store.values import EventStatus, TurnResult
from ak_instagram.store.verbs import steps
from ak_instagram.store.verbs.operators import notifications
from ak_instagram.store.verbs.operators.notifications import KEPT, ONCE_IN
from qa.support.serving import serving
from tests.support.fakes import ScriptedStore
from tests.support.store_bench import DAY, answered, arrival, claim_one, sending, stop

SECRET = "notify-secret"
TWICE = Backoff(max_attempts=2, first=10, factor=1, chance=lambda: 0.0)


class Desk:
    """An endpoint that answers the next of *statuses*, else 204; *posts* are what it got."""

    def __init__(self) -> None:
        self.url = ""
        self.statuses: deque[int] = deque()
        self.posts: list[tuple[dict[str, str], bytes]] = []

    async def take(self, request: web.Request) -> web.Response:
        self.posts.append((dict(request.headers), await request.read()))
        status = self.statuses.popleft() if self.statuses else 204
        return web.Response(status=status, headers={"Retry-After": "30", "Location": self.url})

    @property
    def told(self) -> list[dict[str, str]]:
        """Return what it was told, without what differs from run to run."""
        bodies = [json.loads(body) for _, body in self.posts]
        return [{k: v for k, v in it.items() if k not in ("id", "at")} for it in bodies]


@pytest.fixture
async def desk():
    desk = Desk()
    app = web.Application()
    app.router.add_post("/instagram", desk.take)
    async with serving(app) as url:
        desk.url = f"{url}/instagram"
        yield desk


@pytest.fixture
def store(bench):
    return bench.store(notifies=True)


@pytest.fixture
async def notifier(store, desk):
    async with aiohttp.ClientSession() as session:
        yield Notifier(store, session, desk.url, SECRET, backoff=TWICE)


async def hand_over(store) -> None:
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    result = answered(claim, turn="t1", hands_over=True, handoff="wants a refund")
    await store.run(steps.settle, claim, result)


async def test_a_hand_off_is_posted_signed_and_known_by_its_id(store, notifier, desk):
    await hand_over(store)

    await notifier.tell_due()
    await notifier.tell_due()

    [(headers, body)] = desk.posts
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    told = json.loads(body)
    assert headers["X-Hub-Signature-256"] == f"sha256={digest}"
    assert headers["X-Notification-Id"] == told.pop("id")
    assert told == {
        "event": "handoff",
        "at": "2027-01-15T08:00:00.000+00:00",
        "account": "shop",
        "contact": "anna",
        "turn": "t1",
        "reason": "wants a refund",
    }


@pytest.mark.parametrize("status", [500, 404, 301], ids=["error", "not-there", "elsewhere"])
async def test_what_the_endpoint_does_not_take_is_posted_again(
    bench, store, notifier, desk, status
):
    await hand_over(store)
    desk.statuses.append(status)

    await notifier.tell_due()
    bench.clock.move(29_999)
    await notifier.tell_due()
    tried = len(desk.posts)
    bench.clock.move(1)
    await notifier.tell_due()

    (first, body), (second, again) = desk.posts
    assert tried == 1, "it asked for half a minute"
    assert (first["X-Notification-Id"], body) == (second["X-Notification-Id"], again)


async def test_one_that_is_never_taken_is_given_up_and_says_so(bench, store, notifier, desk):
    await hand_over(store)
    desk.statuses.extend([503, 503])

    with capture_logs() as logs:
        await notifier.tell_due()
        bench.clock.move(60_000)
        await notifier.tell_due()
        bench.clock.move(DAY)
        await notifier.tell_due()

    assert len(desk.posts) == 2
    assert logs[-1]["event"] == "notification.given_up"
    assert logs[-1]["reason"] == "it answered 503"
    assert await bench.query("SELECT body, contact FROM notifications") == [("", "")]


async def test_an_endpoint_that_is_not_there_keeps_it_for_later(bench, store):
    await hand_over(store)

    async with aiohttp.ClientSession() as session:
        nowhere = Notifier(store, session, "http://127.0.0.1:1/", "", backoff=TWICE)
        with capture_logs() as logs:
            await nowhere.tell_due()

    assert [line["event"] for line in logs] == ["notification.failed"]
    assert await bench.query("SELECT tries FROM notifications WHERE due_at IS NOT NULL") == [(1,)]


async def test_each_is_one_processes_until_that_has_had_its_time(bench, store):
    await hand_over(store)
    lease = int(LEASE * 1000)

    [taken] = await store.run(notifications.take_due, lease)
    meanwhile = await bench.store("other").run(notifications.take_due, lease)
    bench.clock.move(lease)
    [again] = await bench.store("other").run(notifications.take_due, lease)

    assert meanwhile == []
    assert (again.id, taken.attempt, again.attempt) == (taken.id, 1, 2)


async def test_a_takeover_is_told_once_however_much_the_person_says(bench, store, notifier, desk):
    await store.put([arrival("m0")])
    for said in ("I am Ann", "How can I help?"):
        await bench.answer_by_hand(store, said)

    await notifier.tell_due()

    key = {"event": "taken_over", "account": "shop", "contact": "anna"}
    assert desk.told == [{**key, "by": "person", "reason": "a person answers"}]


async def test_dead_letters_are_told_of(store, notifier, desk):
    await store.put([arrival("m1")])
    claim = await claim_one(store)
    dead = {claim.events[0].id: EventStatus.DEAD}
    await store.run(steps.settle, claim, TurnResult("t1", dead, reason="agent answered 400"))
    step = await sending(store, "one", mid="m2", turn="t2")
    await store.run(steps.give_up, step, "person_unavailable")

    await notifier.tell_due()

    key = {"event": "dead_letter", "account": "shop", "contact": "anna"}
    assert desk.told == [
        {**key, "what": "turn", "turn": "t1", "reason": "agent answered 400"},
        {**key, "what": "answer", "turn": "t2", "reason": "person_unavailable"},
    ]


async def test_an_account_that_several_processes_see_stop_is_told_of_once_an_hour(
    bench, store, notifier, desk
):
    stopped = ("shop", ErrorClass.AUTHORIZATION, "the token has expired")
    for _ in range(2):
        notifier.account_stopped(*stopped)
    await notifier.tell_due()
    notifier.account_stopped(*stopped)
    await notifier.tell_due()
    bench.clock.move(ONCE_IN)
    notifier.account_stopped(*stopped)
    await notifier.tell_due()

    told = {"event": "account_stopped", "account": "shop", "error_class": "authorization"}
    assert desk.told == [{**told, "reason": "the token has expired"}] * 2


async def test_what_was_told_is_forgotten_after_a_day(bench, store, notifier):
    await hand_over(store)
    await notifier.tell_due()
    bench.clock.move(KEPT + 1)
    await bench.answer_by_hand(store)

    await notifier.tell_due()

    assert await bench.query("SELECT event FROM notifications") == [("taken_over",)]


async def test_without_an_endpoint_nothing_is_written_down(bench):
    await hand_over(bench.store())

    assert await bench.query("SELECT count(*) FROM notifications") == [(0,)]


async def test_the_job_goes_on_after_rounds_that_failed_and_says_so_once(desk):
    away = StoreUnavailable("no disk")
    store = ScriptedStore(notifications.take_due, away, away, [], away)

    async with aiohttp.ClientSession() as session:
        with capture_logs() as logs:
            job = asyncio.create_task(Notifier(store, session, desk.url, "", every=0).run())
            await store.done.wait()
            await stop(job)

    assert [line["event"] for line in logs] == ["notification.round_failed"] * 2
