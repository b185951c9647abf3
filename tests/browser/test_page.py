"""The simulator's page in a real browser: first with the real service, then with faked answers."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import sys

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import expect

from instagram_simulator import Simulator, listen
from qa.support.browser import CHROMIUM

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo_url(tmp_path_factory):
    """The page of a demo: simulator and service as processes of their own."""
    directory = tmp_path_factory.mktemp("demo")
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ak_instagram", "demo"),
        cwd=directory,
        env=kept | {"TMPDIR": str(directory), "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(40):
        async for line in process.stdout:
            if found := re.search(r"Chat yourself: .*?(http://[\d.:]+)", line.decode()):
                break
    assert found
    yield found[1]
    process.terminate()
    await process.communicate()


@pytest_asyncio.fixture(loop_scope="module")
async def meta():
    """A simulator in this process, whose account answers when the test says so."""
    async with Simulator() as simulator:
        simulator.add_person("Mia Brandt")
        simulator.add_person("Jonas Weber")
        yield simulator


@pytest_asyncio.fixture(loop_scope="module")
async def answer(meta):
    """Sends as the account, to Mia if nobody else is named."""
    async with aiohttp.ClientSession() as session:

        async def send(body, person=0):
            igsid = [*meta.world.conversations()][person].person.igsid
            url = f"{meta.url}/v21.0/me/messages"
            headers = {"Authorization": f"Bearer {meta.account.access_token}"}
            body = {"recipient": {"id": igsid}, **body}
            async with session.post(url, json=body, headers=headers) as response:
                assert response.status == 200, await response.text()

        yield send


async def someone_new(page, name):
    """Be a new person on the page, whose conversation is empty."""
    await page.get_by_label("Name of a new person").fill(name)
    await page.get_by_label("Add person").click()
    await page.get_by_role("button", name=name).click()
    await expect(page.get_by_text(f"as {name}")).to_be_visible()
    return page


async def write(page, text):
    await page.get_by_label("Message", exact=True).fill(text)
    await page.keyboard.press("Enter")


def mine(page):
    return page.locator(".message.mine .bubble")


def theirs(page):
    return page.locator(".message:not(.mine) .bubble")


async def test_a_message_is_seen_and_answered(visit, demo_url):
    page = await someone_new(await visit(demo_url), "Ada")
    await write(page, "Grüße aus Köln 🌷")

    await expect(mine(page)).to_have_text(["Grüße aus Köln 🌷"])
    await expect(theirs(page)).to_have_text(["Grüße aus Köln 🌷"])
    await write(page, "and again")
    await expect(theirs(page)).to_have_count(2)


async def test_an_image_is_sent_and_answered(visit, demo_url):
    page = await someone_new(await visit(demo_url), "Bea")
    image = {"name": "pixel.png", "mimeType": "image/png", "buffer": PIXEL}
    await page.locator("#image").set_input_files(image)

    picture = page.locator(".mine img.picture")
    await expect(picture).to_have_js_property("naturalWidth", 1)
    await expect(theirs(page)).to_contain_text("image")


async def test_what_the_service_sends_is_tapped_and_answered(visit, demo_url):
    page = await someone_new(await visit(demo_url), "Finn")
    button = {"title": "Order", "payload": "ORDER"}
    messages = [
        {"reaction": "👍"},
        {"cards": [{"title": "Rye bread", "buttons": [button]}]},
        {"text": "Or which?", "quick_replies": [{"title": "Baguette", "payload": "BAGUETTE"}]},
    ]
    await write(page, json.dumps({"messages": messages}))  # the demo's agent repeats it

    await expect(page.locator(".message.mine .reactions")).to_have_text("👍")
    card = page.get_by_role("list", name="Card").get_by_role("listitem")
    await expect(card).to_contain_text("Rye bread")
    chips = page.get_by_role("group", name="Quick replies").get_by_role("button")
    await chips.get_by_text("Baguette").click()
    await expect(chips).to_have_count(0)
    await expect(theirs(page)).to_have_text(["Or which?", "Baguette"])
    await card.get_by_role("button", name="Order").click()
    await expect(theirs(page)).to_have_text(["Or which?", "Baguette", "Order"])


async def test_the_wire_shows_the_webhook_and_the_calls(visit, demo_url):
    page = await someone_new(await visit(demo_url), "Cleo")
    await write(page, "what is on the wire?")
    webhook = page.locator(".call.webhook", has_text="message “what is on the wire?”")
    call = page.locator(".call.graph", has_text="message “what is on the wire?”")
    await expect(call.locator(".status")).to_have_text("200")
    await webhook.locator("summary").click()

    await expect(webhook.locator(".status")).to_have_text("200")
    await expect(webhook.locator("pre").first).to_contain_text("sha256=")
    await expect(webhook.locator("pre").last).to_contain_text('"object": "instagram"')


async def test_markup_stays_text_everywhere(visit, demo_url):
    attack = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    page = await someone_new(await visit(demo_url), "<b>Dora</b>")
    await write(page, attack)

    await expect(theirs(page)).to_have_text([attack])
    await page.locator(".call summary").first.click()
    await expect(page.locator("img[src='x'], .thread script, .people b")).to_have_count(0)
    assert "owned" not in await page.title()


async def test_typing_and_seen_come_and_go(visit, meta, answer):
    page = await visit(meta.url)
    await write(page, "Hi")
    await expect(mine(page)).to_have_count(1)
    await answer({"sender_action": "mark_seen"})
    await answer({"sender_action": "typing_on"})

    await expect(page.locator("#seen")).to_have_text("Seen")
    await expect(page.locator("#typing")).to_be_visible()
    await answer({"message": {"text": "Hello"}})
    await expect(theirs(page)).to_have_text(["Hello"])
    await expect(page.locator("#typing")).to_be_hidden()


async def test_whoever_has_the_conversation_open_has_seen_the_answer(visit, meta, answer):
    page = await visit(meta.url)
    await write(page, "Hi")
    await expect(mine(page)).to_have_count(1)
    await answer({"message": {"text": "Hello"}})

    (conversation, _) = meta.world.conversations()
    await meta.journal.until(lambda: conversation.seen_by_person == 2)


async def test_a_message_can_be_edited_and_unsent_by_keyboard(visit, meta):
    page = await visit(meta.url)
    await write(page, "helo")
    options = page.get_by_label("Options for: helo")
    await options.focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("menuitem", name="Edit").press("Enter")
    await write(page, "hello")
    await expect(mine(page)).to_have_text(["hello"])
    await page.get_by_label("Options for: hello").press("Enter")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")

    await expect(page.locator(".message.mine")).to_have_text(["Message unsent"])


async def test_a_reaction_and_a_reply_refer_to_the_answer(visit, meta, answer):
    page = await visit(meta.url)
    await write(page, "Hi")
    await expect(mine(page)).to_have_count(1)
    await answer({"message": {"text": "Hello"}})
    await theirs(page).click(button="right")
    await page.get_by_label("React with ❤️").click()
    await theirs(page).click(button="right")
    await page.get_by_role("menuitem", name="Reply").click()
    await write(page, "this one")

    await expect(page.locator(".reactions")).to_have_text("❤️")
    await expect(page.locator(".mine .quoted")).to_have_text("↩ Hello")


async def test_two_people_have_two_conversations(visit, meta, answer):
    page = await visit(meta.url)
    await write(page, "I am Mia")
    await expect(mine(page)).to_have_text(["I am Mia"])
    await page.get_by_role("button", name="Jonas Weber").click()
    await expect(mine(page)).to_have_count(0)
    await answer({"message": {"text": "for Mia"}})

    await expect(page.get_by_role("button", name="Mia Brandt")).to_have_class(re.compile("unread"))
    await expect(theirs(page)).to_have_count(0)
    await page.get_by_role("button", name="Mia Brandt").click()
    await expect(theirs(page)).to_have_text(["for Mia"])


async def test_chips_and_buttons_are_tapped(visit, meta, answer):
    page = await visit(meta.url)
    await write(page, "Hi")
    await expect(mine(page)).to_have_count(1)
    chip = {"content_type": "text", "title": "Blue", "payload": "BLUE"}
    await answer({"message": {"text": "Which?", "quick_replies": [chip]}})
    await page.get_by_role("group", name="Quick replies").get_by_text("Blue").click()
    button = {"type": "postback", "title": "Order", "payload": "ORDER"}
    card = {"template_type": "button", "text": "Next?", "buttons": [button]}
    await expect(mine(page)).to_have_text(["Hi", "Blue"])
    await answer({"message": {"attachment": {"type": "template", "payload": card}}})
    await page.get_by_role("button", name="Order").click()
    await expect(mine(page)).to_have_text(["Hi", "Blue", "Order"])

    contents = [each.content for each in meta.world.messages("751390000000001")]
    assert contents[2].quick_reply == "BLUE"
    assert contents[4].postback == "ORDER"


async def test_cards_are_side_by_side_and_their_buttons_come_back(visit, meta, answer):
    page = await visit(meta.url, width=390, height=760)
    picture = f"{meta.url}/_sim/media/{meta.world.keep_media('image/png', PIXEL)}"
    await write(page, "Hi")
    await expect(mine(page)).to_have_count(1)
    shop = "https://shop.example/1"
    cards = [
        {
            "title": f"Card {number}",
            "subtitle": "3 €",
            "image_url": picture,
            "default_action": {"type": "web_url", "url": shop},
            "buttons": [
                {"type": "postback", "title": f"Take {number}", "payload": f"TAKE_{number}"},
                {"type": "web_url", "title": "Open", "url": shop},
            ],
        }
        for number in range(1, 4)
    ]
    generic = {"template_type": "generic", "elements": cards}
    await answer({"message": {"attachment": {"type": "template", "payload": generic}}})

    shown = page.get_by_role("list", name="3 cards").get_by_role("listitem")
    await expect(shown).to_have_count(3)
    places = "cards => cards.map(card => card.getBoundingClientRect())"
    first, second, _ = await shown.evaluate_all(places)
    assert first["y"] == second["y"]
    assert first["x"] + first["width"] < second["x"]
    await expect(shown.first.locator("img")).to_have_js_property("naturalWidth", 1)
    await expect(shown.first.locator("a.front")).to_have_attribute("href", shop)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await shown.nth(2).get_by_role("button", name="Take 3").click()
    await expect(mine(page)).to_have_text(["Hi", "Take 3"])
    assert meta.world.newest("751390000000001", 1)[0].content.postback == "TAKE_3"


async def test_media_and_reactions_of_the_account_are_shown(visit, meta, answer):
    page = await visit(meta.url)
    address = f"{meta.url}/_sim/media/{meta.world.keep_media('image/png', PIXEL)}"
    await write(page, "Hi")
    await expect(mine(page)).to_have_count(1)
    [asked] = meta.world.newest("751390000000001", 1)
    for kind in ("image", "audio", "video", "file"):
        await answer({"message": {"attachment": {"type": kind, "payload": {"url": address}}}})
    reacted = {"message_id": asked.mid, "reaction": "👍"}
    await answer({"sender_action": "react", "payload": reacted})

    theirs_ = page.locator(".message:not(.mine)")
    await expect(theirs_.locator("img.picture")).to_have_js_property("naturalWidth", 1)
    await expect(theirs_.locator("audio")).to_have_attribute("src", address)
    await expect(theirs_.locator("video")).to_have_attribute("src", address)
    await expect(theirs_.locator(".attachment a")).to_have_attribute("href", address)
    await expect(page.locator(".message.mine .reactions")).to_have_text("👍")


async def test_quick_replies_are_there_until_one_is_tapped_or_something_else_is_said(
    visit, meta, answer
):
    page = await visit(meta.url)
    chips = page.get_by_role("group", name="Quick replies").get_by_role("button")
    replies = [
        {"content_type": "text", "title": title, "payload": title} for title in ("Red", "Blue")
    ]
    await write(page, "Hi")
    await expect(mine(page)).to_have_count(1)
    await answer({"message": {"text": "Which?", "quick_replies": replies}})
    await expect(chips).to_have_text(["Red", "Blue"])
    await chips.first.click()
    await expect(chips).to_have_count(0)
    await answer({"message": {"text": "And now?", "quick_replies": replies}})
    await expect(chips).to_have_count(2)

    await answer({"message": {"text": "Never mind."}})

    await expect(chips).to_have_count(0)


async def test_faults_and_switches_are_set_from_the_page(visit, meta):
    page = await visit(meta.url)
    await page.get_by_role("tab", name="What goes wrong").click()
    await page.get_by_label("HTTP 500, 3 times", exact=True).click()
    await page.get_by_role("switch", name="Echo comes first").check()
    await expect(page.locator("#active")).to_contain_text("HTTP 500 3")
    await meta.journal.until(lambda: meta.behaviour.echo_first)
    active = meta.active_faults()
    await page.get_by_label("Remove HTTP 500").click()
    await expect(page.locator("#active li")).to_have_count(0)

    assert [(each["kind"], each["left"]) for each in active] == [("server_error", 3)]
    assert meta.active_faults() == []


async def test_the_page_recovers_when_the_simulator_comes_back(visit):
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    before, after = Simulator(), Simulator()
    before.add_person("Mia")
    after.add_person("Someone Else")
    async with before.on(listener):
        page = await visit(before.url)
        await expect(page.get_by_text("as Mia")).to_be_visible()
    await expect(page.locator("#link")).to_have_attribute("data-state", "lost")

    async with after.on(listen("127.0.0.1", port)):
        await expect(page.get_by_text("as Someone Else")).to_be_visible(timeout=15_000)
        await write(page, "are you back?")
        await expect(mine(page)).to_have_text(["are you back?"])


@pytest.mark.parametrize("width", [320, 390, 820, 1100, 1600])
async def test_nothing_sticks_out_at_any_width(visit, meta, answer, width):
    page = await visit(meta.url, width=width, height=760)
    await write(page, "averyveryverylongword" * 20)
    await expect(mine(page)).to_have_count(1)
    await answer({"message": {"text": "https://example.com/" + "x" * 200}})
    await expect(theirs(page)).to_have_count(1)

    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await expect(page.get_by_label("Message", exact=True)).to_be_in_viewport()


async def test_a_phone_has_tabs_for_chat_wire_and_faults(visit, meta):
    page = await visit(meta.url, width=390, height=760)
    chat = page.get_by_label("Message", exact=True)
    await expect(chat).to_be_visible()
    await page.get_by_role("tab", name="Wire").click()
    await expect(page.locator("#wire")).to_be_visible()
    await expect(chat).to_be_hidden()
    await page.get_by_role("tab", name="Chat").click()

    await expect(chat).to_be_visible()


async def test_a_fault_that_is_used_up_is_shown_no_longer(visit, meta, answer):
    page = await visit(meta.url)
    await page.get_by_role("tab", name="What goes wrong").click()
    await page.get_by_label("Slow, 3 times", exact=True).click()
    await expect(page.locator("#active")).to_contain_text(re.compile("Slow 3"))
    await page.get_by_label("Sent, but an error, 1 times", exact=True).click()
    await expect(page.locator("#active")).to_contain_text(re.compile("Sent, but an error 1"))
    await page.get_by_label("Remove Slow").click()
    with pytest.raises(AssertionError):
        await answer({"message": {"text": "refused once"}})

    await expect(page.locator("#active li")).to_have_count(0)


async def test_a_token_that_expires_once_refuses_a_message_and_not_a_seen_mark(visit, meta):
    page = await visit(meta.url)
    await page.get_by_role("tab", name="What goes wrong").click()
    await page.get_by_label("Token expired, 1 times", exact=True).click()
    await expect(page.locator("#active")).to_contain_text(re.compile("Token expired 1"))
    once = [each["on"] for each in meta.active_faults()]
    await page.get_by_label("Token expired, always", exact=True).click()
    await expect(page.locator("#active")).to_contain_text("Token expired ∞")

    assert (once, [each["on"] for each in meta.active_faults()]) == (["send"], ["send", "any"])


async def test_time_that_passes_is_seen(visit, meta):
    page = await visit(meta.url)
    await page.get_by_role("tab", name="What goes wrong").click()
    await expect(page.locator("#clock")).not_to_contain_text("ahead")
    await page.get_by_role("button", name="1 hour").click()
    await expect(page.locator("#clock")).to_contain_text("1 h ahead")
    await page.get_by_role("button", name="24 hours").click()

    await expect(page.locator("#clock")).to_contain_text("25 h 1 min ahead")


async def test_after_a_takeover_the_page_shows_the_way_back(visit, meta, answer):
    page = await visit(meta.url)
    await write(page, "hello?")
    await expect(page.locator("#takeover")).to_be_hidden()
    await page.get_by_role("tab", name="What goes wrong").click()
    await page.get_by_label("Answer by hand").fill("Hi, this is Ana")
    await page.get_by_role("button", name="Send", exact=True).last.click()
    igsid = next(iter([*meta.world.conversations()])).person.igsid
    back = f"resume {igsid} --account {meta.account.account_id}"
    await expect(page.locator("#takeover")).to_contain_text(back)
    await answer({"message": {"text": "and the bot again"}})

    await expect(page.locator("#takeover")).to_be_hidden()
