"""
Clients of Meta's API that nobody here wrote work with the simulator, unchanged.

Each is told where the API is, and no more. They block, so they run in threads.
"""

from __future__ import annotations

import asyncio
import json
import sys
import warnings
from types import ModuleType

import pytest
import requests
from facebook_business.adobjects.igaccesstokenforigonlyapi import IGAccessTokenForIGOnlyAPI
from facebook_business.adobjects.igrefreshaccesstokenforigonlyapi import (
    IGRefreshAccessTokenForIGOnlyAPI,
)
from facebook_business.adobjects.iguser import IGUser
from facebook_business.adobjects.iguserforigonlyapi import IGUserForIGOnlyAPI
from facebook_business.adobjects.page import Page
from facebook_business.adobjects.unifiedthread import UnifiedThread
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession
from instagram_platform import InstagramAPIError, InstagramAuthError, InstagramClient
from pyfacebook import BasicDisplayAPI, FacebookApi, FacebookError, GraphAPI

from instagram_simulator.graph.request import served_version

with warnings.catch_warnings():
    warnings.simplefilter("ignore", SyntaxWarning)  # it is of 2018, and compiled when imported
    import facebook

# Meta's client warns of what its own lists of fields and types lack, and sends it.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:facebook_business.utils.api_utils")

TEXT = {"text": "Grüße & mehr"}
URL = "https://shop.example/a.png"
ICE_BREAKERS = [{"call_to_actions": [{"question": "Open?", "payload": "O"}], "locale": "default"}]


def texts(meta, igsid):
    return [message.content.text for message in meta.applied(igsid)]


@pytest.fixture
async def talk(meta, graph, mia):
    """The texts of a conversation of five messages with Mia, newest first."""
    for number in range(4):
        await graph.send(mia.igsid, f"answer {number}")
    return [message.content.text for message in reversed(meta.world.messages(mia.igsid))]


# --- facebook-business, Meta's own -----------------------------------------------------


@pytest.fixture
def business(meta, monkeypatch):
    """Meta's client, whose calls carry a proof of the app's secret."""
    monkeypatch.setattr(FacebookSession, "GRAPH", meta.url)
    session = FacebookSession(
        app_secret=meta.account.app_secret, access_token=meta.account.access_token
    )
    yield FacebookAdsApi(session)
    session.requests.close()


@pytest.fixture
def me(business):
    """The account, as the class of Instagram Login has it."""
    return IGUserForIGOnlyAPI("me", api=business)


async def test_metas_client_reads_the_account(meta, me):
    await asyncio.to_thread(me.api_get, fields=["user_id", "username", "followers_count"])

    assert me["username"] == meta.account.username
    assert str(me["user_id"]) == meta.account.account_id


@pytest.mark.parametrize("kind", [IGUserForIGOnlyAPI, IGUser, Page], ids=lambda it: it.__name__)
async def test_metas_client_sends_and_types(meta, business, mia, kind):
    account = kind(meta.account.account_id, api=business)
    recipient = {"id": mia.igsid}
    for action in ("MARK_SEEN", "TYPING_ON"):
        params = {"recipient": recipient, "sender_action": action}
        await asyncio.to_thread(account.create_message, params=params)
    is_typing = meta.world.conversation(mia.igsid).is_typing
    params = {"recipient": recipient, "message": TEXT, "messaging_type": "RESPONSE"}
    sent = await asyncio.to_thread(account.create_message, params=params)

    assert is_typing
    assert sent["message_id"] == meta.applied(mia.igsid)[0].mid
    assert texts(meta, mia.igsid) == [TEXT["text"]]


async def test_metas_client_quotes_and_reacts(meta, me, mia):
    (asked,) = meta.world.messages(mia.igsid)
    quote = {"recipient": {"id": mia.igsid}, "message": TEXT, "reply_to": {"mid": asked.mid}}
    await asyncio.to_thread(me.create_message, params=quote)
    love = json.dumps({"message_id": asked.mid, "reaction": "love"})
    react = {"recipient": {"id": mia.igsid}, "sender_action": "REACT", "payload": love}
    await asyncio.to_thread(me.create_message, params=react)

    (applied,) = meta.applied(mia.igsid)
    assert applied.content.reply_to == {"mid": asked.mid}
    assert meta.world.message(asked.mid).reactions == {"account": "❤️"}


async def test_metas_client_turns_the_pages_of_a_conversation(mia, talk, business, me):
    def read():
        params = {"platform": "INSTAGRAM", "user_id": mia.igsid}
        [found] = me.get_conversations(fields=["id", "message_count"], params=params)
        thread = UnifiedThread(found["id"], api=business)
        messages = thread.get_messages(fields=["message"], params={"limit": 2})
        return found["message_count"], [each["message"] for each in messages]

    assert await asyncio.to_thread(read) == (5, talk)


