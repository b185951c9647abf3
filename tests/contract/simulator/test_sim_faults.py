"""Each fault does what its name says, as often as it was told, and nothing else."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from instagram_simulator import Fault, FaultKind


@pytest.mark.parametrize(
    ("kind", "status", "code", "subcode"),
    [
        pytest.param(FaultKind.TEMPORARY, 500, 2, None, id="temporary"),
        pytest.param(FaultKind.RATE_LIMITED, 400, 613, 2534040, id="rate-limited"),
        pytest.param(FaultKind.APP_LIMITED, 400, 4, None, id="app-limited"),
        pytest.param(FaultKind.TOKEN_EXPIRED, 400, 190, 463, id="token-expired"),
        pytest.param(FaultKind.WINDOW_CLOSED, 400, 10, 2534022, id="window-closed"),
        pytest.param(FaultKind.PERSON_UNAVAILABLE, 400, 551, 1545041, id="unavailable"),
        pytest.param(FaultKind.RESTRICTED, 400, 368, None, id="restricted"),
    ],
)
async def test_a_refusal_applies_nothing(meta, graph, mia, kind, status, code, subcode):
    meta.fail(Fault(kind, times=1))
    refused = await graph.send(mia.igsid, "one")
    accepted = await graph.send(mia.igsid, "two")

    error = refused[1]["error"]
    assert (refused[0], error["code"], error.get("error_subcode")) == (status, code, subcode)
    assert accepted[0] == 200
    assert [each.content.text for each in meta.applied(mia.igsid)] == ["two"]


@pytest.mark.parametrize(
    ("kind", "applied"),
    [(FaultKind.SERVER_ERROR, 0), (FaultKind.SENT_BUT_500, 1)],
)
async def test_a_500_is_no_json(meta, http, mia, kind, applied):
    meta.fail(Fault(kind))
    status, content_type = await _raw_send(meta, http, mia)

    assert (status, content_type) == (500, "text/html")
    assert len(meta.applied(mia.igsid)) == applied


async def test_an_error_can_be_a_lie(meta, graph, mia):
    meta.fail(Fault(FaultKind.SENT_BUT_ERROR))
    _, answer = await graph.send(mia.igsid, "hello")

    assert (answer["error"]["code"], answer["error"]["error_subcode"]) == (1, 1357046)
    assert len(meta.applied(mia.igsid)) == 1


@pytest.mark.parametrize(
    ("kind", "applied"),
    [(FaultKind.DROPPED, 0), (FaultKind.SENT_BUT_DROPPED, 1)],
)
async def test_the_line_can_drop_without_an_answer(meta, graph, mia, kind, applied):
    meta.fail(Fault(kind, times=1))
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await graph.send(mia.igsid, "hello")

    assert len(meta.applied(mia.igsid)) == applied


@pytest.mark.parametrize(
    ("kind", "applied"),
    [(FaultKind.HANG, 0), (FaultKind.SENT_BUT_HANG, 1)],
)
async def test_a_call_can_hang_until_the_caller_goes(meta, graph, mia, kind, applied):
    meta.fail(Fault(kind, times=1))
    noted = asyncio.ensure_future(
        meta.journal.wait(lambda e: e.kind == "graph", after=meta.journal.seq)
    )
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(graph.send(mia.igsid, "hello"), 0.1)
    entry = await noted

    assert entry.data["status"] is None
    assert len(meta.applied(mia.igsid)) == applied


async def test_a_slow_call_is_answered_in_the_end(meta, graph, mia):
    meta.fail(Fault(FaultKind.SLOW, seconds=0.05))
    status, _ = await graph.send(mia.igsid, "hello")

    (entry,) = [each for each in meta.journal.known() if each.kind == "graph"]
    assert status == 200
    assert entry.data["ms"] >= 50


async def test_a_fault_of_sends_spares_typing(meta, graph, mia):
    meta.fail(Fault(FaultKind.TEMPORARY, times=1))
    typing, _ = await graph.post({"recipient": {"id": mia.igsid}, "sender_action": "typing_on"})
    send, _ = await graph.send(mia.igsid, "hello")

    assert (typing, send) == (200, 500)


async def test_an_expired_token_can_hit_every_call(meta, graph):
    meta.fail(Fault(FaultKind.TOKEN_EXPIRED, on="any"))
    _, answer = await graph.get("me")

    assert answer["error"]["error_subcode"] == 463


async def test_a_webhook_can_be_delivered_twice(meta, subscribed):
    meta.fail(Fault(FaultKind.DUPLICATE, times=1))
    message = meta.phones.say(meta.add_person("Mia").igsid, "Hi")
    await meta.settled()

    assert len(subscribed.posts) == 2
    assert meta.deliveries.accepted["message", message.mid] == 2


async def test_a_webhook_can_be_overtaken_by_the_next(meta, subscribed):
    person = meta.add_person("Mia")
    meta.fail(Fault(FaultKind.REORDERED, times=1))
    for text in ("one", "two", "three"):
        meta.phones.say(person.igsid, text)
    await meta.settled()

    assert [event["message"]["text"] for event in subscribed.events] == ["two", "one", "three"]


async def test_an_overtaken_webhook_comes_even_if_none_overtakes_it(meta, subscribed):
    meta.fail(Fault(FaultKind.REORDERED, times=1, seconds=0.01))
    meta.phones.say(meta.add_person("Mia").igsid, "alone")
    await meta.settled()

    assert [event["message"]["text"] for event in subscribed.events] == ["alone"]


async def test_a_delayed_webhook_comes_late(meta, subscribed):
    person = meta.add_person("Mia")
    meta.fail(Fault(FaultKind.DELAYED, times=1, seconds=0.05))
    meta.phones.say(person.igsid, "late")
    meta.phones.say(person.igsid, "soon")
    await meta.settled()

    assert [event["message"]["text"] for event in subscribed.events] == ["soon", "late"]


async def test_a_held_webhook_waits_for_its_release(meta, subscribed):
    person = meta.add_person("Mia")
    meta.fail(Fault(FaultKind.HELD, times=1))
    meta.phones.say(person.igsid, "held")
    meta.phones.say(person.igsid, "through")
    await meta.settled()
    before = [event["message"]["text"] for event in subscribed.events]
    meta.heal()
    await meta.settled()

    assert before == ["through"]
    assert subscribed.events[-1]["message"]["text"] == "held"


async def test_a_lost_webhook_never_comes_and_the_message_is_listed(meta, graph, subscribed):
    person = meta.add_person("Mia")
    meta.fail(Fault(FaultKind.LOST, times=1))
    meta.phones.say(person.igsid, "lost")
    meta.phones.say(person.igsid, "through")
    await meta.settled()
    _, listed = await graph.get("me/conversations", fields="messages{message}")

    assert [event["message"]["text"] for event in subscribed.events] == ["through"]
    texts = [each["message"] for each in listed["data"][0]["messages"]["data"]]
    assert texts == ["through", "lost"]


async def _raw_send(meta, http, person):
    """Send and return status and type of the answer, whatever that is."""
    async with http.post(
        f"{meta.url}/v21.0/me/messages",
        json={"recipient": {"id": person.igsid}, "message": {"text": "hello"}},
        headers={"Authorization": f"Bearer {meta.account.access_token}"},
    ) as response:
        return response.status, response.content_type
