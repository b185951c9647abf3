"""People get what is stored of them, and are forgotten: by command, and because Meta says so."""

from __future__ import annotations

import asyncio
import json
import time

import aiohttp
import pytest
import pytest_asyncio

from instagram_simulator import ProfessionalAccount
from qa.support import postgres
from qa.support.service import WITHIN
from tests.support.stage import ACCOUNT, Stage, open_stage
from tests.support.webhooks import message, post

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHER = ProfessionalAccount(
    account_id="17841400000000002",
    app_scoped_id="24600000000000002",
    username="rosemary.lane",
    access_token="IGAAstage0token1of2the3other",
    app_secret="stage-app-secret-2",
)
SETTINGS = {
    "agent__request": '{"text": "{text}", "history": "{history}"}',
    "conversation__opt_out_words": '["stop"]',
    "conversation__opt_in_words": '["Weiter"]',
}


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["sqlite", "postgres"])
async def running_stage(request, tmp_path_factory):
    """A stage with two accounts, on each store."""
    settings = dict(SETTINGS)
    server = None
    if request.param == "postgres":
        server = await asyncio.to_thread(postgres.launch)
        settings["store__url"] = server.database()
    try:
        async with open_stage(tmp_path_factory.mktemp("stage"), OTHER, **settings) as stage:
            for account in (ACCOUNT.account_id, OTHER.account_id):
                await until_identified(stage, account)
            yield stage
    finally:
        if server is not None:
            postgres.discard(server)


async def until_identified(stage: Stage, account: str) -> None:
    """Return once the service knows the ids of *account*."""
    await stage.service.until_logged(
        lambda line: line["event"] == "account.identified" and line["account"] == account
    )


async def exported(stage: Stage, igsid: str) -> dict[str, list[dict[str, object]]]:
    """Return the tables that `person export` prints, none if nothing is stored."""
    code, output = await stage.service.command("person", "export", igsid)
    if code:
        assert f"nothing is stored about {igsid}" in output
        return {}
    return json.loads(output[output.index("\n{") :])["tables"]


async def get(stage: Stage, url: str) -> tuple[int, str, str]:
    """Return status, text and policy of a page."""
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        policy = answer.headers.get("Content-Security-Policy", "")
        return answer.status, await answer.text(), policy


async def test_a_person_s_data_are_exported_then_erased_and_repeats_stay_unanswered(stage):
    mia, ben = stage.person(), stage.person()
    said = stage.meta.phones.say(mia, "My number is 12345")
    stage.meta.phones.say(ben, "I stay here")
    await stage.until_answered(mia)
    await stage.until_answered(ben)
    await stage.meta.settled()

    before = await exported(stage, mia)
    code, output = await stage.service.command("person", "erase", mia, "--yes")
    await post(stage, "messaging", message(mia, said.mid, "My number is 12345", said.created))
    stage.meta.phones.say(ben, "Still here")
    await stage.until_answered(ben, 2)

    assert {"events", "outbox", "conversations", "transcript"} <= before.keys()
    assert "My number is 12345" in json.dumps(before)
    assert code == 0
    assert "erased: " in output
    assert "the agent knows the conversation as session " in output
    assert mia not in json.dumps(stage.service.logged()[-1])
    assert await exported(stage, mia) == {}
    assert len(stage.answers(mia)) == 1
    assert "Still here" in json.dumps(await exported(stage, ben))


async def test_an_erasure_asks_first_and_names_nobody_in_its_log(stage):
    mia = stage.person()
    stage.meta.phones.say(mia, "Forget me, please")
    await stage.until_answered(mia)

    code, output = await stage.service.command("person", "erase", mia)
    erased = await stage.service.command("person", "erase", mia, "--yes")
    again = await stage.service.command("person", "erase", mia, "--yes")

    assert (code, "for good?" in output) == (1, True)
    assert [
        line for line in erased[1].splitlines() if "person.erased" in line and mia in line
    ] == []
    assert again[0] == 1
    assert f"nothing is stored about {mia}" in again[1]


