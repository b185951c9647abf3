"""The calls about an account, against bytes: every shape that Meta has been seen to answer."""

from __future__ import annotations

import pytest

from ak_instagram.meta.graph.account_calls import AccountCalls, AppWebhook, Subscription
from ak_instagram.meta.graph.codes import ErrorClass
from ak_instagram.meta.graph.errors import GraphError

TOKEN = "IGAAtoken"
ME = {"user_id": "17841400000000001", "id": "246", "username": "shop", "account_type": "BUSINESS"}
DATE = "Tue, 01 Dec 2026 05:00:00 GMT"


@pytest.fixture
def calls(graph):
    return AccountCalls(graph)


@pytest.mark.parametrize(
    "body", [pytest.param(ME, id="flat"), pytest.param({"data": [ME]}, id="as-documented")]
)
async def test_an_account_is_read_flat_and_wrapped_with_the_version_and_the_time(wire, calls, body):
    wire.answer(200, body, "facebook-api-version: v22.0", f"Date: {DATE}")

    facts = await calls.facts(TOKEN)

    assert (facts.profile.user_id, facts.profile.id) == (ME["user_id"], "246")
    assert facts.account_type == "BUSINESS"
    assert (facts.served_version, facts.meta_time) == ("v22.0", 1_796_101_200_000)


async def test_what_an_answer_does_not_tell_is_not_known(wire, calls):
    wire.answer(200, {"user_id": "1"}, "Date: yesterday")

    facts = await calls.facts(TOKEN)

    assert (facts.account_type, facts.served_version, facts.meta_time) == ("", None, None)


@pytest.mark.parametrize(
    ("body", "apps"),
    [
        pytest.param({"data": []}, (), id="deaf"),
        pytest.param(
            {"data": [{"id": "9", "subscribed_fields": ["messages", "comments"]}]},
            (Subscription("9", ("messages", "comments")),),
            id="names",
        ),
        pytest.param(
            {"data": [{"app_id": "9", "subscribed_fields": [{"name": "messages"}, 7]}]},
            (Subscription("9", ("messages",)),),
            id="objects",
        ),
        pytest.param({"data": [{"id": "9"}]}, (Subscription("9"),), id="no-fields"),
        pytest.param({"data": [None]}, (Subscription(None),), id="odd"),
    ],
)
async def test_subscriptions_are_read_in_any_shape(wire, calls, body, apps):
    wire.answer(200, body)

    assert await calls.subscriptions(TOKEN) == apps


async def test_a_subscription_without_fields_counts_as_one_and_other_fields_do_not(wire, calls):
    assert Subscription("9").has_messages
    assert not Subscription("9", ("comments",)).has_messages
    wire.answer(200, {"no": "list"})
    with pytest.raises(GraphError, match="no list of apps"):
        await calls.subscriptions(TOKEN)


@pytest.mark.parametrize(
    ("body", "webhook"),
    [
        pytest.param({"data": []}, None, id="none"),
        pytest.param({"data": [{"object": "page"}]}, None, id="of-something-else"),
        pytest.param(
            {
                "data": [
                    {
                        "object": "instagram",
                        "callback_url": "https://bot/x",
                        "active": False,
                        "fields": [{"name": "messages", "version": "v26.0"}],
                    }
                ]
            },
            AppWebhook("https://bot/x", False, ("messages",)),
            id="switched-off",
        ),
        pytest.param({"data": [{"object": "instagram"}]}, AppWebhook("", True, ()), id="bare"),
    ],
)
async def test_an_apps_webhook_is_asked_with_its_own_secret(wire, calls, body, webhook):
    wire.answer(200, body)

    assert await calls.app_webhook("9", "the-secret") == webhook
    assert wire.requests[0].startswith(b"GET /v21.0/9/subscriptions HTTP/1.1")
    assert b"Bearer 9|the-secret" in wire.requests[0]


async def test_an_account_is_subscribed_by_a_post_with_the_fields(wire, calls):
    wire.answer(200, {"success": True})

    await calls.subscribe(TOKEN)

    head = wire.requests[0].partition(b" HTTP/1.1")[0]
    assert head.startswith(b"POST /v21.0/me/subscribed_apps?subscribed_fields=messages")
    assert TOKEN.encode() not in head


async def test_a_field_that_meta_does_not_know_is_left_out_from_then_on(wire, calls):
    unknown = {"error": {"code": 100, "message": "Tried accessing nonexisting field"}}
    wire.answer(400, unknown)
    for _ in range(2):
        wire.answer(200, {"data": []})

    await calls.conversations(TOKEN)
    await calls.conversations(TOKEN)

    assert [b"is_unsupported" in request for request in wire.requests] == [True, False, False]


async def test_a_cursor_that_meta_does_not_know_is_an_error(wire, calls):
    wire.answer(400, {"error": {"code": 100}})

    with pytest.raises(GraphError) as refused:
        await calls.conversations(TOKEN, after="gone")

    assert refused.value.error_class is ErrorClass.BAD_REQUEST
    assert len(wire.requests) == 1
