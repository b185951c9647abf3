"""Pictures are fetched and sent along, voice notes heard, and no link leads anywhere else."""

from __future__ import annotations

import asyncio
import gzip
from base64 import b64encode

import pytest
import structlog
from aiohttp import web
from aiohttp.abc import AbstractResolver
from aiohttp.test_utils import TestServer

from ak_instagram.agents.agent import Attachment, UserMessage
from ak_instagram.agents.media import MediaReader
from ak_instagram.settings.model import AgentSettings
from tests.support.dialects import DIALECTS

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
MP4 = b"\0\0\0\x20ftypisom" + bytes(40)
DATA = f"data:image/png;base64,{b64encode(PNG).decode()}"
EXPIRED = "[image] (expired, can't be seen any more)"
LIMIT = 1000


class Cdn:
    """A host of files, and a transcriber."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.forms: list[dict[str, object]] = []
        self.words: web.Response | None = None
        self.url = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        match request.path.split("/")[1:]:
            case ["png"]:
                return web.Response(body=PNG)
            case ["mp4"]:
                return web.Response(body=MP4, content_type="image/png")
            case ["status", status]:
                return web.Response(status=int(status))
            case ["large"]:
                response = web.StreamResponse()
                await response.prepare(request)
                while True:
                    await response.write(PNG * 100)
            case ["packed"]:
                packed = gzip.compress(PNG + bytes(100_000))
                return web.Response(body=packed, headers={"Content-Encoding": "gzip"})
            case ["slow"]:
                await asyncio.sleep(30)
            case ["to", *path]:
                raise web.HTTPFound("/" + "/".join(path))
            case ["away"]:
                raise web.HTTPFound(request.query["to"])
            case ["round"]:
                raise web.HTTPFound("/round")
            case ["v1", "audio", "transcriptions"]:
                form = await request.post()
                fields = {name: _field(it) for name, it in form.items()}
                self.forms.append(fields | {"key": request.headers.get("Authorization")})
                assert self.words is not None
                return self.words
        raise web.HTTPNotFound


def _field(value: object) -> object:
    """Return a text, or a file's name and content."""
    return (value.filename, value.file.read()) if isinstance(value, web.FileField) else value


@pytest.fixture
async def cdn():
    made = Cdn()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.serve)
    async with TestServer(app, handler_cancellation=True, shutdown_timeout=0.1) as server:
        made.url = str(server.make_url("")).rstrip("/")
        yield made


def settings(cdn: Cdn, **changes: object) -> AgentSettings:
    host = cdn.url.removeprefix("http://")
    chosen = {"media": "inline", "media_hosts": (host,), "media_max": LIMIT, "media_timeout": 0.5}
    return AgentSettings("echo", **chosen | changes)  # type: ignore[arg-type] # of each field's own type


@pytest.fixture
def read(cdn, client_session, turn_of):
    """Read one attachment."""

    async def read(path, kind="image", resolver=None, **changes):
        reader = MediaReader(settings(cdn, **changes), client_session, resolver)
        url = cdn.url + path if path.startswith("/") else path
        asked = turn_of(UserMessage("m", 1, "look", (Attachment(kind, url),)))
        return (await reader.read(asked)).messages[0].attachments[0]

    return read


# --- pictures ---------------------------------------------------------------


@pytest.mark.parametrize("path", ["/png", "/to/png", "/to/to/to/png"])
async def test_a_picture_is_fetched_over_some_redirects(read, path):
    assert (await read(path)).data == DATA


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_a_link_that_has_expired_is_said_so(read, status):
    attachment = await read(f"/status/{status}")

    assert attachment.source is None
    assert attachment.label == EXPIRED


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        pytest.param("/mp4", "of another kind", id="kind"),
        pytest.param("/large", "more than 1000 bytes", id="size"),
        pytest.param("/packed", "of another kind", id="packed-is-not-unpacked"),
        pytest.param("/slow", "longer than agent.media_timeout", id="time"),
        pytest.param("/status/500", "answered 500", id="status"),
        pytest.param("/round", "more than 3 redirects", id="round-and-round"),
        pytest.param("/away?to=http://169.254.169.254/latest", "not on one of", id="metadata"),
        pytest.param("/away?to=http://127.0.0.1:1/", "not on one of", id="another-port"),
        pytest.param("/away?to=http://lookaside.fbsbx.com/a", "plain https", id="no-tls"),
        pytest.param("/away?to=file:///etc/passwd", "not on one of", id="file"),
        pytest.param("https://evil.example/a", "not on one of", id="another-host"),
        pytest.param("http://127.0.0.1:1/png", "not on one of", id="own-port"),
    ],
)
async def test_what_is_refused_stays_the_link_that_it_was(read, cdn, path, reason):
    with structlog.testing.capture_logs() as lines:
        attachment = await read(path)

    assert attachment.data is None
    assert attachment.url == (cdn.url + path if path.startswith("/") else path)
    [line] = lines
    assert (line["event"], line["kind"]) == ("media.not_read", "image")
    assert reason in line["reason"]
    assert "://" not in line["reason"].replace("https://", "")


