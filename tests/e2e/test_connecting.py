"""An owner connects an account by a link; it is answered for without a restart, until it leaves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
import pytest_asyncio

from instagram_simulator import ProfessionalAccount
from qa.support import postgres
from tests.support.stage import ACCOUNT, Stage, open_stage

CAFE = ProfessionalAccount(
    account_id="17841400000000003",
    app_scoped_id="26000000000000003",
    username="cafe.bar",
    access_token="IGAAconnect2cafe3token4of5account",
    app_secret=ACCOUNT.app_secret,
)
PUBLIC = "https://dm.example.com"
KEY = "a2V5LW9mLTMyLWJ5dGVzLWZvci10aGUtdGVzdC0wMTI="
PATIENCE = 20.0


@pytest.fixture(scope="module")
def server():
    server = postgres.launch()
    yield server
    postgres.discard(server)


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    return request.getfixturevalue("server").database()


@pytest_asyncio.fixture
async def stage(tmp_path, store_url):
    """A stage to which the café may be connected; Meta posts nothing for it yet."""
    settings = {
        "store__url": store_url,
        "store__encryption_key": KEY,
        "instagram__accounts": "[]",
        "instagram__app_id": CAFE.app_id,
        "server__public_url": PUBLIC,
    }
    async with open_stage(tmp_path, CAFE, **settings) as stage:
        stage.meta.dispatch.subscribed[CAFE.account_id] = ()
        yield stage


@dataclass
class Owner:
    """The café's owner with a browser."""

    stage: Stage
    http: aiohttp.ClientSession

    async def get(self, url: str, **query: str) -> tuple[int, str, str]:
        """Open *url*; return status, text and where it leads."""
        here = url.replace(PUBLIC, self.stage.service.url)
        async with self.http.get(here, params=query, allow_redirects=False) as answer:
            return answer.status, await answer.text(), answer.headers.get("Location", "")

    async def link(self) -> str:
        """Return a new link, as a command makes one."""
        code, output = await self.stage.service.command("accounts", "connect-link")
        assert code == 0, output
        return output.strip().splitlines()[-1]

    async def log_in(self, link: str, account: str = CAFE.account_id, **query: str) -> str:
        """Open *link*, allow the app to have *account*, and return where that leads."""
        status, _, login = await self.get(link)
        assert status == 302
        _, _, back = await self.get(login, account_id=account, **query)
        assert back.startswith(f"{PUBLIC}/instagram/connect/callback?")
        return back.removesuffix("#_")

    async def connect(self) -> str:
        """Connect the café and return the address that the owner came back to."""
        back = await self.log_in(await self.link())
        status, text, _ = await self.get(back)
        assert (status, "@cafe.bar is connected." in text) == (200, True)
        return back


@pytest_asyncio.fixture
async def owner(stage):
    async with aiohttp.ClientSession() as http:
        yield Owner(stage, http)


def query_of(url: str) -> Mapping[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


async def test_a_connected_account_is_answered_until_it_is_disconnected(stage, owner):
    ben = stage.person(CAFE)
    link = await owner.link()

    back = await owner.log_in(link)
    status, text, _ = await owner.get(back)
    stage.meta.phones.say(ben, "Hello café")
    await stage.until_answered(ben, within=PATIENCE)

    assert (status, "@cafe.bar is connected." in text) == (200, True)
    again = [await owner.get(back), await owner.get(link)]
    assert [answer[0] for answer in again] == [409, 403]
    assert "This login was used already" in again[0][1]
    assert "This link is used already" in again[1][1]

    await stage.service.stop()
    await stage.restart()
    stage.meta.phones.say(ben, "After a restart")
    await stage.until_answered(ben, 2, within=PATIENCE)
    _, listed = await stage.service.command("accounts", "--json")
    accounts = {each["account"]: each for each in map(json.loads, listed.splitlines())}
    cafe = accounts[CAFE.account_id]
    assert (cafe["source"], cafe["state"], cafe["expiry_known"]) == ("connected", "ok", True)

    code, output = await stage.service.command("accounts", "disconnect", CAFE.account_id)
    assert (code, output) == (0, f"{CAFE.account_id} is disconnected\n")
    await stage.service.until_logged(
        lambda line: line["event"] == "account.disconnected", within=PATIENCE
    )
    stage.meta.phones.say(ben, "Is anybody there?")
    await stage.service.until_logged(
        lambda line: line["event"] == "turn.ignored" and line["account"] == CAFE.account_id,
        within=PATIENCE,
    )
    await owner.connect()
    stage.meta.phones.say(ben, "You are back")
    await stage.until_answered(ben, 3, within=PATIENCE)
    assert stage.answers(ben)[-1] == "You said: You are back"


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_what_can_t_be_connected_is_said_and_nothing_is_kept(stage, owner):
    link = await owner.link()
    used = query_of(await owner.log_in(link))["code"]
    callback = f"{PUBLIC}/instagram/connect/callback"
    said: dict[str, tuple[int, str]] = {}

    async def come_back(name: str, url: str, **query: str) -> None:
        status, text, _ = await owner.get(url, **query)
        said[name] = status, text

    await come_back("no link", f"{PUBLIC}/instagram/connect")
    await come_back("a link of one's own", f"{PUBLIC}/instagram/connect", link="guessed")
    await come_back("no state", callback, code=used)
    state = query_of(await owner.log_in(link))["state"]
    await come_back("a forged state", callback, code=used, state=f"9{state}")
    await come_back("cancelled", await owner.log_in(link, account="nobody's"))
    scope = "instagram_business_basic"
    await come_back("not all allowed", await owner.log_in(link, permissions=scope))
    await come_back("the code", callback, code=used, state=state)
    second = await owner.link()
    state = query_of(await owner.log_in(second))["state"]
    await come_back("the code again", callback, code=used, state=state)
    await come_back("the same link", await owner.log_in(second))

    expected = {
        "no link": (403, "This link is used already, older than an hour, or incomplete."),
        "a link of one's own": (403, "This link is used already"),
        "no state": (403, "This login was not begun here."),
        "a forged state": (403, "This login was not begun here."),
        "cancelled": (400, "The login was cancelled."),
        "not all allowed": (400, "instagram_business_manage_messages is missing."),
        "the code": (200, "@cafe.bar is connected."),
        "the code again": (400, "a token or code of another app, or one used already"),
        "the same link": (200, "@cafe.bar is connected."),
    }
    for name, (status, sentence) in expected.items():
        assert said[name][0] == status, name
        assert sentence in said[name][1], name
