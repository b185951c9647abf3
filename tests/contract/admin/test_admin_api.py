"""The admin API over real HTTP: who gets in, what is said, and what is refused."""

from __future__ import annotations

import aiohttp
import pytest

from ak_instagram.admin.auth import COOKIE, FAILURES, Caller, Gate
from ak_instagram.app import make_app, open_service
from ak_instagram.settings.model import (
    AdminSettings,
    AgentSettings,
    InstagramSettings,
    Settings,
    StoreSettings,
)
from instagram_simulator import Simulator
from tests.support.loopback import loopback
from tests.support.store_bench import arrival_now

TOKEN, READ = "the-admin-token", "the-read-token"
ACCOUNT, MIA = "17841400000000001", "751390000000001"
FULL = {"Authorization": f"Bearer {TOKEN}"}
READER = {"Authorization": f"Bearer {READ}"}
CHANGES = (
    "conversations/1/2/pause",
    "conversations/1/2/resume",
    "dead-letters/x/replay",
    "dead-letters/x/discard",
    "messages",
    "accounts/all/pause",
    "accounts/all/resume",
)
PATHS = {
    "conversations": {"get"},
    "conversations/{account}/{contact}": {"get"},
    "conversations/{account}/{contact}/pause": {"post"},
    "conversations/{account}/{contact}/resume": {"post"},
    "dead-letters": {"get"},
    "dead-letters/{id}/replay": {"post"},
    "dead-letters/{id}/discard": {"post"},
    "messages": {"post"},
    "accounts": {"get"},
    "accounts/{id}/pause": {"post"},
    "accounts/{id}/resume": {"post"},
    "doctor": {"get"},
    "operations": {"get"},
    "openapi.json": {"get"},
}


class Client:
    def __init__(self, session: aiohttp.ClientSession, url: str, store) -> None:
        self.session, self.url, self.store = session, f"{url}/admin/api/", store

    async def __call__(self, path, method="GET", headers=FULL, **rest):
        request = self.session.request(method, self.url + path, headers=headers, **rest)
        async with request as response:
            self.headers = response.headers
            return response.status, await response.json()


async def serve(tmp_path, admin: AdminSettings):
    """Yield a client of a service whose agent repeats what is said."""
    async with Simulator() as meta:
        settings = Settings(
            instagram=InstagramSettings(
                "verify", "IGAAsimulator", account_id=ACCOUNT, graph_url=meta.url
            ),
            agent=AgentSettings("echo"),
            store=StoreSettings(f"sqlite:///{tmp_path}/store.db"),
            admin=admin,
        )
        async with (
            open_service(settings) as service,
            loopback(make_app(service)) as url,
            aiohttp.ClientSession() as session,
        ):
            yield Client(session, url, service.store)


@pytest.fixture
async def ask(tmp_path):
    async for client in serve(tmp_path, AdminSettings(TOKEN, READ)):
        yield client


@pytest.fixture
async def ask_without_token(tmp_path):
    async for client in serve(tmp_path, AdminSettings(read_token=READ)):
        yield client


@pytest.mark.parametrize("path", ["/admin", "/admin/", "/admin/api/conversations", "/admin/x"])
async def test_without_a_token_in_the_settings_there_is_nothing(ask_without_token, path):
    url = ask_without_token.url.removesuffix("/admin/api/") + path

    async with ask_without_token.session.get(url, headers=READER) as response:
        assert response.status == 404


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer no"}, {"Cookie": f"{COOKIE}=x"}])
@pytest.mark.parametrize("path", ["conversations", "openapi.json", "nothing"])
async def test_whoever_shows_no_token_gets_nothing(ask, path, headers):
    assert (await ask(path, headers=headers))[0] == 401


async def test_guessing_is_slowed_down(ask):
    wrong = {"Authorization": "Bearer wrong"}
    statuses = [(await ask("accounts", headers=wrong))[0] for _ in range(FAILURES + 1)]

    assert statuses == [401] * FAILURES + [429]
    assert int(ask.headers["Retry-After"]) > 0


@pytest.mark.parametrize("path", CHANGES)
async def test_the_read_token_changes_nothing(ask, path):
    refused, found = await ask(path, "POST", READER), await ask("operations", headers=READER)

    assert refused == (403, {"error": "this token may only read"})
    assert found == (200, {"operations": [], "next": None})


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Origin": "http://evil"}, 403, id="foreign-origin"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, 403, id="other-site"),
        pytest.param({}, 403, id="no-word"),
        pytest.param({"Sec-Fetch-Site": "same-origin"}, 404, id="our-page"),
    ],
)
async def test_a_cookie_counts_on_our_own_pages_only(ask, headers, status):
    cookie = {"Cookie": f"{COOKIE}={Gate(TOKEN).new_session(Caller('full'))}"}

    read = await ask("accounts", headers=cookie)
    changed = await ask(CHANGES[0], "POST", cookie | headers)

    assert (read[0], changed[0]) == (200, status)


