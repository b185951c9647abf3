"""The doctor before real servers, files and databases names what is wrong there."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from contextlib import asynccontextmanager, closing
from dataclasses import replace

import pytest
from aiohttp import web
from click.testing import CliRunner
from cryptography.fernet import Fernet

from ak_instagram.cli import main
from ak_instagram.cli.checks.doctor import examined
from ak_instagram.doctor.facts import CheckRequest, Facts
from ak_instagram.doctor.finding import Check, Group, Result
from ak_instagram.doctor.run import findings_of, run_checks
from ak_instagram.errors import StoreUnavailable
from ak_instagram.http_client import open_http_session
from ak_instagram.meta.graph.token_calls import IssuedToken
from ak_instagram.store.database import WorkerIdentity
from ak_instagram.store.store import open_store
from ak_instagram.store.verbs.accounts import rows
from ak_instagram.tokens.life import digest
from ak_instagram.tokens.refreshing import new_token
from ak_instagram.tokens.vault import Vault
from instagram_simulator import ProfessionalAccount, Simulator
from instagram_simulator.listener import listen, serving
from qa.support import postgres
from qa.support.processes import free_port
from tests.support.settings import load

SECOND = ProfessionalAccount(
    "17841400000000002", "24600000000000002", "second.shop", access_token="IGAAsecond"
)


def settings_with(**changes: str):
    """Return settings that start a service; *changes* are variables without their prefix."""
    names = {
        "INSTAGRAM__VERIFY_TOKEN": "a-verify-token",
        "INSTAGRAM__ACCESS_TOKEN": "IGAAsimulator",
        "INSTAGRAM__APP_SECRET": "simulator-app-secret",
        "AGENT__ADAPTER": "echo",
    }
    return load({f"AK_{name}": value for name, value in (names | changes).items()})


async def results(settings, *only: str, **wishes) -> list[tuple[Result, str]]:
    request = CheckRequest(**wishes)
    found = await run_checks(settings, request=request, only=only)
    return [(each.result, each.text) for each in found]


@asynccontextmanager
async def callback(handler):
    """Yield the URL at which *handler* answers."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with serving(app, listen("127.0.0.1", 0)) as url:
        yield url


# --- the way in and the agent -----------------------------------------------


def answers(status: int, text: str = "", **headers: str):
    async def handler(request: web.Request) -> web.Response:
        if text == "challenge" and request.method == "GET":
            return web.Response(status=status, text=request.query["hub.challenge"])
        return web.Response(status=status, text=text, headers=headers)

    return handler


@pytest.mark.parametrize(
    ("handler", "shakes", "refuses"),
    [
        pytest.param(answers(200, "challenge"), Result.OK, Result.ERROR, id="takes-all"),
        pytest.param(answers(403), Result.ERROR, Result.OK, id="wrong-verify-token"),
        pytest.param(answers(404), Result.ERROR, Result.WARNING, id="wrong-path"),
        pytest.param(
            answers(301, Location="https://x/"), Result.ERROR, Result.WARNING, id="redirects"
        ),
        pytest.param(answers(200, "<html>"), Result.ERROR, Result.ERROR, id="login-page"),
    ],
)
async def test_a_callback_is_tried_as_meta_and_as_a_stranger(handler, shakes, refuses):
    async with callback(handler) as url:
        found = await results(settings_with(), "AKI-411", "AKI-412", callback=url)

    assert [result for result, _ in found] == [shakes, refuses]


async def test_an_agent_that_answers_anything_is_there_and_one_that_fails_is_told():
    async with callback(answers(500)) as url:
        settings = settings_with(AGENT__ADAPTER="http", AGENT__URL=f"{url}/ask")
        reached, asked = await results(settings, "AKI-201", "AKI-202", ask_agent=True)
    async with callback(answers(200)) as url:
        not_asked = await results(settings_with(), "AKI-202")

    assert reached == (Result.OK, f"http://{url_host(settings)} answers, 500 to HEAD")
    assert (asked[0], "500" in asked[1]) == (Result.ERROR, True)
    assert not_asked == []


def url_host(settings) -> str:
    return settings.agent.url.removeprefix("http://").partition("/")[0]


# --- the store --------------------------------------------------------------


@pytest.fixture
def store_url(tmp_path):
    return f"sqlite:///{tmp_path}/store.db"


async def made(url: str) -> str:
    """Make the store behind *url* as a start does."""
    async with open_store(url, WorkerIdentity("one", 30_000)):
        return url


