"""The control API does what a person or a test wants, for callers from this machine only."""

from __future__ import annotations

import asyncio
import json
from io import BytesIO
from typing import Any

import pytest
from yarl import URL

PNG = b"\x89PNG\r\n\x1a\n-and-so-on"


@pytest.fixture
def control(meta, http):
    """Calls the control API and returns status and JSON."""

    async def call(method, path, body=None, **options):
        if body is not None:
            options["json"] = body
        async with http.request(method, f"{meta.url}/_sim/{path}", **options) as response:
            return response.status, await response.json(content_type=None)

    return call


@pytest.fixture
async def read_stream(meta, http):
    """Reads so many events of the stream, each as `(id, event, data)`."""

    async def read(count, after="", headers=None):
        url = f"{meta.url}/_sim/events"
        async with http.get(url, params={"after": after}, headers=headers) as response:
            events: list[tuple[str, str | None, Any]] = []
            while len(events) < count:
                block = (await response.content.readuntil(b"\n\n")).decode()
                fields = dict(line.split(": ", 1) for line in block.strip().splitlines())
                if "data" in fields:
                    data = json.loads(fields["data"])
                    events.append((fields["id"], fields.get("event"), data))
            return events

    return read


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param({"text": "Hi"}, "message", id="text"),
        pytest.param({"attachment": {"type": "image", "url": "http://p"}}, "message", id="image"),
        pytest.param({"quick_reply": {"title": "A", "payload": "A"}}, "message", id="quick-reply"),
        pytest.param({"postback": {"title": "A", "payload": "A"}}, "postback", id="postback"),
        pytest.param({"story_reply": {"text": "A", "url": "http://s"}}, "message", id="story"),
        pytest.param({"story_mention": {"url": "http://s"}}, "message", id="mention"),
        pytest.param({"by_hand": {"text": "A"}}, "echo", id="by-hand"),
    ],
)
async def test_people_write_in_every_way(meta, subscribed, control, body, kind):
    _, person = await control("POST", "people", {"name": "Mia"})
    status, message = await control("POST", f"people/{person['igsid']}/messages", body)
    await meta.settled()

    assert status == 201
    assert meta.accepted(kind) == [message["mid"]]


async def test_a_message_can_be_edited_unsent_and_reacted_to(meta, control, mia):
    (message,) = meta.world.messages(mia.igsid)
    path = f"messages/{message.mid}"
    _, edited = await control("PATCH", path, {"text": "Hello"})
    _, loved = await control("PUT", f"{path}/reaction", {"emoji": "❤️"})
    _, plain = await control("DELETE", f"{path}/reaction")
    _, unsent = await control("DELETE", path)

    assert (edited["text"], edited["edits"]) == ("Hello", 1)
    assert (loved["reactions"], plain["reactions"]) == ({"person": "❤️"}, {})
    assert (unsent["is_deleted"], unsent["text"]) == (True, None)


async def test_an_uploaded_picture_is_served_to_the_service(meta, http, subscribed, control, mia):
    headers = {"Content-Type": "image/png"}
    await control("POST", f"people/{mia.igsid}/images", data=PNG, headers=headers)
    await meta.settled()
    url = subscribed.events[-1]["message"]["attachments"][0]["payload"]["url"]
    async with http.get(url) as response:
        content = await response.read()

    assert (content, response.content_type) == (PNG, "image/png")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        pytest.param("GET", "people/1/messages", None, 404, id="nobody"),
        pytest.param("DELETE", "messages/m1", None, 404, id="no-message"),
        pytest.param("POST", "people", {"name": " "}, 400, id="no-name"),
        pytest.param("POST", "faults", {"kind": "earthquake"}, 400, id="unknown-fault"),
        pytest.param("POST", "faults", {"kind": "slow", "times": 0}, 400, id="never"),
        pytest.param("POST", "faults", {"kind": "slow", "colour": 1}, 400, id="unknown-member"),
        pytest.param("DELETE", "faults/7", None, 404, id="no-such-fault"),
        pytest.param("GET", "nothing", None, 404, id="no-such-route"),
        pytest.param("DELETE", "people", None, 404, id="no-such-method"),
        pytest.param("PATCH", "switches", {"gravity": False}, 400, id="unknown-switch"),
        pytest.param("POST", "clock", {"advance": "soon"}, 400, id="no-number"),
        pytest.param("POST", "clock", {"advance": -1}, 400, id="backwards"),
        pytest.param("POST", "webhook", {"url": "http://127.0.0.1:9/", "verify_token": "x"}, 400),
    ],
)
async def test_what_cant_be_meant_is_refused_with_a_reason(control, method, path, body, status):
    answered, answer = await control(method, path, body)

    assert answered == status
    assert answer["error"]


async def test_a_picture_may_be_as_large_as_instagram_takes(control, mia):
    headers = {"Content-Type": "image/png"}
    path = f"people/{mia.igsid}/images"
    largest, _ = await control("POST", path, data=BytesIO(bytes(8 << 20)), headers=headers)
    larger, _ = await control("POST", path, data=BytesIO(bytes((8 << 20) + 1)), headers=headers)

    assert (largest, larger) == (201, 400)