async def test_metas_client_turns_the_pages_of_all_conversations(meta, me):
    for number in range(5):
        meta.phones.say(meta.add_person(f"Person {number}").igsid, "Hi")
    found = await asyncio.to_thread(lambda: [*me.get_conversations(params={"limit": 2})])

    assert len({each["id"] for each in found}) == 5


@pytest.mark.parametrize("kind", [IGUserForIGOnlyAPI, IGUser], ids=lambda it: it.__name__)
async def test_metas_client_uploads_and_sends_that(meta, business, mia, kind):
    def upload():
        message = {"attachment": {"type": "image", "payload": {"url": URL}}}
        uploaded = account.create_message_attachment(params={"message": message})
        attachment_id = uploaded["attachment_id"]
        payload = {"attachment_id": attachment_id}
        message = {"attachment": {"type": "image", "payload": payload}}
        account.create_message(params={"recipient": {"id": mia.igsid}, "message": message})

    account = kind("me", api=business)
    await asyncio.to_thread(upload)

    (applied,) = meta.applied(mia.igsid)
    assert applied.content.attachments[0]["payload"] == {"url": URL}


async def test_metas_client_sets_reads_and_deletes_a_messenger_profile(me):
    def profile():
        me.create_messenger_profile(params={"ice_breakers": ICE_BREAKERS})
        [before] = me.get_messenger_profile()
        me.delete_messenger_profile(params={"fields": ["ICE_BREAKERS"]})
        return before["ice_breakers"], [*me.get_messenger_profile()]

    assert await asyncio.to_thread(profile) == (ICE_BREAKERS, [])


async def test_metas_client_subscribes(me):
    def subscribe():
        me.create_subscribed_app(params={"subscribed_fields": ["messages", "message_edit"]})
        [app] = me.get_subscribed_apps()
        me.delete_subscribed_apps()
        return app["subscribed_fields"], [*me.get_subscribed_apps()]

    assert await asyncio.to_thread(subscribe) == (["messages", "message_edit"], [])


async def test_metas_client_refreshes_and_exchanges_tokens(meta, monkeypatch):
    monkeypatch.setattr(FacebookSession, "GRAPH", meta.url)
    sessions = [
        FacebookSession(access_token=token)
        for token in (meta.account.access_token, meta.account.short_lived_token)
    ]
    old, short = map(FacebookAdsApi, sessions)
    refresh = IGRefreshAccessTokenForIGOnlyAPI("refresh_access_token", api=old)
    await asyncio.to_thread(refresh.api_get, params={"grant_type": "ig_refresh_token"})
    exchange = IGAccessTokenForIGOnlyAPI("access_token", api=short)
    grant = {"grant_type": "ig_exchange_token", "client_secret": meta.account.app_secret}
    await asyncio.to_thread(exchange.api_get, params=grant)
    for session in sessions:
        session.requests.close()

    for answer in (refresh, exchange):
        token = meta.world.token(answer["access_token"])
        assert token is not None
        assert not token.is_short_lived


@pytest.mark.parametrize(
    ("params", "code", "subcode"),
    [
        pytest.param({"message": {"text": "x" * 1001}}, 100, 2534015, id="too-long"),
        pytest.param({"message": TEXT, "tag": "ACCOUNT_UPDATE"}, 100, None, id="retired-tag"),
        pytest.param({"message": TEXT, "recipient": {"id": "1"}}, 100, 2534014, id="nobody"),
    ],
)
async def test_metas_client_reads_a_refusal(me, mia, params, code, subcode):
    params = {"recipient": {"id": mia.igsid}} | params
    with pytest.raises(FacebookRequestError) as refused:
        await asyncio.to_thread(me.create_message, params=params)

    error = refused.value
    assert (error.api_error_code(), error.api_error_subcode()) == (code, subcode)
    assert (error.api_error_type(), error.http_status()) == ("OAuthException", 400)


async def test_metas_client_is_told_what_is_not_there(me):
    with pytest.raises(FacebookRequestError, match="/insights"):
        await asyncio.to_thread(me.get_insights, params={"metric": ["reach"]})


# --- facebook-sdk ----------------------------------------------------------------------


@pytest.fixture
def sdk(meta, monkeypatch):
    monkeypatch.setattr(facebook, "FACEBOOK_GRAPH_URL", f"{meta.url}/")
    with requests.Session() as session:
        yield facebook.GraphAPI(meta.account.access_token, session=session)


