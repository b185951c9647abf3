"""
Pictures of the answers in `tests/data/answers/` as a customer sees them, on the simulator's page.

`python -m qa.answers FOLDER` says each answer to somebody, as the service would send it, and
photographs the conversations, three beside each other in a picture. Whoever changes how
answers are read looks at them. Scripts need their fonts, as Debian's fonts-noto has them.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from playwright.async_api import Browser, Page

from ak_instagram.agents.agent import Text
from ak_instagram.agents.answers import clean
from ak_instagram.reply.plan import plan_answer
from instagram_simulator import Person, Simulator

from .support.browser import chromium

CORPUS = Path(__file__).parents[1] / "tests/data/answers"
WIDTH, HEIGHT = 390, 1500  # pixels: a phone's, and what one can read at once
COLUMNS = 3
BATCH = 70  # answers in a conversation, of which the page shows 200 messages
_OVERLAP = 60
# The page is still, and without what keeps off the text.
_STILL = "*{animation:none!important;scroll-behavior:auto!important} .intro,.composer{display:none}"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the corpus: a model wrote *markdown*, and *text* is what is to be read."""

    language: str
    name: str
    markdown: str
    text: str

    @property
    def messages(self) -> list[dict[str, object]]:
        """The messages that the service sends for it."""
        return [dict(each) for each in plan_answer(clean([Text(self.markdown)])).messages]


def corpus() -> Iterator[Answer]:
    """Yield all answers, language by language."""
    for file in sorted(CORPUS.glob("*.json")):
        for it in json.loads(file.read_text()):
            yield Answer(file.stem, it["id"], it["markdown"], it["text"])


async def converse(meta: Simulator, answers: Sequence[Answer], name: str) -> Person:
    """Let somebody ask for each of *answers*, and get it by the Graph API."""
    person = meta.add_person(name)
    headers = {"Authorization": f"Bearer {meta.account.access_token}"}
    async with aiohttp.ClientSession(headers=headers, raise_for_status=True) as session:
        for answer in answers:
            meta.phones.say(person.igsid, f"{answer.language} {answer.name}")
            for message in answer.messages:
                body = {"recipient": {"id": person.igsid}, "message": message}
                await session.post(f"{meta.url}/v26.0/me/messages", json=body)
    return person


async def screens(page: Page) -> list[bytes]:
    """Return pictures of the whole conversation that *page* shows, from its top to its end."""
    frame = page.locator("#thread-frame")
    pictures: list[bytes] = []
    top = 0.0
    while True:
        await frame.evaluate("(it, top) => it.scrollTo(0, top)", top)
        pictures.append(await frame.screenshot())
        seen, height, whole = await frame.evaluate(
            "it => [it.scrollTop, it.clientHeight, it.scrollHeight]"
        )
        if seen + height >= whole - 1:
            return pictures
        top = seen + height - _OVERLAP


async def beside_each_other(browser: Browser, pictures: Sequence[bytes], file: Path) -> None:
    """Write *pictures* into one, side by side."""
    images = "".join(
        f'<img src="data:image/png;base64,{base64.b64encode(each).decode()}">' for each in pictures
    )
    page = await browser.new_page(viewport={"width": WIDTH * COLUMNS, "height": HEIGHT})
    await page.set_content(f'<body style="margin:0;display:flex;align-items:start">{images}</body>')
    await page.screenshot(path=file)
    await page.close()


async def photograph(folder: Path) -> None:
    """Write the pictures of all answers to *folder*."""
    pictures: list[bytes] = []
    async with Simulator() as meta, chromium() as browser:
        page = await browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT}, bypass_csp=True, reduced_motion="reduce"
        )
        for name, answers in batches():
            person = await converse(meta, answers, name)
            await page.goto(meta.url)
            await page.locator(f'[data-igsid="{person.igsid}"]').click()
            await page.locator(".message.mine").nth(len(answers) - 1).wait_for()
            await page.add_style_tag(content=_STILL)
            pictures += await screens(page)
        for number, start in enumerate(range(0, len(pictures), COLUMNS)):
            file = folder / f"answers-{number:02}.png"
            await beside_each_other(browser, pictures[start : start + COLUMNS], file)
    print(f"{len(pictures)} screens in {folder}")


def batches() -> Iterator[tuple[str, list[Answer]]]:
    """Yield the answers in conversations that the page shows whole, each with a name."""
    answers = [*corpus()]
    for number, start in enumerate(range(0, len(answers), BATCH)):
        yield f"Reader {number}", answers[start : start + BATCH]


if __name__ == "__main__":
    into = Path(sys.argv[1])
    into.mkdir(parents=True, exist_ok=True)
    asyncio.run(photograph(into))
