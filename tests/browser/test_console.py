"""The console in Chromium, over the real service: its pages, its actions, and who gets in."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from qa.support.agent import says, sends
from tests.support.stage import Stage, open_stage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

TOKEN, READ = "the-admin-token", "the-read-token"
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>{{ 7*7 }}"
PAGES = (
    "",
    "conversations",
    "conversations?state=paused",
    "dead-letters",
    "accounts",
    "doctor",
    "settings",
    "operations",
)


@dataclass(frozen=True)
class Shop:
    """A stage with two people: Anna got an answer, Ben did not."""

    stage: Stage
    anna: str
    ben: str

    @property
    def url(self) -> str:
        return self.stage.service.url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory):
    """A service where one person was answered with hostile words, and one was not."""
    folder = tmp_path_factory.mktemp("console")
    settings = {"admin__token": TOKEN, "admin__read_token": READ, "conversation__attempts": "1"}
    async with open_stage(folder, **settings) as stage:
        shop = Shop(stage, stage.person(), stage.person())
        stage.agent.will(says(f"You said {HOSTILE}"))
        stage.meta.phones.say(shop.anna, HOSTILE)
        await stage.until_answered(shop.anna)
        stage.agent.will(sends(503, HOSTILE))
        stage.meta.phones.say(shop.ben, "Where is my order?")
        await stage.until_answered(shop.ben)
        yield shop


@pytest_asyncio.fixture(loop_scope="module")
async def log_in(browser, shop):
    """Opens the console with a token; nothing on its pages may have gone wrong in the end."""
    contexts, wrong = [], []

    async def log_in(token=TOKEN, **options):
        options.setdefault("viewport", {"width": 1280, "height": 860})
        context = await browser.new_context(**options)
        contexts.append(context)
        page = await context.new_page()
        await page.goto(f"{shop.url}/admin/")
        await page.fill("#token", token)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.extend([said.text] * (said.type == "error")))
        page.on("dialog", lambda it: wrong.append(it.message))
        ours = shop.url
        page.on("request", lambda it: wrong.extend([it.url] * (not it.url.startswith(ours))))
        await page.get_by_role("button", name="Log in").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
        return page

    yield log_in
    for context in contexts:
        await context.close()
    assert [it for it in wrong if not it.startswith("data:")] == []


def url_of(shop: Shop, igsid: str) -> str:
    """Return the address of a person's page."""
    [(account,)] = shop.stage.query("SELECT account FROM conversations WHERE contact = ?", igsid)
    return f"{shop.url}/admin/conversations/{account}/{igsid}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_page_has_serious_faults_for_a_screen_reader(log_in, shop, scheme):
    page = await log_in(color_scheme=scheme)
    found = {}

    places = [*(f"{shop.url}/admin/{it}" for it in PAGES), url_of(shop, shop.ben)]
    for place in places:
        await page.goto(place)
        results = (await Axe().run(page)).response["violations"]
        if serious := [
            (it["id"], it["nodes"][0]["html"][:120])
            for it in results
            if it["impact"] in ("serious", "critical")
        ]:
            found[place] = serious

    assert found == {}


async def test_the_login_is_fit_for_a_screen_reader_and_refuses_a_wrong_token(browser, shop):
    context = await browser.new_context()
    page = await context.new_page()
    shown = await page.goto(f"{shop.url}/admin/conversations")
    results = (await Axe().run(page)).response["violations"]

    await page.fill("#token", "wrong")
    await page.get_by_role("button", name="Log in").click()

    assert (shown.status, [it["id"] for it in results]) == (401, [])
    await expect(page.get_by_role("alert")).to_have_text("This is not the token.")
    assert await context.cookies() == []
    await context.close()


async def test_why_one_person_got_no_answer_is_on_their_page_and_is_put_right(log_in, shop):
    page = await log_in()
    await page.get_by_role("link", name="Conversations", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Conversations")
    await expect(page.get_by_role("button", name="Keys")).to_be_visible()  # by the script
    await page.keyboard.press("/")
    await page.keyboard.type(shop.ben)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**query=*")
    await expect(page.get_by_role("button", name="Keys")).to_be_visible()
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.locator(".timeline")).to_contain_text("agent answered 503")
    await expect(page.locator("#live-state")).to_have_text("Live")

    shop.stage.agent.will(says("It is on its way"))
    await page.get_by_role("link", name="Try again …").first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Try again: 1 dead letter?")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("status").first).to_have_text("To be tried again: 1.")

    await page.goto(url_of(shop, shop.ben))  # the answer comes by itself
    await expect(page.locator(".chat")).to_contain_text("It is on its way", timeout=10_000)
    await page.goto(f"{shop.url}/admin/operations")
    await expect(page.locator("tbody tr").first).to_contain_text("dead_letter.replay")


async def test_a_bot_is_silenced_returns_and_begins_anew_by_button(log_in, shop):
    page = await log_in()
    await page.goto(url_of(shop, shop.anna))

    await page.select_option("select[name=hours]", "48")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.locator(".tag.paused")).to_contain_text("silent: paused by command")
    await page.get_by_role("button", name="Resume").click()
    await expect(page.locator(".tag.paused")).to_have_count(0)
    await page.get_by_role("button", name="New session").click()
    await expect(page.locator(".tags")).to_contain_text("session 1")
    await page.get_by_role("button", name="Try now").click()
    await expect(page.locator(".said")).to_contain_text("Nothing changed")