async def test_facebook_sdk_sends(meta, sdk, mia):
    fields = {"recipient": json.dumps({"id": mia.igsid}), "message": json.dumps(TEXT)}
    sent = await asyncio.to_thread(sdk.put_object, "me", "messages", **fields)

    assert sent["recipient_id"] == mia.igsid
    assert texts(meta, mia.igsid) == [TEXT["text"]]


async def test_facebook_sdk_turns_the_pages(meta, sdk, talk):
    def read():
        [thread] = sdk.get_connections("me", "conversations", platform="instagram")["data"]
        pages = sdk.get_all_connections(thread["id"], "messages", fields="message", limit=2)
        return [each["message"] for each in pages]

    assert await asyncio.to_thread(read) == talk


async def test_facebook_sdk_reads_the_account_and_the_version(meta, sdk):
    me = await asyncio.to_thread(sdk.get_object, "me", fields="user_id,username")
    version = await asyncio.to_thread(sdk.get_version)

    assert me["user_id"] == meta.account.account_id
    # The one that it asks for has ended years ago.
    assert f"v{version}" == served_version(sdk.version, meta.world.clock.now())


async def test_facebook_sdk_reads_a_refusal(sdk, mia):
    # It sends nested fields as their keys, unless they are given as JSON.
    fields = {"recipient": {"id": mia.igsid}, "message": TEXT}
    with pytest.raises(facebook.GraphAPIError, match="recipient") as refused:
        await asyncio.to_thread(sdk.put_object, "me", "messages", **fields)

    assert (refused.value.code, refused.value.type) == (100, "OAuthException")


# --- python-facebook-api ---------------------------------------------------------------


@pytest.fixture
def python_api(meta):
    """The client, whose calls carry a proof of the app's secret."""
    api = GraphAPI(
        access_token=meta.account.access_token,
        app_secret=meta.account.app_secret,
        base_url=f"{meta.url}/",
    )
    yield api
    api.session.close()


async def test_python_facebook_api_sends(meta, python_api, mia):
    data = {"recipient": json.dumps({"id": mia.igsid}), "message": json.dumps(TEXT)}
    await asyncio.to_thread(python_api.post_object, "me", "messages", data=data)

    assert texts(meta, mia.igsid) == [TEXT["text"]]


async def test_python_facebook_api_reads_nested_fields(python_api, mia, talk):
    def read():
        [thread] = python_api.get_connection("me", "conversations", user_id=mia.igsid)["data"]
        fields = "message_count,participants{username},messages.limit(2){message,from}"
        return python_api.get_object(thread["id"], fields=fields)

    thread = await asyncio.to_thread(read)

    assert thread["message_count"] == 5
    assert {"username": "mia"} in thread["participants"]["data"]
    assert [each["message"] for each in thread["messages"]["data"]] == talk[:2]


async def test_python_facebook_api_turns_the_pages(python_api, mia, talk):
    def read():
        [thread] = python_api.get_connection("me", "conversations", user_id=mia.igsid)["data"]
        return python_api.get_full_connections(
            thread["id"], "messages", count=None, limit=2, fields="message"
        )

    messages = await asyncio.to_thread(read)

    assert [each["message"] for each in messages["data"]] == talk


async def test_python_facebook_api_reads_its_own_choice_of_fields(meta, mia, talk):
    def read():
        [thread] = api.get_connection("me", "conversations", user_id=mia.igsid)["data"]
        newest = meta.applied(mia.igsid)[-1]
        conversation = api.conversation.get_info(thread["id"])
        return conversation, api.message.get_info(newest.mid)

    api = FacebookApi(access_token=meta.account.access_token, base_url=f"{meta.url}/")
    conversation, message = await asyncio.to_thread(read)
    api.session.close()

    assert (conversation.message_count, conversation.snippet) == (5, talk[0])
    assert message.id == meta.applied(mia.igsid)[-1].mid


async def test_python_facebook_api_refreshes_and_exchanges_tokens(meta):
    short = meta.account.short_lived_token
    api = BasicDisplayAPI(
        access_token=short, app_secret=meta.account.app_secret, base_url=f"{meta.url}/"
    )
    exchanged = await asyncio.to_thread(api.exchange_long_lived_user_access_token)
    refreshed = await asyncio.to_thread(api.refresh_access_token, meta.account.access_token)
    api.session.close()

    assert {exchanged["token_type"], refreshed["token_type"]} == {"bearer"}
    assert len({short, exchanged["access_token"], refreshed["access_token"]}) == 3


async def test_python_facebook_api_reads_a_refusal(python_api, mia):
    with pytest.raises(FacebookError) as refused:
        await asyncio.to_thread(python_api.get_object, mia.igsid, fields="birthday")

    assert refused.value.code == 100
    assert "(birthday)" in refused.value.message


# --- instagram-platform-sdk ------------------------------------------------------------