async def test_a_conversation_is_found_paused_resumed_and_all_that_is_on_record(ask):
    account, contact = "17841400000000001", "9007199254740993"
    await ask.store.put([arrival_now("m1", contact)._replace(account=account)])
    place = f"conversations/{account}/{contact}"

    _, found = await ask(f"conversations?query={contact[:6]}")
    _, paused = await ask(f"{place}/pause", "POST", json={"hours": 0.5})
    _, shown = await ask(place, headers=READER)
    resumed = [await ask(f"{place}/resume", "POST") for _ in range(2)]
    _, record = await ask("operations?limit=2")
    _, rest = await ask(f"operations?limit=2&cursor={record['next']}")

    assert [it["contact"] for it in found["conversations"]] == [contact]
    assert shown["conversation"]["paused_until"] == paused["paused_until"]
    assert {it["source"] for it in shown["timeline"]} >= {"event", "operation"}
    assert all(isinstance(it["id"], str) for it in shown["timeline"])
    assert resumed == [(200, {"done": True}), (200, {"done": False})]
    assert [it["what"] for it in record["operations"] + rest["operations"]] == [
        "conversation.resume",
        "conversation.resume",
        "conversation.pause",
    ]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        pytest.param("conversations/1/2/pause", '{"hours": 0}', 400, id="no-time"),
        pytest.param("conversations/1/2/pause", '{"hours": "x"}', 400, id="not-a-number"),
        pytest.param("conversations/1/2/pause", '{"hours": 1e99}', 400, id="for-ever"),
        pytest.param("conversations/1/2/pause", "[]", 400, id="no-object"),
        pytest.param("conversations/1/2/pause", "x" * 20_000, 400, id="too-large"),
        pytest.param("conversations/1/2/pause", "", 404, id="unknown"),
        pytest.param("dead-letters/x/replay", "", 404, id="no-letter"),
    ],
)
async def test_what_can_not_be_done_is_refused_with_the_reason(ask, path, body, status):
    answered = await ask(path, "POST", data=body)

    assert (answered[0], [*answered[1]]) == (status, ["error"])


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("limit=0", id="limit"),
        pytest.param("limit=%D9%A1", id="limit-in-other-digits"),
        pytest.param("state=odd", id="state"),
        pytest.param("cursor=WzFd0", id="cursor"),
        pytest.param("cursor=WyIxIl0=", id="cursor-of-another-list"),
        pytest.param("query=%00", id="nul"),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused(ask, query):
    status, said = await ask(f"conversations?{query}")

    assert (status, said["error"].split(":")[0]) == (400, query.split("=")[0])


async def test_the_doctor_is_asked_over_http(ask):
    first, again = await ask("doctor", headers=READER), await ask("doctor")

    assert (first[0], first) == (200, again)
    assert {"AKI-"} == {it["code"][:4] for it in first[1]["findings"]}
    errors = [it for it in first[1]["findings"] if it["result"] == "error"]
    assert first[1]["ok"] == (not errors)


async def test_the_description_names_every_route_and_no_other(ask):
    _, described = await ask("openapi.json")

    assert described["openapi"] == "3.1.0"
    assert {
        path.removeprefix("/admin/api/"): set(operations)
        for path, operations in described["paths"].items()
    } == PATHS


# --- sending, and the stop switch ------------------------------------------------


async def test_a_message_is_sent_once_for_a_key_and_is_on_record(ask):
    await ask.store.put([arrival_now("m1", MIA)])
    message = {"to": MIA, "text": "Your order is ready.", "key": "order-7"}

    first, again = (
        await ask("messages", "POST", json=message),
        await ask("messages", "POST", json=message),
    )
    _, log = await ask("operations")

    assert (first[0], first[1]["pieces"], first[1]["is_repeat"]) == (200, 1, False)
    assert (again[1]["turn"], again[1]["is_repeat"]) == (first[1]["turn"], True)
    [sent] = log["operations"]
    assert (sent["who"], sent["what"], sent["target"]) == (
        "admin",
        "message.send",
        first[1]["turn"],
    )


@pytest.mark.parametrize(
    ("message", "status", "said"),
    [
        pytest.param({"text": "Hello"}, 400, "to: an id", id="to-nobody"),
        pytest.param({"to": "marigold", "text": "Hello"}, 400, "to: an id", id="a-name"),
        pytest.param(
            {"to": "751390000000009", "text": "Hello"}, 409, "no conversation", id="stranger"
        ),
        pytest.param({"to": MIA}, 400, "message", id="nothing-to-say"),
        pytest.param(
            {"to": MIA, "text": "Hello", "as_person": True},
            400,
            "human_agent",
            id="as-a-person-without-the-feature",
        ),
        pytest.param(
            {"to": MIA, "text": "Hello", "account": "x"},
            400,
            "account",
            id="no-account",
        ),
    ],
)
async def test_a_message_that_can_t_be_sent_is_refused_with_the_reason(ask, message, status, said):
    await ask.store.put([arrival_now("m1", MIA)])

    refused, answer = await ask("messages", "POST", json=message)

    assert (refused, said in answer["error"]) == (status, True), answer


async def test_an_account_is_stopped_shown_and_let_go_on(ask):
    stopped = [await ask(f"accounts/{ACCOUNT}/pause", "POST") for _ in range(2)]
    [shown] = (await ask("accounts"))[1]["accounts"]
    resumed = await ask(f"accounts/{ACCOUNT}/resume", "POST")
    everything = await ask("accounts/all/pause", "POST")
    [also] = (await ask("accounts"))[1]["accounts"]
    unknown = await ask("accounts/99/pause", "POST")
    _, log = await ask("operations")

    assert [it[1] for it in stopped] == [{"done": True}, {"done": False}]
    assert (shown["account"], shown["stopped_since"] > 0) == (ACCOUNT, True)
    assert (resumed[1], everything[1]) == ({"done": True}, {"done": True})
    assert also["stopped_since"] > 0
    assert unknown[0] == 404
    assert [(it["what"], it["account"]) for it in log["operations"]] == [
        ("sending.stop", "*"),
        ("sending.resume", ACCOUNT),
        ("sending.stop", ACCOUNT),
    ]
