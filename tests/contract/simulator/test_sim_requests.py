"""The fake Graph API reads a call from wherever Meta's clients put it."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

TOKEN = {"access_token": "IGAAsimulator"}


@pytest.fixture
def call(meta, http):
    """Calls with nothing but what is given, and returns status and answer."""

    async def call(method="POST", path="v26.0/me/messages", **given):
        async with http.request(method, f"{meta.url}/{path}", **given) as response:
            return response.status, await response.json()

    return call


@pytest.fixture
def fields(mia):
    """The two objects of a send, as the JSON that forms have them in."""
    return {
        "recipient": json.dumps({"id": mia.igsid}),
        "message": json.dumps({"text": "Grüße & mehr"}),
    }


def single_quoted(fields):
    return {name: str(json.loads(value)) for name, value in fields.items()}


def in_brackets(fields):
    return {
        f"{name}[{member}]": text
        for name, value in fields.items()
        for member, text in json.loads(value).items()
    }


def as_objects(fields):
    return {name: json.loads(value) for name, value in fields.items()}


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(lambda it: {"data": it | TOKEN}, id="form"),
        pytest.param(lambda it: {"data": it, "params": TOKEN}, id="form-and-query"),
        pytest.param(lambda it: {"params": it | TOKEN}, id="query"),
        pytest.param(lambda it: {"data": single_quoted(it) | TOKEN}, id="single-quotes"),
        pytest.param(lambda it: {"data": in_brackets(it) | TOKEN}, id="brackets"),
        pytest.param(lambda it: {"json": as_objects(it) | TOKEN}, id="json"),
        pytest.param(lambda it: {"json": it, "params": TOKEN}, id="json-of-json"),
        pytest.param(
            lambda it: {
                "data": json.dumps(as_objects(it)),
                "params": TOKEN,
                "headers": {"Content-Type": "application/x-www-form-urlencoded"},
            },
            id="json-called-a-form",
        ),
        pytest.param(
            lambda it: {
                "json": as_objects(it) | {"access_token": "another"},
                "headers": {"Authorization": "Bearer IGAAsimulator"},
            },
            id="header-first",
        ),
    ],
)
async def test_a_message_is_sent_however_it_is_put(meta, mia, call, fields, given):
    status, _ = await call(**given(fields))

    assert status == 200
    assert [each.content.text for each in meta.applied(mia.igsid)] == ["Grüße & mehr"]


async def test_a_numbered_list_in_brackets_is_a_list(meta, mia, call):
    pictures = {f"message[attachments][{number}][type]": "image" for number in range(2)} | {
        f"message[attachments][{number}][payload][url]": f"https://a.example/{number}.png"
        for number in range(2)
    }
    status, _ = await call(data={"recipient[id]": mia.igsid} | pictures | TOKEN)

    (applied,) = meta.applied(mia.igsid)
    assert status == 200
    assert [each["payload"]["url"][-5:] for each in applied.content.attachments] == [
        "0.png",
        "1.png",
    ]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"data": {"recipient": "id", "message": "text"}}, id="flattened"),
        pytest.param({"data": {"recipient": "{'id': ", "message": "{}"}}, id="half-an-object"),
        pytest.param({"data": {"recipient": "{1, 2}", "message": "{}"}}, id="a-set"),
        pytest.param({"data": {"message": "a", "message[text]": "b"}}, id="given-twice"),
        pytest.param({"data": "[1]", "headers": {"Content-Type": "text/plain"}}, id="an-array"),
        pytest.param({"data": b"{", "headers": {"Content-Type": "application/json"}}, id="cut"),
        pytest.param({"data": "[" * 9999 + "]" * 9999}, id="deep"),
        pytest.param({"data": {"batch": "[]"}}, id="batch"),
        pytest.param({"params": {"method": "get"}}, id="method-override"),
        pytest.param({"params": {"ids": "1,2"}}, id="several-ids"),
    ],
)
async def test_what_cant_be_read_is_refused_as_a_parameter(call, given):
    status, answer = await call(**{"params": TOKEN} | given)

    assert (status, answer["error"]["code"]) == (400, 100)


@pytest.mark.parametrize(
    ("method", "path", "code", "named"),
    [
        pytest.param("GET", "v26.0/me/insights", 100, "/insights", id="edge-of-metas"),
        pytest.param("POST", "v26.0/me/media_publish", 100, "/media_publish", id="publishing"),
        pytest.param("GET", "v26.0/me/unknown", 100, "(unknown)", id="edge-of-nobodys"),
        pytest.param("GET", "v26.0/me/messages", 100, "method type: get", id="wrong-method"),
        pytest.param("PUT", "v26.0/me/messages", 100, "method type: put", id="put"),
        pytest.param("DELETE", "v26.0/m1", 100, "method type: delete", id="delete-of-a-node"),
        pytest.param("GET", "oauth/access_token", 100, "/oauth", id="login"),
        pytest.param("GET", "v26.0/debug_token", 100, "/debug_token", id="debug-token"),
        pytest.param("GET", "v26.0/", 100, "without a node", id="no-node"),
        pytest.param("GET", "v26.0/nobody", 100, "'nobody'", id="no-such-node"),
        pytest.param("GET", "v26.0/me/a/b", 2500, "/a/b", id="path-too-long"),
    ],
)
async def test_what_is_not_there_is_named_in_metas_shape(call, method, path, code, named):
    status, answer = await call(method, path, params=TOKEN)

    error = answer["error"]
    assert (status, error["code"]) == (400, code)
    assert named in error["message"]
    assert error.keys() >= {"message", "type", "code", "is_transient", "fbtrace_id"}


async def test_a_proof_of_the_secret_is_checked_if_it_comes(meta, call):
    secret, token = meta.account.app_secret.encode(), meta.account.access_token
    right = hmac.new(secret, token.encode(), hashlib.sha256).hexdigest()
    accepted, _ = await call("GET", "me", params=TOKEN | {"appsecret_proof": right})
    _, refused = await call("GET", "me", params=TOKEN | {"appsecret_proof": "0" * 64})

    assert accepted == 200
    assert "appsecret_proof" in refused["error"]["message"]


@pytest.mark.parametrize("token", [pytest.param("wrong", id="wrong"), pytest.param("", id="none")])
async def test_a_token_of_nobodys_is_190(call, token):
    status, answer = await call("GET", "me", params={"access_token": token})

    assert (status, answer["error"]["code"]) == (400, 190)


async def test_the_journal_has_no_secret_wherever_it_came_from(meta, mia, call, fields):
    for text in ("one", "two"):
        meta.phones.say(meta.add_person(text).igsid, text)
    secrets = TOKEN | {"appsecret_proof": "0" * 64, "client_secret": "of-the-app"}
    await call(data=fields | secrets)
    await call(json=as_objects(fields) | TOKEN)
    _, page = await call("GET", "me/conversations", params=TOKEN | {"limit": 1})
    calls = [entry.data for entry in meta.journal.known() if entry.kind == "graph"]

    assert "IGAAsimulator" in page["paging"]["next"]
    assert len(calls) == 3
    for secret in (TOKEN["access_token"], "0" * 64, "of-the-app"):
        assert secret not in json.dumps(calls)


async def test_a_call_says_which_version_it_had(meta, http):
    async with http.get(f"{meta.url}/v25.0/me", params=TOKEN) as response:
        assert response.headers["facebook-api-version"] == "v25.0"
