"""Many accounts share a service, each with settings of its own; one's trouble is nobody else's."""

from __future__ import annotations

import json

import aiohttp
import pytest_asyncio

from instagram_simulator import ProfessionalAccount
from qa.support.agent import sends
from tests.support.stage import ACCOUNT, open_stage

UNIFIED = ProfessionalAccount(
    account_id="17841400000000002",
    app_scoped_id="122000000000000002",
    username="other.shop",
    access_token="EAAmany1unified2token3of4account",
    app_secret="unified-app-secret-2",
)
CAFE = ProfessionalAccount(
    account_id="17841400000000003",
    app_scoped_id="26000000000000003",
    username="cafe.bar",
    access_token="IGAAmany2cafe3token4of5account",
    app_secret="cafe-app-secret-3",
)
DEAD = "IGAAdead1token2of3the4cafe5account"
APOLOGY = "The café is closed."
KEY = "a2V5LW9mLTMyLWJ5dGVzLWZvci10aGUtdGVzdC0wMTI="
FURTHER = [
    {
        "access_token": UNIFIED.access_token,
        "account_id": UNIFIED.account_id,
        "app_secret": UNIFIED.app_secret,
        "agent": "sales",
    },
    {
        "access_token": DEAD,
        "app_secret": CAFE.app_secret,
        "agent": "barista",
        "fallback": APOLOGY,
        "rate": 5,
    },
]


@pytest_asyncio.fixture
async def stage(tmp_path):
    """A stage with three accounts, of which the third's token is dead."""
    settings = {
        "instagram__accounts": json.dumps(FURTHER),
        "instagram__app_secret": f"{CAFE.app_secret},{ACCOUNT.app_secret}",
        "store__encryption_key": KEY,
    }
    async with open_stage(tmp_path, UNIFIED, CAFE, **settings) as stage:
        yield stage


async def test_a_dead_token_stops_its_own_account_until_another_is_exchanged(stage):
    mia, zoe, ben = stage.person(), stage.person(UNIFIED), stage.person(CAFE)
    line = await stage.service.until_logged(lambda line: line["event"] == "account.lookup_failed")

    stage.meta.phones.say(ben, "To the café")
    for person in (mia, zoe):
        stage.meta.phones.say(person, "To the others")
        await stage.until_answered(person)
    _, listed = await stage.service.command("accounts", "--json")
    # The secret is that of the café's app, the first of all.
    code, output = await stage.service.command(
        "token", "exchange", stdin=f"{CAFE.short_lived_token}\n"
    )
    await stage.until_answered(ben, within=30)

    assert "code=190" in line["reason"]
    assert stage.answers(ben) == ["You said: To the café"]
    asked = {question.text: question.body["agent"] for question in stage.agent.asked}
    assert asked["To the café"] == "barista"
    accounts = [json.loads(line) for line in listed.splitlines()]
    assert [(each["account"], each["state"], each["agent"]) for each in accounts] == [
        (ACCOUNT.account_id, "ok", None),
        (UNIFIED.account_id, "ok", "sales"),
        (None, "new", "barista"),
    ]
    assert code == 0, output
    assert output.startswith(f"{CAFE.account_id} (@cafe.bar): good until ")
    code, listed = await stage.service.command("accounts")
    assert code == 0
    assert f"{CAFE.account_id}  @cafe.bar  settings, agent barista: ok; token ends in 59" in listed


async def test_nobody_can_connect_an_account_unless_that_is_switched_on(stage):
    code, output = await stage.service.command("accounts", "connect-link")
    async with aiohttp.ClientSession() as session:
        for path in ("/instagram/connect", "/instagram/connect/callback"):
            async with session.get(stage.service.url + path) as answer:
                assert answer.status == 404

    assert code == 1
    assert "instagram.app_id (AK_INSTAGRAM__APP_ID) is not set" in output


async def test_an_account_has_its_own_words_when_the_agent_fails(stage):
    mia, ben = stage.person(), stage.person(CAFE)
    await stage.service.command("token", "exchange", stdin=CAFE.short_lived_token)

    for person in (mia, ben):
        stage.agent.will(sends(400, "no"))
        stage.meta.phones.say(person, "Hello")
        await stage.until_answered(person, within=30)

    assert stage.answers(ben) == [APOLOGY]
    assert stage.answers(mia) != [APOLOGY]


async def test_a_token_of_another_app_is_not_exchanged(stage):
    other, long_lived = ACCOUNT.short_lived_token, CAFE.access_token

    outputs = [
        await stage.service.command("token", "exchange", stdin=text)
        for text in (other, long_lived, "IGAAnobody's", "")
    ]

    assert [code for code, _ in outputs] == [1, 1, 1, 1]
    said = [output.splitlines()[-1] for _, output in outputs]
    assert "a token or code of another app, or one used already" in said[0]
    assert said[1].startswith(
        "Error: Meta refuses it (bad_request: refused for an unknown reason c"
    )
    assert "cut short, revoked, or of the other login" in said[2]
    assert "no token" in said[3]