async def test_an_owner_s_deletion_erases_everybody_of_that_account_alone(stage):
    ours, theirs = stage.person(), stage.person(OTHER)
    for person in (ours, theirs):
        stage.meta.phones.say(person, "Hello there")
        await stage.until_answered(person)
    await stage.meta.settled()

    answer = await stage.meta.call_back("data_deletion", OTHER)
    page = await until_done(stage, answer.body["url"])
    unknown = await get(stage, f"{stage.service.url}/instagram/data-deletion/0123abc")

    assert answer.status == 200
    code = answer.body["confirmation_code"]
    assert answer.body["url"] == f"{stage.service.url}/instagram/data-deletion/{code}"
    assert "nothing is stored any more" in page[1]
    assert ("<script" in page[1], page[2]) == (False, "default-src 'none'; frame-ancestors 'none'")
    assert unknown[0] == 404
    assert await exported(stage, theirs) == {}
    assert await exported(stage, ours) != {}


async def until_done(stage: Stage, url: str) -> tuple[int, str, str]:
    """Return the status page at *url* once it says that all is done."""
    async with asyncio.timeout(WITHIN):
        while ", done on" not in (page := await get(stage, url))[1]:  # noqa: ASYNC110 - a page
            await asyncio.sleep(0.05)
    return page


async def test_a_deletion_of_a_person_s_id_is_theirs_and_its_repeat_has_the_same_code(stage):
    mia = stage.person()
    stage.meta.phones.say(mia, "Hello there")
    await stage.until_answered(mia)
    await stage.meta.settled()

    claims = {"user_id": mia, "issued_at": int(time.time())}
    first = await stage.meta.call_back("data_deletion", **claims)
    await until_done(stage, first.body["url"])
    again = await stage.meta.call_back("data_deletion", **claims)

    assert first == again
    assert await exported(stage, mia) == {}


@pytest.mark.parametrize("callback", ["deauthorize", "data_deletion"])
@pytest.mark.parametrize(
    ("account", "claims", "status", "reason"),
    [
        pytest.param(
            ProfessionalAccount(app_secret="somebody-elses"), {}, 403, "no configured", id="forged"
        ),
        pytest.param(ACCOUNT, {"issued_at": int(time.time()) - 7200}, 403, "stale", id="stale"),
        pytest.param(ACCOUNT, {"user_id": None}, 400, "names no user_id", id="nobody"),
    ],
)
async def test_what_meta_has_not_signed_just_now_is_refused(
    stage, callback, account, claims, status, reason
):
    seen = len(stage.service.lines)

    answer = await stage.meta.call_back(callback, account, **claims)

    line = await stage.service.until_logged(
        lambda it: it["event"] == "signed_request.refused", after=seen
    )
    assert (answer.status, answer.body) == (status, "rejected")
    assert (line["callback"], reason in line["reason"]) == (callback, True)


async def test_an_endless_form_and_another_method_are_refused(stage):
    url = f"{stage.service.url}/instagram/data-deletion"
    async with aiohttp.ClientSession() as session:
        async with session.post(url, data={"signed_request": "x" * 70_000}) as endless:
            pass
        async with session.get(url) as asked:
            pass

    assert (endless.status, asked.status) == (413, 405)


async def test_an_account_that_has_removed_the_app_is_stopped_and_no_other(stage):
    zoe, mia = stage.person(OTHER), stage.person()

    answer = await stage.meta.call_back("deauthorize", OTHER)
    stage.meta.phones.say(zoe, "Are you still there?")
    stage.meta.phones.say(mia, "Are you there?")
    await stage.until_answered(mia)

    line = await stage.service.until_logged(lambda it: it["event"] == "account.deauthorized")
    stopped = await stage.service.until_logged(lambda it: it["event"] == "account.stopped")
    assert (answer.status, line["account"]) == (200, OTHER.account_id)
    assert (stopped["account"], stopped["reason"]) == (
        OTHER.account_id,
        "its owner has removed the app",
    )
    assert stage.answers(zoe) == []


async def test_who_opts_out_is_not_answered_until_they_opt_in(stage):
    mia = stage.person()
    stage.meta.phones.say(mia, "Hello there")
    await stage.until_answered(mia)

    stage.meta.phones.say(mia, "Stop!")
    await stage.service.until_logged(
        lambda line: line["event"] == "turn.skipped" and line["contact"] == mia
    )
    stage.meta.phones.say(mia, "weiter")
    await stage.until_answered(mia, 2)

    assert stage.answers(mia) == ["You said: Hello there", "You said: weiter"]
