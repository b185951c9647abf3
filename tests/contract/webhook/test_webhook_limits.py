"""Bodies that are too large, senders that go away, and a store that refuses."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from ak_instagram.webhook.endpoint import MAX_BYTES, SLOTS, SMALL_BYTES, BodyReader
from ak_instagram.webhook.signature import sign
from tests.support.store_bench import Bench
from tests.support.webhook_bench import PATH, SECRETS, open_webhook, post_of, text_event

pytestmark = pytest.mark.asyncio(loop_scope="module")

MIB = 1 << 20
SOME_SIGNATURE = f"X-Hub-Signature-256: sha256={64 * '0'}"  # as a stranger may send it


@asynccontextmanager
async def line_to(webhook):
    """Yield a bare connection to the webhook."""
    address = urlsplit(webhook.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


def head(*headers: str) -> bytes:
    """Return the start of a POST."""
    return "\r\n".join([f"POST {PATH} HTTP/1.1", "Host: here", *headers, "", ""]).encode()


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


async def status_of(reader: asyncio.StreamReader) -> int:
    """Return the status of the answer, which must come without anything more being sent."""
    async with asyncio.timeout(5):
        return int((await reader.readline()).split()[1])


async def test_a_body_that_announces_40_mb_is_refused_before_it_is_sent(webhook):
    async with line_to(webhook) as (reader, writer):
        writer.write(head(f"Content-Length: {40 * MIB}", SOME_SIGNATURE))

        assert await status_of(reader) == 413


async def test_a_body_that_announces_nothing_is_refused_once_it_is_too_large(webhook):
    async with line_to(webhook) as (reader, writer):
        writer.write(head("Transfer-Encoding: chunked", SOME_SIGNATURE))
        for _ in range(MAX_BYTES // MIB):
            writer.write(chunk(b"x" * MIB))
        writer.write(chunk(b"x"))  # and no end

        assert await status_of(reader) == 413


async def test_40_mb_that_are_sent_all_the_same_are_refused(webhook):
    async def pieces():
        for _ in range(40):
            yield b"x" * MIB

    name, signature = SOME_SIGNATURE.split(": ")
    async with webhook.session.post(
        webhook.url, data=pieces(), headers={name: signature}
    ) as response:
        assert response.status == 413

    assert await webhook.mids() == []


@pytest.mark.parametrize("headers", [[], ["X-Hub-Signature-256: sha1=00"]], ids=["none", "bad"])
async def test_an_unsigned_body_is_refused_unread_and_ends_the_connection(webhook, headers):
    async with line_to(webhook) as (reader, writer):
        writer.write(head(f"Content-Length: {MIB}", *headers))

        assert await status_of(reader) == 403
        async with asyncio.timeout(5):
            assert b"connection: close" in await reader.read()


async def test_a_body_that_does_not_come_to_an_end_is_given_up(bench):
    async with (
        open_webhook(bench, SECRETS, BodyReader(within=0.01)) as webhook,
        line_to(webhook) as (reader, writer),
    ):
        writer.write(head("Content-Length: 2", SOME_SIGNATURE) + b"{")

        assert await status_of(reader) == 408
        async with asyncio.timeout(5):
            assert b"connection: close" in await reader.read()


class Sender:
    """A sender of a body as ASGI shows it, a piece at a time; it may stop before the end."""

    def __init__(self, *pieces: bytes, last: bool = True) -> None:
        self._pieces = list(pieces)
        self._last = last
        self.begun = asyncio.Event()
        self.waited_for = asyncio.Event()  # all that was sent has been read

    async def receive(self):
        if not self._pieces:
            self.waited_for.set()
            await asyncio.Event().wait()
        self.begun.set()
        piece = self._pieces.pop(0)
        is_more = bool(self._pieces) or not self._last
        return {"type": "http.request", "body": piece, "more_body": is_more}

    @property
    def unread(self) -> int:
        return len(self._pieces)


async def test_few_large_bodies_are_read_at_once_and_small_ones_pass_them():
    large = b"x" * (SMALL_BYTES + 1)
    reader = BodyReader()
    stuck = [Sender(large, b"x", last=False) for _ in range(SLOTS)]
    late = Sender(large, b"x")
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(5):
        reads = [tasks.create_task(reader.read(it.receive)) for it in stuck]
        for sender in stuck:
            await sender.waited_for.wait()
        waiting = tasks.create_task(reader.read(late.receive))
        await late.begun.wait()

        assert await reader.read(Sender(b"a", b"b").receive) == b"ab"
        assert late.unread == 1

        reads[0].cancel()
        assert await waiting == large + b"x"
        for read in reads:
            read.cancel()


async def test_as_much_as_meta_sends_at_most_is_taken(webhook):
    events = [text_event(f"mid-{number}", "x" * 3900) for number in range(1000)]
    body = json.dumps(post_of(*events)).encode()
    assert 0.95 * MAX_BYTES < len(body) <= MAX_BYTES

    assert await webhook.post(body) == 200

    assert len(await webhook.mids()) == 1000


async def test_a_sender_that_goes_away_leaves_nothing_behind(webhook):
    body = json.dumps(post_of(text_event())).encode()
    signed = f"X-Hub-Signature-256: {sign(SECRETS[0], body)}"

    async with line_to(webhook) as (_, writer):
        writer.write(head(f"Content-Length: {len(body)}", signed) + body[:-1])
        await writer.drain()

    assert await webhook.mids() == []
    assert await webhook.post(body) == 200
    assert await webhook.mids() == ["mid-1"]


@pytest_asyncio.fixture(loop_scope="module")
async def fresh_webhook(tmp_path):
    """A webhook on a file that has no room left over from other tests."""
    bench = Bench(f"sqlite:///{tmp_path}/store.db")
    await bench.open()
    async with bench.stack, open_webhook(bench, SECRETS) as webhook:
        yield webhook


async def test_a_full_disk_is_a_503_until_there_is_room_again(fresh_webhook):
    webhook = fresh_webhook
    await webhook.bench.query("PRAGMA max_page_count = 1")  # no more than there are
    large, small = post_of(text_event("large", "x" * MIB)), post_of(text_event("small"))

    assert await webhook.post(large) == 503

    assert webhook.logged[-1]["event"] == "webhook.not_stored"
    assert webhook.logged[-1]["log_level"] == "error"
    assert await webhook.mids() == []
    await webhook.bench.query("PRAGMA max_page_count = 1000000")
    assert await webhook.post(large) == 200
    assert await webhook.post(small) == 200
    assert await webhook.mids() == ["large", "small"]


async def test_a_locked_file_is_a_503_until_it_is_free_again(webhook):
    other = sqlite3.connect(webhook.bench.url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    refused = await asyncio.gather(
        *(webhook.post(post_of(text_event(f"mid-{number}"))) for number in range(5))
    )

    other.execute("ROLLBACK")
    other.close()
    assert refused == [503] * 5
    assert await webhook.mids() == []
    assert await webhook.post(post_of(text_event("mid-1"))) == 200
    assert await webhook.mids() == ["mid-1"]
