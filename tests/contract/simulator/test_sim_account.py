"""An account's own settings in the fake Graph API: tokens, webhook fields, profile, uploads."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO

import aiohttp
import pytest

from instagram_simulator.graph.request import served_version

DAY = 24 * 3600
TEXT = {"text": "hello"}
URL = "https://shop.example/a.png"


@pytest.fixture
def token_call(meta, http):
    """Calls one of the paths about tokens; they have everything in the query."""

    async def call(path, token, **query):
        query = {"access_token": token, **query}
        async with http.get(f"{meta.url}/{path}", params=query) as response:
            return await response.json()

    return call


async def refreshed(token_call, token):
    return await token_call("refresh_access_token", token, grant_type="ig_refresh_token")


async def test_a_token_is_refreshed_and_the_old_one_works_on(meta, token_call, graph, mia):
    answer = await refreshed(token_call, meta.account.access_token)

    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 60 * DAY)
    for token in (answer["access_token"], meta.account.access_token):
        status, _ = await graph.post({"recipient": {"id": mia.igsid}, "message": TEXT}, token)
        assert status == 200


async def test_a_young_token_is_not_refreshed(meta, token_call):
    new = (await refreshed(token_call, meta.account.access_token))["access_token"]
    too_soon = await refreshed(token_call, new)
    meta.world.clock.advance(DAY)
    in_time = await refreshed(token_call, new)

    assert too_soon["error"]["code"] == 100
    assert "24 hours" in too_soon["error"]["message"]
    assert in_time["access_token"] not in (new, meta.account.access_token)


async def test_a_token_that_expired_is_dead(meta, token_call, graph):
    meta.world.clock.advance(60 * DAY)
    refusals = [
        await refreshed(token_call, meta.account.access_token),
        (await graph.get("me"))[1],
    ]

    assert [(it["error"]["code"], it["error"]["error_subcode"]) for it in refusals] == [
        (190, 463)
    ] * 2


async def test_a_short_lived_token_is_exchanged_for_a_long_lived_one(meta, token_call, graph):
    grant = {"grant_type": "ig_exchange_token", "client_secret": meta.account.app_secret}
    answer = await token_call("access_token", meta.account.short_lived_token, **grant)
    status, _ = await graph.call("GET", "me", token=answer["access_token"])

    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 60 * DAY)
    assert status == 200


@pytest.mark.parametrize(
    ("token", "changed", "code"),
    [
        pytest.param("IGAAsimulator", {}, 452, id="long-lived"),
        pytest.param("IGAAsimulator.short", {"client_secret": "x"}, 1, id="wrong-secret"),
        pytest.param("IGAAsimulator.short", {"grant_type": "x"}, 100, id="wrong-grant"),
        pytest.param("nobodys", {}, 190, id="nobodys"),
    ],
)
async def test_what_is_not_exchanged_is_told(meta, token_call, token, changed, code):
    grant = {"grant_type": "ig_exchange_token", "client_secret": meta.account.app_secret}
    answer = await token_call("access_token", token, **grant | changed)

    assert answer["error"]["code"] == code


async def test_a_short_lived_token_is_not_refreshed_and_ends_after_an_hour(meta, token_call):
    young = await refreshed(token_call, meta.account.short_lived_token)
    meta.world.clock.advance(3600)
    dead = await refreshed(token_call, meta.account.short_lived_token)

    assert (young["error"]["code"], dead["error"]["code"]) == (100, 190)


async def test_an_account_without_subscription_gets_no_webhooks(meta, graph, subscribed, mia):
    await graph.call("DELETE", "me/subscribed_apps")
    _, none = await graph.get("me/subscribed_apps")
    await meta.settled()
    meta.phones.say(mia.igsid, "unheard")
    fields = {"subscribed_fields": "messages,messaging_postbacks"}
    await graph.call("POST", "me/subscribed_apps", query=fields)
    _, some = await graph.get("me/subscribed_apps")
    meta.phones.say(mia.igsid, "heard")
    await meta.settled()

    assert none == {"data": []}
    assert some["data"][0]["subscribed_fields"] == ["messages", "messaging_postbacks"]
    assert [event["message"]["text"] for event in subscribed.events] == ["Hi!", "heard"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        pytest.param("messages,messaging_reactions", "subscribed_fields[1]", id="not-a-field"),
        pytest.param(["message"], "subscribed_fields[0]", id="singular"),
        pytest.param("", "subscribed_fields", id="none"),
    ],
)
async def test_a_field_that_does_not_exist_is_refused(graph, fields, named):
    status, answer = await graph.call("POST", "me/subscribed_apps", {"subscribed_fields": fields})
    _, still = await graph.get("me/subscribed_apps")

    assert (status, answer["error"]["code"]) == (400, 100)
    assert named in answer["error"]["message"]
    assert "messages" in still["data"][0]["subscribed_fields"]


async def test_a_subscription_can_vanish_without_a_word(meta, http, graph, subscribed, mia):
    await meta.settled()
    async with http.post(f"{meta.url}/_sim/fields", json={"account": []}) as response:
        fields = await response.json()
    _, none = await graph.get("me/subscribed_apps")
    meta.phones.say(mia.igsid, "unheard")
    await meta.settled()

    assert none == {"data": []}
    assert set(map(tuple, fields["accounts"].values())) == {()}
    assert [event["message"]["text"] for event in subscribed.events] == ["Hi!"]


async def test_only_fields_that_the_app_has_ticked_come_and_it_can_ask_which(
    meta, graph, subscribed, mia
):
    await meta.settled()
    meta.set_fields(app=["messages"])
    secret = meta.account.app_secret
    _, app = await graph.call("GET", "1/subscriptions", token=f"1|{secret}")
    status, _ = await graph.call("GET", "1/subscriptions", token="1|another-secret")
    meta.phones.tap_button(mia.igsid, "Hours", "HOURS")
    meta.phones.say(mia.igsid, "heard")
    await meta.settled()

    [webhook] = app["data"]
    assert (webhook["object"], webhook["callback_url"]) == ("instagram", subscribed.url)
    assert [each["name"] for each in webhook["fields"]] == ["messages"]
    assert status == 400
    assert [event["message"]["text"] for event in subscribed.events] == ["Hi!", "heard"]


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        pytest.param("v20.0", "v22.0", id="ended"),
        pytest.param("v22.0", "v22.0", id="living"),
        pytest.param("v27.0", "v27.0", id="newest"),
    ],
)
def test_an_ended_version_is_served_by_the_oldest_living_one(asked, served):
    spring_of_2027 = int(datetime(2027, 3, 1, tzinfo=UTC).timestamp() * 1000)

    assert served_version(asked, spring_of_2027) == served


ICE_BREAKERS = [{"call_to_actions": [{"question": "Open?", "payload": "O"}], "locale": "default"}]
MENU = [
    {
        "locale": "default",
        "call_to_actions": [
            {"type": "postback", "title": "Hours", "payload": "H"},
            {"type": "web_url", "title": "Shop", "url": "https://shop.example/"},
        ],
    }
]


async def test_a_messenger_profile_is_set_read_and_deleted(graph):
    set_both = {"platform": "instagram", "ice_breakers": ICE_BREAKERS, "persistent_menu": MENU}
    _, done = await graph.call("POST", "me/messenger_profile", set_both)
    _, both = await graph.get("me/messenger_profile", fields="ice_breakers,persistent_menu")
    _, one = await graph.get("me/messenger_profile", fields="ice_breakers")
    _, gone = await graph.call("DELETE", "me/messenger_profile", {"fields": ["ice_breakers"]})
    _, left = await graph.get("me/messenger_profile")

    assert done == gone == {"result": "success"}
    assert both == {"data": [{"ice_breakers": ICE_BREAKERS, "persistent_menu": MENU}]}
    assert one == {"data": [{"ice_breakers": ICE_BREAKERS}]}
    assert left == {"data": [{"persistent_menu": MENU}]}


def questions(*asked):
    return {"ice_breakers": [{"question": each, "payload": "P"} for each in asked]}


@pytest.mark.parametrize(
    ("method", "body"),
    [
        pytest.param("POST", {}, id="nothing"),
        pytest.param("POST", {"platform": "messenger", **questions("A")}, id="platform"),
        pytest.param("POST", questions(*"ABCDE"), id="five-questions"),
        pytest.param("POST", questions("x" * 81), id="long-question"),
        pytest.param("POST", {"ice_breakers": [{"question": "A"}]}, id="no-payload"),
        pytest.param("POST", {"ice_breakers": "A"}, id="a-word"),
        pytest.param("POST", {"ice_breakers": [7]}, id="a-number"),
        pytest.param(
            "POST",
            {"persistent_menu": [{"call_to_actions": [{"type": "nested", "title": "A"}]}]},
            id="unknown-entry",
        ),
        pytest.param("DELETE", {}, id="delete-nothing"),
        pytest.param("DELETE", {"fields": ["greeting"]}, id="delete-what-is-not-there"),
    ],
)
async def test_a_messenger_profile_that_meta_would_not_take_is_refused(graph, method, body):
    status, answer = await graph.call(method, "me/messenger_profile", body)

    assert (status, answer["error"]["code"]) == (400, 100)


def upload_of(kind="image", **payload):
    return {"message": {"attachment": {"type": kind, "payload": payload}}}


def sent(igsid, attachment_id, kind="image"):
    attachment = {"type": kind, "payload": {"attachment_id": attachment_id}}
    return {"recipient": {"id": igsid}, "message": {"attachment": attachment}}


@pytest.mark.parametrize("edge", ["message_attachments", "messageattachments"])
async def test_an_upload_is_sent_by_its_id(meta, graph, mia, edge):
    _, uploaded = await graph.call("POST", f"me/{edge}", upload_of(url=URL, is_reusable=True))
    status, _ = await graph.post(sent(mia.igsid, uploaded["attachment_id"]))

    (applied,) = meta.applied(mia.igsid)
    assert status == 200
    assert applied.content.attachments == ({"type": "image", "payload": {"url": URL}},)


@pytest.fixture
def upload_file(meta, http):
    """Uploads a file as a part of a multipart body."""

    async def upload(content, content_type, kind="image"):
        form = aiohttp.FormData()
        form.add_field("access_token", meta.account.access_token)
        form.add_field("message", json.dumps(upload_of(kind)["message"]))
        form.add_field("filedata", BytesIO(content), filename="a", content_type=content_type)
        async with http.post(f"{meta.url}/me/message_attachments", data=form) as response:
            return await response.json()

    return upload


async def test_a_file_can_be_uploaded_and_is_served(meta, http, graph, mia, upload_file):
    uploaded = await upload_file(b"%PDF-1.7", "application/pdf", "file")
    await graph.post(sent(mia.igsid, uploaded["attachment_id"], "file"))
    (applied,) = meta.applied(mia.igsid)
    async with http.get(applied.content.attachments[0]["payload"]["url"]) as response:
        served = await response.read()

    assert (served, response.content_type) == (b"%PDF-1.7", "application/pdf")


@pytest.mark.parametrize(
    ("content", "content_type", "subcode"),
    [
        pytest.param(b"%PDF-1.7", "application/pdf", 2018047, id="another-type"),
        pytest.param(b"x" * (8 * 1024 * 1024 + 1), "image/png", 2018109, id="too-large"),
    ],
)
async def test_a_file_that_cant_be_uploaded_is_refused(upload_file, content, content_type, subcode):
    answer = await upload_file(content, content_type)

    assert (answer["error"]["code"], answer["error"]["error_subcode"]) == (100, subcode)


@pytest.mark.parametrize(
    ("body", "subcode"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param(upload_of("template"), None, id="no-medium"),
        pytest.param(upload_of(), None, id="neither-url-nor-file"),
        pytest.param(upload_of(url="a.png"), 2018008, id="no-url"),
    ],
)
async def test_an_upload_of_nothing_is_refused(graph, body, subcode):
    status, answer = await graph.call("POST", "me/message_attachments", body)

    assert (status, answer["error"].get("error_subcode")) == (400, subcode)


async def test_an_upload_that_is_none_or_anothers_is_2018074(meta, graph, mia):
    _, uploaded = await graph.call("POST", "me/message_attachments", upload_of(url=URL), "other")
    for attachment_id in ("1", uploaded["attachment_id"]):
        status, answer = await graph.post(sent(mia.igsid, attachment_id))
        assert (status, answer["error"]["error_subcode"]) == (400, 2018074)

    assert meta.applied(mia.igsid) == ()


async def test_an_upload_is_sent_as_what_it_is(graph, mia):
    _, uploaded = await graph.call("POST", "me/message_attachments", upload_of(url=URL))
    _, answer = await graph.post(sent(mia.igsid, uploaded["attachment_id"], "audio"))

    assert (answer["error"]["code"], answer["error"]["error_subcode"]) == (100, 2018047)