@pytest.fixture
def platform(meta):
    account = meta.account
    with InstagramClient(account.access_token, account.account_id, base_url=meta.url) as client:
        yield client


async def test_instagram_platform_sdk_sends(meta, platform, mia):
    await asyncio.to_thread(platform.messaging.send_message, mia.igsid, TEXT["text"])
    await asyncio.to_thread(platform.messaging.send_image_message, mia.igsid, URL)

    assert texts(meta, mia.igsid) == [TEXT["text"], None]


async def test_instagram_platform_sdk_reads_conversations_and_people(platform, mia, talk):
    def read():
        [thread] = platform.messaging.get_conversations().data
        whole = platform.messaging.get_conversation_messages(thread.id, limit=2)
        return thread, whole, platform.messaging.get_user_profile(mia.igsid)

    thread, whole, profile = await asyncio.to_thread(read)

    assert [each["message"] for each in thread.messages["data"]] == talk
    assert [each["message"] for each in whole.messages["data"]] == talk[:2]
    assert profile.username == "mia"


async def test_instagram_platform_sdk_reads_the_account_with_all_its_fields(meta, platform):
    profile = await asyncio.to_thread(platform.user.get_profile)

    assert profile.username == meta.account.username


async def test_instagram_platform_sdk_sets_a_profile_and_refreshes(meta, platform):
    settings = {"platform": "instagram", "ice_breakers": ICE_BREAKERS}
    done = await asyncio.to_thread(platform.messaging.set_messenger_profile, settings)
    answer = await asyncio.to_thread(platform.auth.refresh_long_lived_token)

    assert done == {"result": "success"}
    assert meta.world.token(answer.access_token) is not None


async def test_instagram_platform_sdk_reads_a_refusal(meta, platform, mia):
    with pytest.raises(InstagramAPIError) as refused:
        await asyncio.to_thread(platform.messaging.send_image_message, mia.igsid, "a.png")
    meta.world.clock.advance(60 * 24 * 3600)
    with pytest.raises(InstagramAuthError) as expired:
        await asyncio.to_thread(platform.messaging.send_message, mia.igsid, "late")

    assert (refused.value.code, refused.value.subcode) == (100, 2018008)
    assert (expired.value.code, expired.value.subcode) == (190, 463)


# --- clients that are no dependency: hiinsta brings a package `tests` of its own -------------


@pytest.fixture
def hiinsta(meta, monkeypatch) -> ModuleType:
    package = pytest.importorskip("hiinsta", reason="not installed: pip install hiinsta")
    module = sys.modules["hiinsta.InstagramMessenger"]  # its class has the same name
    monkeypatch.setitem(vars(module), "INSTAGRAM_BASE_URL", meta.url)
    return package


async def test_hiinsta_sends_and_reads_a_person(meta, hiinsta, mia):
    client = hiinsta.InstagramMessenger(meta.account.access_token)
    mid = await client.send_text(TEXT["text"], mia.igsid)
    person = await client.get_user_data(mia.igsid)

    assert mid == meta.applied(mia.igsid)[0].mid
    assert person.username == "mia"


async def test_meta_graph_cli_sends_and_turns_the_pages(meta, mia, talk):
    reason = "not installed: pip install meta-graph-cli"
    client = pytest.importorskip("meta_graph.client", reason=reason)
    with requests.Session() as session:
        graph = client.GraphClient(
            meta.account.access_token,
            app_secret=meta.account.app_secret,
            base=meta.url,
            session=session,
        )
        fields = {"recipient": json.dumps({"id": mia.igsid}), "message": json.dumps(TEXT)}
        await asyncio.to_thread(graph.post, "/me/messages", **fields)
        conversation = meta.world.conversation(mia.igsid).conversation_id
        path = f"/{conversation}/messages"
        pages = await asyncio.to_thread(lambda: [*graph.paginate(path, fields="message", limit=2)])

    assert [each["message"] for each in pages] == [TEXT["text"], *talk]


async def test_async_social_bridge_sends_with_its_token_in_the_body(meta, monkeypatch, mia):
    reason = "not installed: pip install async-social-bridge"
    bridge = pytest.importorskip("socialbridge.meta.adapter", reason=reason)
    monkeypatch.setattr("socialbridge.meta.adapter.META_GRAPH_API", f"{meta.url}/v20.0")
    message = bridge.OutgoingMessage(
        platform="instagram", receiver_id="me", to=mia.igsid, text=TEXT["text"]
    )
    async with bridge.MetaAdapter(access_token=meta.account.access_token) as adapter:
        result = await adapter.send_text_message(message)

    assert result.metadata["message_id"] == meta.applied(mia.igsid)[0].mid