async def test_a_picture_has_to_be_one(control, mia):
    headers = {"Content-Type": "image/svg+xml"}
    status, _ = await control("POST", f"people/{mia.igsid}/images", data=b"<svg/>", headers=headers)

    assert status == 400


async def test_faults_come_and_go(meta, control):
    _, added = await control("POST", "faults", {"kind": "temporary", "times": 2})
    _, active = await control("GET", "faults")
    _, left = await control("DELETE", f"faults/{added['number']}")

    assert [(each["kind"], each["left"]) for each in active] == [("temporary", 2)]
    assert left == meta.active_faults() == []


async def test_time_passes_on_demand(meta, control, mia):
    await control("POST", "clock", {"advance": 86_401})

    assert not meta.world.is_window_open(mia.igsid)


async def test_the_ledger_is_exact(meta, subscribed, graph, control, mia):
    _, sent = await graph.send(mia.igsid, "answer")
    await meta.settled()
    _, ledger = await control("GET", "ledger")
    (message,) = [each for each in meta.world.messages(mia.igsid) if each.is_from_person]

    assert ledger["accepted"] == [
        {"kind": "message", "mid": message.mid, "times": 1},
        {"kind": "echo", "mid": sent["message_id"], "times": 1},
    ]
    assert ledger["applied"] == {mia.igsid: [sent["message_id"]]}


async def test_calls_are_listed_without_tokens(meta, http, graph, control, mia):
    await graph.send(mia.igsid, "answer")
    query = {"grant_type": "ig_refresh_token", "access_token": meta.account.access_token}
    async with http.get(f"{meta.url}/refresh_access_token", params=query):
        pass
    _, calls = await control("GET", "calls")

    assert [call["path"] for call in calls] == ["/v21.0/me/messages", "/refresh_access_token"]
    assert meta.account.access_token not in json.dumps(calls)


async def test_the_stream_goes_on_where_the_reader_left(meta, control, read_stream, mia):
    _, state = await control("GET", "state")
    meta.phones.say(mia.igsid, "one")
    ((last, _, first),) = await read_stream(1, after=state["mark"])
    meta.phones.say(mia.igsid, "two")
    ((_, _, second),) = await read_stream(1, after="x", headers={"Last-Event-ID": last})

    assert (first["text"], second["kind"]) == ("one", "webhook.nobody")


@pytest.mark.parametrize("mark", ["another-1", "nonsense", "0000"])
async def test_a_reader_of_another_run_is_told_to_start_anew(read_stream, mark):
    ((_, event, _),) = await read_stream(1, after=mark)

    assert event == "reset"


async def test_the_stream_ends_with_the_simulator(meta, http):
    async with http.get(f"{meta.url}/_sim/events") as response:
        await response.content.readuntil(b"\n\n")
        rest = asyncio.ensure_future(response.read())
        await asyncio.sleep(0)
        meta.close()

        assert await rest == b""


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 200, id="curl"),
        pytest.param({"Host": "localhost:8001"}, 200, id="localhost"),
        pytest.param({"Host": "evil.example:8001"}, 403, id="rebound-name"),
        pytest.param({"Origin": "https://evil.example"}, 403, id="foreign-page"),
        pytest.param({"Origin": "null"}, 403, id="sandboxed-page"),
    ],
)
async def test_other_sites_pages_are_kept_out(meta, http, headers, status):
    async with http.get(f"{meta.url}/_sim/people", headers=headers) as response:
        assert response.status == status


async def test_a_plain_text_post_changes_nothing(meta, http):
    async with http.post(f"{meta.url}/_sim/people", data='{"name": "Eve"}') as response:
        assert response.status == 400

    assert not list(meta.world.conversations())


async def test_a_reader_that_leaves_the_stream_is_let_go(meta, http, caplog):
    for _ in range(2):
        async with http.get(f"{meta.url}/_sim/events") as response:
            await response.content.readuntil(b"\n\n")
        meta.journal.write("tick")
    status = (await http.get(f"{meta.url}/_sim/state")).status

    assert (status, caplog.records) == (200, [])


@pytest.mark.parametrize(
    ("name", "content_types"),
    [
        pytest.param("main.js", {"text/javascript", "application/javascript"}, id="script"),
        pytest.param("phone.css", {"text/css"}, id="style"),
        pytest.param("icon.svg", {"image/svg+xml"}, id="picture"),
    ],
)
async def test_the_pages_files_have_their_types(meta, http, name, content_types):
    async with http.get(f"{meta.url}/static/{name}") as response:
        assert response.content_type in content_types


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fapp.py", ".."])
async def test_no_other_file_is_served(meta, http, name):
    async with http.get(URL(f"{meta.url}/static/{name}", encoded=True)) as response:
        assert response.status in (400, 404)


@pytest.mark.parametrize("path", ["/", "/static/main.js", "/static/phone.css", "/static/icon.svg"])
async def test_the_page_is_served_with_a_strict_policy(meta, http, path):
    async with http.get(f"{meta.url}{path}") as response:
        policy = response.headers["Content-Security-Policy"]

    assert response.status == 200
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