class Answers(AbstractResolver):
    """A resolver that gives these addresses for every name."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(self, host, port=0, family=0):
        return [
            {"hostname": host, "host": it, "port": port, "family": 2, "proto": 0, "flags": 0}
            for it in self.addresses
        ]

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("157.240.1.63", "10.0.0.1")], ids=str)
async def test_a_name_with_a_private_address_is_not_connected_to(read, cdn, addresses):
    with structlog.testing.capture_logs() as lines:
        attachment = await read(
            "https://scontent.cdninstagram.com/png", resolver=Answers(*addresses)
        )

    assert attachment.data is None
    assert lines[0]["reason"] == "its host has a private address"
    assert cdn.asked == []


async def test_by_default_nothing_is_fetched(read, cdn):
    assert (await read("/png", media="url")).data is None
    assert cdn.asked == []


async def test_no_more_than_ten_files_of_a_turn_are_fetched(cdn, client_session, turn_of):
    reader = MediaReader(settings(cdn), client_session)
    files = tuple(Attachment("image", f"{cdn.url}/png") for _ in range(12))

    read = (await reader.read(turn_of(UserMessage("m", 1, "", files)))).messages[0].attachments

    assert [it.data is not None for it in read] == [True] * 10 + [False] * 2
    assert len(cdn.asked) == 10


# --- voice notes ------------------------------------------------------------


async def test_a_voice_note_is_put_into_words(read, cdn):
    cdn.words = web.json_response({"text": " Two loaves,\nplease. "})

    attachment = await read(
        "/mp4",
        "audio",
        media="url",
        transcription_url=f"{cdn.url}/v1",
        transcription_key="sk-ears",
        transcription_model="whisper-2",
    )

    assert attachment.label == "[audio] Two loaves, please."
    assert cdn.forms == [
        {
            "file": ("voice.m4a", MP4),
            "model": "whisper-2",
            "response_format": "json",
            "key": "Bearer sk-ears",
        }
    ]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        pytest.param(web.Response(status=401), "answered 401", id="refused"),
        pytest.param(web.json_response({"no": 1}), "without a `text`", id="no-text"),
        pytest.param(web.Response(body=b"x" * 300_000), "more than", id="too-long"),
    ],
)
async def test_a_voice_note_that_nobody_heard_stays_a_link(read, cdn, words, reason):
    cdn.words = words

    with structlog.testing.capture_logs() as lines:
        attachment = await read("/mp4", "audio", transcription_url=f"{cdn.url}/v1")

    assert attachment.label == f"[audio] {cdn.url}/mp4"
    assert reason in lines[0]["reason"]


# --- protocols --------------------------------------------------------------

CARRY_DATA = {
    "agentkernel": ("images", 0, "image_data", DATA),
    "openai-chat": ("messages", 0, "content", 1, "image_url", "url", DATA),
    "openai-responses": ("input", 0, "content", 1, "image_url", DATA),
    "a2a": ("params", "message", "parts", 1, "raw", DATA.partition(",")[2]),
    "ag-ui": ("messages", 0, "content", 1, "source", "value", DATA.partition(",")[2]),
    "flowise": ("uploads", 0, "data", DATA),
    "http": ("attachments", 0, "data", DATA),
    "http-callback": ("attachments", 0, "data", DATA),
}


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
async def test_a_protocol_with_room_for_bytes_carries_them(
    dialect, cdn, agent_server, ask, turn_of
):
    agent_server.aside, agent_server.only_streams = dialect.aside, dialect.only_streams
    agent_server.says(dialect.answer("Nice!"))
    url = f"{cdn.url}/png"
    picture = Attachment("image", url)
    hosts = (cdn.url.removeprefix("http://"),)

    await ask(
        turn_of(UserMessage("m", 1, "look", (picture,))),
        dialect.adapter,
        media="inline",
        media_hosts=hosts,
    )

    [body] = agent_server.bodies
    if dialect.adapter not in CARRY_DATA:  # n8n, langgraph and dify take links
        assert DATA not in str(body)
        assert url in str(body)
        return
    *path, expected = CARRY_DATA[dialect.adapter]
    found = body
    for step in path:
        found = found[step]
    assert found == expected