async def test_all_sending_is_stopped_and_goes_on_by_button(log_in, shop):
    page = await log_in()
    await page.goto(f"{shop.url}/admin/accounts")

    await page.get_by_role("button", name="Stop sending").first.click()
    await expect(page.get_by_role("status").first).to_contain_text("Sending stops within seconds")
    await expect(page.locator("main")).to_contain_text("all sending is stopped since")
    await page.get_by_role("button", name="Send again").first.click()
    await expect(page.get_by_role("status").first).to_contain_text("Sending goes on")
    await expect(page.get_by_text("all sending is stopped")).to_have_count(0)
    await expect(page.locator("tbody td[data-name=Token]")).to_contain_text("days old")


async def test_a_message_is_written_here_and_arrives_and_the_person_s_data_leave(log_in, shop):
    page, zoe = await log_in(), shop.stage.person()
    shop.stage.agent.will(says("Hello Zoe"))
    shop.stage.meta.phones.say(zoe, "Is anybody there?")
    await shop.stage.until_answered(zoe)
    await page.goto(url_of(shop, zoe))
    await expect(page.locator("form.write")).to_contain_text("the window is open until")

    await page.get_by_label("Write to the person").fill("We have found your scarf.")
    await page.get_by_role("button", name="Send", exact=True).click()
    await expect(page.get_by_role("status").first).to_have_text("It goes out behind what waits.")
    await shop.stage.until_answered(zoe, 2)

    async with page.expect_download() as download:
        await page.get_by_role("button", name="Export").click()
    exported = await asyncio.to_thread(Path(await (await download.value).path()).read_text)
    await page.get_by_role("link", name="Erase …").click()
    await page.get_by_role("button", name="Erase").click()
    await expect(page.get_by_role("status").first).to_contain_text("is erased")

    assert shop.stage.answers(zoe) == ["Hello Zoe", "We have found your scarf."]
    assert "We have found your scarf." in exported
    assert shop.stage.query("SELECT * FROM conversations WHERE contact = ?", zoe) == []
    done = shop.stage.query("SELECT what, contact FROM operations ORDER BY id DESC LIMIT 1")
    assert done == [("person.erase", None)]


async def test_hostile_words_are_shown_as_words(log_in, shop):
    page = await log_in()
    await page.goto(url_of(shop, shop.anna))

    await expect(page.locator(".bubble.theirs p").first).to_have_text(HOSTILE)
    await expect(page.locator(".bubble.ours p").first).to_contain_text("You said <img")
    assert await page.locator("main img, main script").count() == 0


async def test_reading_needs_no_javascript(log_in, shop):
    page = await log_in(java_script_enabled=False)

    for place in PAGES:
        response = await page.goto(f"{shop.url}/admin/{place}")
        assert response.status == 200
    await page.goto(url_of(shop, shop.ben))
    await expect(page.locator(".chat")).to_contain_text("Where is my order?")


async def test_a_phone_shows_a_conversation_without_scrolling_sideways(log_in, shop):
    page = await log_in(viewport={"width": 360, "height": 740})

    for place in (*(f"{shop.url}/admin/{it}" for it in PAGES), url_of(shop, shop.ben)):
        await page.goto(place)
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert (place, width) == (place, 360)


async def test_the_read_token_sees_no_buttons_and_none_works(log_in, shop):
    page = await log_in(READ)
    await page.goto(url_of(shop, shop.anna))

    assert await page.get_by_role("button", name="Pause").count() == 0
    # As a page of ours would, which the browser itself says of it.
    pause, ours = f"{url_of(shop, shop.anna)}/pause", {"Origin": shop.url}
    refused = await page.context.request.post(pause, headers=ours, form={"hours": "1"})
    assert refused.status == 403


@pytest.mark.parametrize("path", [*PAGES, "live/overview", "static/console.js", "nothing"])
async def test_no_page_is_shown_without_the_token(shop, path):
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{shop.url}/admin/{path}") as response,
    ):
        assert response.status == 401
        assert shop.ben not in await response.text()


@pytest.mark.parametrize(
    ("headers", "fields", "status"),
    [
        pytest.param({"Origin": "http://evil.example"}, {}, 403, id="foreign-origin"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, {}, 403, id="neighbour"),
        pytest.param({"Sec-Fetch-Site": "same-origin"}, {}, 403, id="no-form-token"),
        pytest.param({"Sec-Fetch-Site": "same-origin"}, {"form_token": "x"}, 403, id="wrong-one"),
    ],
)
async def test_a_form_of_another_site_changes_nothing(log_in, shop, headers, fields, status):
    page = await log_in()
    [cookie] = await page.context.cookies()
    before = shop.stage.query("SELECT count(*) FROM operations")

    async with aiohttp.ClientSession(cookies={cookie["name"]: cookie["value"]}) as session:
        place = f"{url_of(shop, shop.anna)}/pause"
        async with session.post(place, data={"hours": "1", **fields}, headers=headers) as response:
            assert response.status == status

    assert shop.stage.query("SELECT count(*) FROM operations") == before
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/admin")


async def test_every_page_has_a_policy_that_runs_nothing_but_ours(log_in, shop):
    page = await log_in()

    policies = set()
    for place in PAGES:
        response = await page.goto(f"{shop.url}/admin/{place}")
        policies.add(response.headers["content-security-policy"])

    assert len(policies) == len(PAGES)  # a nonce each
    assert all("unsafe" not in it and "default-src 'none'" in it for it in policies)
    assert all(re.search(r"script-src 'nonce-[\w-]{20,}';", it) for it in policies)
