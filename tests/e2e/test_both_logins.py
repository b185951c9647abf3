"""Accounts of both logins are answered, each at its place; a token at the wrong one is named."""

from __future__ import annotations

import json

import aiohttp
import pytest_asyncio

from ak_instagram.settings.logins import HOSTS
from instagram_simulator import ProfessionalAccount
from instagram_simulator.webhooks.payload import signature
from qa.support.service import Service
from tests.support.forking import forked
from tests.support.stage import ACCOUNT, Stage, open_stage

UNIFIED = ProfessionalAccount(
    account_id="17841400000000002",
    app_scoped_id="122000000000000002",
    username="other.shop",
    access_token="EAAstage1unified2token3of4account",
    app_secret="unified-app-secret-1",
)

# Fields that Unified Login posts besides messages, inside `changes`.
CHANGES = [
    {
        "field": "comments",
        "value": {
            "comment_id": "17900000000000001",
            "from": {"id": "751390000000001", "username": "jane"},
            "text": "price?",
            "media": {"id": "18000000000000001", "media_product_type": "FEED"},
        },
    },
    {"field": "mentions", "value": {"comment_id": "17900000000000002", "media_id": "179"}},
    {"field": "story_insights", "value": {"media_id": "179", "impressions": 10}},
]


@pytest_asyncio.fixture
async def stage(tmp_path):
    async with open_stage(tmp_path, UNIFIED) as stage:
        yield stage


async def post(stage: Stage, account: ProfessionalAccount, entry: dict[str, object]) -> int:
    """Post *entry* to the service as Meta does for *account*; return the status."""
    envelope = {"object": "instagram", "entry": [{"id": account.account_id, **entry}]}
    body = json.dumps(envelope).encode()
    headers = {"X-Hub-Signature-256": signature(body, account.app_secret)}
    async with (
        aiohttp.ClientSession() as session,
        session.post(stage.service.webhook, data=body, headers=headers) as answer,
    ):
        return answer.status


async def test_each_login_is_answered_at_its_own_path(stage):
    mia, zoe = stage.person(), stage.person(UNIFIED)

    stage.meta.phones.say(mia, "Hello by Instagram Login")
    stage.meta.phones.say(zoe, "Hello by Unified Login")
    await stage.until_answered(mia)
    await stage.until_answered(zoe)

    paths = {person: {it.data["path"] for it in stage.graph_calls(person)} for person in (mia, zoe)}
    assert paths == {
        mia: {"/v21.0/me/messages"},
        zoe: {f"/v21.0/{UNIFIED.account_id}/messages"},
    }
    await stage.service.until_logged(
        lambda line: (
            line["event"] == "account.identified"
            and (line["account"], line["username"]) == (UNIFIED.account_id, "other.shop")
        )
    )


async def test_webhooks_of_unified_login_disturb_nothing(stage):
    zoe = stage.person(UNIFIED)

    status = await post(stage, UNIFIED, {"time": 1764547200, "changes": CHANGES})
    stage.meta.phones.say(zoe, "And a message")
    await stage.until_answered(zoe)

    assert status == 200
    assert stage.answers(zoe) == ["You said: And a message"]


async def test_a_token_at_the_wrong_host_is_named_by_the_log(stage, tmp_path):
    """Where the settings can't see it, behind a proxy of the Graph API, Meta's answer tells."""
    host = f"{stage.meta.url}/graph.facebook.com"
    service = Service(
        tmp_path, stage.service.settings | {"instagram.graph_url": host}, start=forked
    )
    service.settings |= {"store.url": f"sqlite:///{tmp_path}/other.db", "instagram.accounts": "[]"}
    service.settings |= {"server.port": "0"}

    await service.launch()
    try:
        line = await service.until_logged(lambda line: line["event"] == "account.lookup_failed")
    finally:
        await service.stop()

    assert "for another host code=190" in line["reason"]
    assert f"instagram login (IGAA…), which {HOSTS['instagram']} knows" in line["fix"]
    assert not [text for text in service.lines if ACCOUNT.access_token in text]


async def test_a_token_on_the_other_logins_host_stops_the_start(stage, tmp_path):
    settings = stage.service.settings | {"instagram.graph_url": HOSTS["unified"]}
    service = Service(tmp_path, settings, start=forked)

    code, output = await service.command("check-config")

    assert code == 2
    assert output.startswith("instagram.graph_url (AK_INSTAGRAM__GRAPH_URL): is https://graph.face")
