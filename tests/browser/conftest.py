"""A browser for each module, and pages in it on which nothing goes wrong."""

from __future__ import annotations

import pytest_asyncio
from playwright.async_api import expect

from qa.support.browser import chromium


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def visit(browser):
    """Opens pages in a fresh browser profile; nothing on them may have gone wrong in the end."""
    contexts, wrong = [], []

    async def open_page(url, width=1440, height=900):
        context = await browser.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.extend([said.text] * (said.type == "error")))
        page.on("request", lambda it: wrong.extend([it.url] * (not it.url.startswith(url))))
        await page.goto(url)
        await expect(page.locator("#link")).to_have_attribute("data-state", "live")
        return page

    yield open_page
    for context in contexts:
        await context.close()
    assert [each for each in wrong if "ERR_CONNECTION" not in each] == []