async def test_a_store_that_is_not_there_yet_is_no_trouble(store_url):
    found = await results(settings_with(STORE__URL=store_url), "AKI-121", "AKI-123", "AKI-126")

    assert found == [(Result.OK, found[0][1])]
    assert "first start makes it" in found[0][1]


async def test_an_older_schema_and_a_broken_file_are_told(store_url):
    path = (await made(store_url)).removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as file:
        file.execute("UPDATE alembic_version SET version_num = '0001'")
        file.commit()
    older = await results(settings_with(STORE__URL=store_url), "AKI-123")
    await asyncio.to_thread(overwrite, path)
    broken = await results(settings_with(STORE__URL=store_url), "AKI-121", "AKI-123")

    assert older[0][0] is Result.WARNING
    assert "revision 0001" in older[0][1]
    assert [result for result, _ in broken] == [Result.ERROR]


def overwrite(path: str) -> None:
    with open(path, "wb") as file:  # noqa: PTH123 - a path as text
        file.write(b"no database" * 1000)


async def test_a_database_that_nobody_reaches_and_one_that_is_well_are_told():
    away = f"postgresql://nobody:secret@127.0.0.1:{free_port()}/x"
    unreachable = await results(settings_with(STORE__URL=away), "AKI-121", "AKI-125")
    server = await asyncio.to_thread(postgres.launch)
    try:
        url = await asyncio.to_thread(server.database)
        empty = await results(settings_with(STORE__URL=url), "AKI-123")
        await made(url)
        settings = settings_with(STORE__URL=url)
        well = await results(settings, "AKI-112", "AKI-121", "AKI-123", "AKI-125", "AKI-126")
    finally:
        await asyncio.to_thread(postgres.discard, server)

    assert unreachable[0][0] is Result.ERROR
    assert "secret" not in unreachable[0][1]
    assert "no tables yet" in empty[0][1]
    assert [result for result, _ in well] == [Result.OK] * 5


# --- accounts ---------------------------------------------------------------


async def test_accounts_are_told_apart_and_one_ones_trouble_is_its_own():
    more = json.dumps([{"access_token": SECOND.access_token, "account_id": "1"}])
    async with Simulator(ProfessionalAccount(), SECOND) as meta:
        meta.dispatch.subscribed[SECOND.account_id] = ()
        changes = {"INSTAGRAM__GRAPH_URL": meta.url, "INSTAGRAM__ACCOUNTS": more}
        settings = settings_with(**changes)
        found = await results(settings, "AKI-301", "AKI-304", "AKI-311", "AKI-312", "AKI-401")

    wrong = [text for result, text in found if result is not Result.OK]
    assert len(found) == 11
    assert wrong == [
        "1 is configured, and no token is for it, but for 17841400000000001, 17841400000000002",
        "account 1: the account is not subscribed to `messages`: no webhook comes",
    ]


async def test_a_token_that_was_refreshed_is_looked_at_in_place_of_the_settings_dead_one(store_url):
    key = Fernet.generate_key().decode()
    async with Simulator() as meta:
        settings = settings_with(
            INSTAGRAM__GRAPH_URL=meta.url,
            INSTAGRAM__ACCESS_TOKEN="IGAAdead",
            STORE__URL=store_url,
            STORE__ENCRYPTION_KEY=key,
        )
        await keep_token(store_url, key, "IGAAdead", meta.account)
        found = await results(settings, "AKI-301", "AKI-302", "AKI-303", "AKI-401")
        locked = await results(replace_key(settings), "AKI-301", "AKI-303")

    assert [result for result, _ in found] == [Result.OK] * 4
    assert "from the store" in found[1][1]
    assert "days old, and ends on" in found[2][1]
    assert [result for result, _ in locked] == [Result.ERROR] * 2
    assert "encrypted with a key that is not set" in locked[1][1]


def replace_key(settings):
    """Return *settings* with another key than the token was kept with."""
    other = (Fernet.generate_key().decode(),)
    return replace(settings, store=replace(settings.store, encryption_key=other))


async def keep_token(url: str, key: str, origin: str, account: ProfessionalAccount) -> None:
    """Leave a store in which the token *origin* of the settings was refreshed."""
    vault, now = Vault((key,)), time.time_ns() // 1_000_000
    issued = IssuedToken(account.access_token, 59 * 86_400)
    async with open_store(url, WorkerIdentity("one", 30_000)) as store:
        who = (account.account_id, account.username, digest(origin))
        await store.run(rows.see, *who, expires=True)
        await store.run(rows.keep, account.account_id, new_token(vault, who[0], issued, now))


