"""The answers of `tests/data/answers/` as a customer sees them on the simulator's page."""

# ruff: noqa: RUF001 - people write in their own scripts

from __future__ import annotations

import pytest
from playwright.async_api import expect

from instagram_simulator import Simulator
from qa.answers import batches, converse
from qa.support.browser import CHROMIUM

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium"),
]

BATCHES = [pytest.param(answers, id=name) for name, answers in batches()]
# Of each bubble of the account: its text, its direction, and whether all of it is within.
_LOOK = """
    (bubbles) => bubbles.map((it) => [
      it.innerText,
      getComputedStyle(it).direction,
      it.scrollWidth <= it.clientWidth && it.getBoundingClientRect().right <= innerWidth,
    ])
"""
_LINKS = "(links) => links.map((it) => it.textContent)"


@pytest.mark.parametrize("answers", BATCHES)
async def test_each_answer_is_shown_as_it_was_sent(visit, answers):
    async with Simulator() as meta:
        await converse(meta, answers, "Mia")
        page = await visit(meta.url, width=390)
        theirs = page.locator(".message:not(.mine) .bubble")
        sent = [message["text"] for each in answers for message in each.messages]
        await expect(theirs).to_have_count(len(sent))
        shown = await theirs.evaluate_all(_LOOK)
        directions = {
            each.language: direction for each, (_, direction, _) in zip(answers, shown, strict=True)
        }

    assert [text for text, _, _ in shown] == sent
    assert [text for text, _, is_within in shown if not is_within] == []
    assert {name for name, direction in directions.items() if direction == "rtl"} == (
        {"ar", "fa", "he"} & directions.keys()
    )


@pytest.mark.parametrize(
    ("text", "links"),
    [
        pytest.param("See https://a.de/b, or call.", ["https://a.de/b"], id="comma"),
        pytest.param("(https://a.de/b_(c)).", ["https://a.de/b_(c)"], id="brackets"),
        pytest.param("(https://a.de/b)를 봐", ["https://a.de/b"], id="korean-particle"),
        pytest.param("(https://a.de/?b=1)からお願い", ["https://a.de/?b=1"], id="japanese"),
        pytest.param("查询：https://a.de/b_1。明天到", ["https://a.de/b_1"], id="chinese"),
        pytest.param("（https://a.de/夏季）。", ["https://a.de/夏季"], id="wide-brackets"),
        pytest.param("https://a.de/é?q=ü", ["https://a.de/é?q=ü"], id="letters-of-other-scripts"),
        pytest.param("https://a.de/ https://b.de/", ["https://a.de/", "https://b.de/"], id="two"),
        pytest.param("https:// and http://)", [], id="no-address"),
    ],
)
async def test_a_link_ends_where_its_address_does(visit, text, links):
    async with Simulator() as meta:
        meta.phones.say(meta.add_person("Mia").igsid, text)
        page = await visit(meta.url)
        await expect(page.locator(".mine .bubble")).to_have_text([text])
        shown = await page.locator(".mine .bubble a").evaluate_all(_LINKS)

    assert shown == links