# --- the doctor itself ------------------------------------------------------


@pytest.mark.parametrize(
    ("exc", "told"),
    [
        pytest.param(KeyError("x"), [Result.WARNING], id="bug"),
        pytest.param(TimeoutError(), [Result.WARNING], id="too-long"),
        pytest.param(StoreUnavailable("away"), [], id="told-by-another"),
    ],
)
async def test_a_check_that_fails_keeps_no_other_from_telling(exc, told):
    async def broken(_facts):
        """Fail."""
        raise exc

    async with Simulator() as meta:
        settings = settings_with(INSTAGRAM__GRAPH_URL=meta.url)
        async with open_http_session(outgoing_proxies=False) as session:
            facts = Facts(settings, session)
            found = await findings_of(Check("AKI-000", Group.POLICY, "x", broken), facts)

    assert [each.result for each in found] == told


async def test_waiting_ends_as_soon_as_all_is_well():
    port = free_port()
    settings = settings_with(AGENT__ADAPTER="http", AGENT__URL=f"http://127.0.0.1:{port}/ask")
    waiting = asyncio.create_task(
        examined(settings, CheckRequest(), {"AKI-201"}, {"error"}, 30, offline=False, pause=0.05)
    )
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answers(200))
    done, _ = await asyncio.wait([waiting], timeout=0.2)
    async with serving(app, listen("127.0.0.1", port)):
        [found] = await waiting

    assert done == set()
    assert found.result is Result.OK


def invoke(*arguments: str, **environment: str):
    names = {"AK_CONFIG": ""} | environment
    return CliRunner().invoke(main, ["doctor", *arguments], env=names)


def test_settings_that_stop_a_start_are_findings_with_exit_code_2():
    result = invoke("--json", AK_AGENT__ADAPTER="echo")

    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["ok"]) == (2, False)
    assert {each["code"] for each in answer["findings"]} == {"AKI-101"}
    assert all(each["fix"] for each in answer["findings"])
    assert "instagram.verify_token (AK_INSTAGRAM__VERIFY_TOKEN)" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["--offline"], 0, id="warnings-are-allowed"),
        pytest.param(["--offline", "--fail-on", "warning"], 1, id="warnings-are-not"),
        pytest.param(["--offline", "--only", "aki-602"], 0, id="one"),
        pytest.param(["--only", "AKI-999"], 2, id="no-such-code"),
        pytest.param(["--wait", "-1"], 2, id="time-runs-backwards"),
    ],
)
def test_the_exit_code_is_that_of_the_worst_finding_that_counts(tmp_path, arguments, code):
    environment = {
        "AK_INSTAGRAM__VERIFY_TOKEN": "a-verify-token",
        "AK_INSTAGRAM__ACCESS_TOKEN": "IGAAsimulator",
        "AK_AGENT__ADAPTER": "echo",
        "AK_STORE__URL": f"sqlite:///{tmp_path}/store.db",
    }

    result = invoke(*arguments, **environment)

    assert result.exit_code == code, result.output
    assert ("AKI-602" in result.stdout) is (code != 2)
    assert ("AKI-301" in result.stdout) is False


@pytest.mark.parametrize(
    ("code", "changes", "result", "words"),
    [
        pytest.param("AKI-601", {}, Result.WARNING, "not told that a machine", id="not-disclosed"),
        pytest.param(
            "AKI-601",
            {
                "CONVERSATION__DISCLOSURE": "A bot",
                "INSTAGRAM__ACCOUNTS": '[{"access_token": "IGAAother", "account_id": "22",'
                ' "disclosure": ""}]',
            },
            Result.WARNING,
            "by 22",
            id="not-disclosed-by-one",
        ),
        pytest.param(
            "AKI-601", {"CONVERSATION__DISCLOSURE": "A bot"}, Result.OK, "told", id="disclosed"
        ),
        pytest.param(
            "AKI-127", {"SENDER__ENABLED": "false"}, Result.WARNING, "enabled", id="may-not-send"
        ),
    ],
)
async def test_what_the_law_and_people_expect_is_looked_at(tmp_path, code, changes, result, words):
    settings = settings_with(**{"STORE__URL": f"sqlite:///{tmp_path}/store.db"} | changes)

    [(found, text)] = await results(settings, code)

    assert (found, words in text) == (result, True)
