"""
Media: what a turn's attachments link to is fetched, and voice notes are put into words.

Links come with webhooks and lead where their sender likes, so only Meta's hosts are asked, over
HTTPS and at public addresses, on every hop. What is fetched is kept in memory for its turn alone.
Nothing here fails a turn: what can't be had stays the link that it was.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast
from urllib.parse import urljoin, urlsplit

import structlog

from ak_instagram import fast_json
from ak_instagram.settings.model import AgentSettings

from .agent import Agent, Attachment, Deferring, Part, Turn, UserMessage

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import aiohttp
    from aiohttp.abc import AbstractResolver

log = structlog.get_logger()

HOSTS = ("fbsbx.com", "fbcdn.net", "cdninstagram.com")
"""Meta's hosts, and all below them."""
HOPS = 4  # requests for one file, redirects followed
FILES = 10  # of one turn that are fetched; a message has no more pictures
AT_ONCE = 8  # files of all turns that are fetched at once
_GONE = frozenset({401, 403, 404, 410})  # with these Meta refuses a link that has expired
_EXPIRED = "(expired, can't be seen any more)"
_INLINED = frozenset({"image", "file"})
_LONGEST_WORDS = 256 * 1024  # bytes of a transcription's answer
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

# --- what it is ---------------------------------------------------------------

_SIGNS: Sequence[tuple[bytes, str]] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf1", "audio/aac"),
    (b"\xff\xf9", "audio/aac"),
    (b"\x1aE\xdf\xa3", "audio/webm"),
)
# What models take; other kinds of pictures stay links.
_WANTED = {
    "image": frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"}),
    "file": frozenset({"application/pdf"}),
    "audio": frozenset(
        {"audio/ogg", "audio/mpeg", "audio/aac", "audio/webm", "audio/mp4", "audio/wav"}
    ),
}
_ENDINGS = {"audio/mpeg": "mp3", "audio/mp4": "m4a"}  # by which a transcriber knows the kind


def media_type(data: bytes, kind: str) -> str | None:
    """
    Return the media type that *data* itself shows, `None` if it is none for an attachment *kind*.

    An MP4 does not tell whether it has pictures, so one sent as a voice note is taken for sound.
    """
    found = next((name for sign, name in _SIGNS if data.startswith(sign)), "")
    if data[:4] == b"RIFF":
        found = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(data[8:12], "")
    elif data[4:8] == b"ftyp":
        found = "audio/mp4" if kind == "audio" else "video/mp4"
    return found if found in _WANTED.get(kind, ()) else None


# --- where it may be ----------------------------------------------------------


class Refused(Exception):
    """A file is not fetched, or not used; the text says why and has nothing of its address."""


class Expired(Refused):
    """The link leads nowhere any more."""


def check_url(url: str, trusted: Sequence[str]) -> None:
    """Raise `Refused` unless *url* is one of Meta's, or of a *trusted* `host` or `host:port`."""
    try:
        parsed = urlsplit(url)
        host, port = (parsed.hostname or "").rstrip("."), parsed.port
    except ValueError:
        raise Refused("its address is none") from None
    if host in trusted or (port and f"{host}:{port}" in trusted):
        return
    if not any(host == it or host.endswith(f".{it}") for it in HOSTS):
        raise Refused("it is not on one of Meta's hosts (agent.media_hosts)")
    if parsed.scheme != "https" or port not in (None, 443) or parsed.username is not None:
        raise Refused("its address is not a plain https:// one")


def is_public(address: str) -> bool:
    """Return whether an IP *address* is one of the internet, however it is written."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed in _NAT64:
            return is_public(str(ipaddress.IPv4Address(parsed.packed[-4:])))
        if parsed.sixtofour or parsed.teredo or parsed.ipv4_mapped:
            return False
    return parsed.is_global and not (parsed.is_multicast or parsed.is_reserved)


# --- fetching -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _File:
    data: bytes
    media_type: str


class MediaReader:
    """
    Reads attachments as the settings say, with one connection pool for each turn's files.

    *resolver* looks hosts up, the system's if not given.
    """

    def __init__(
        self,
        settings: AgentSettings,
        session: aiohttp.ClientSession,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._resolver = resolver
        self._inlined = _INLINED if settings.media == "inline" else frozenset()
        self._trusted = settings.media_hosts
        self._longest = settings.media_max
        self._timeout = settings.media_timeout
        self._session = session
        root = (settings.transcription_url or "").rstrip("/")
        self._transcriber = f"{root}/audio/transcriptions" if root else ""
        self._model = settings.transcription_model
        self._key = settings.transcription_key
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def read(self, turn: Turn) -> Turn:
        """
        Return *turn* with its pictures' and documents' data, and with the words of voice notes.

        A link that has expired is taken away, and the attachment says so.
        """
        wanted = [it for message in turn.messages for it in message.attachments if self._wants(it)]
        if not wanted:
            return turn
        async with _public_session(self._trusted, self._resolver) as pool:
            read = await asyncio.gather(*(self._read(it, pool) for it in wanted[:FILES]))
        known = {id(old): new for old, new in zip(wanted, read, strict=False)}

        def renewed(message: UserMessage) -> UserMessage:
            files = tuple(known.get(id(it), it) for it in message.attachments)
            return replace(message, attachments=files)

        return replace(turn, messages=tuple(map(renewed, turn.messages)))

    def _wants(self, attachment: Attachment) -> bool:
        is_heard = attachment.kind == "audio" and bool(self._transcriber)
        return attachment.url is not None and (is_heard or attachment.kind in self._inlined)

    async def _read(self, attachment: Attachment, pool: aiohttp.ClientSession) -> Attachment:
        """Return *attachment* with what it links to; as it is if that can't be had."""
        try:
            async with self._slots, asyncio.timeout(self._timeout):
                file = await self._fetch(attachment, pool)
            if attachment.kind != "audio":
                encoded = b64encode(file.data).decode()
                return replace(attachment, data=f"data:{file.media_type};base64,{encoded}")
            async with asyncio.timeout(self._timeout):
                words = await self._transcribe(file)
            return replace(attachment, url=None, title=words) if words else attachment
        except Expired as exc:
            log.warning("media.not_read", kind=attachment.kind, reason=str(exc))
            return replace(attachment, url=None, title=_EXPIRED)
        except TimeoutError:
            reason = f"it took longer than agent.media_timeout ({self._timeout:g} s)"
        except Refused as exc:
            reason = str(exc)
        except Exception as exc:  # noqa: BLE001 - a file must not cost the person an answer
            # The class says enough: the text may quote the address.
            reason = type(exc).__name__
        log.warning("media.not_read", kind=attachment.kind, reason=reason)
        return attachment

    async def _fetch(self, attachment: Attachment, pool: aiohttp.ClientSession) -> _File:
        """Return what is at the attachment's link, or raise `Refused`."""
        url = cast(str, attachment.url)
        for _ in range(HOPS):
            check_url(url, self._trusted)
            async with pool.get(url, allow_redirects=False) as response:
                if 300 <= response.status < 400:
                    url = urljoin(url, response.headers.get("Location", ""))
                    continue
                if response.status in _GONE:
                    raise Expired(f"the link is refused with {response.status}: it has expired")
                if response.status != 200:
                    raise Refused(f"its host answered {response.status}")
                data = await _limited(response, self._longest)
            kind = media_type(data, attachment.kind)
            if kind is None:
                raise Refused("it is of another kind than it was sent as")
            return _File(data, kind)
        raise Refused(f"it is more than {HOPS - 1} redirects away")

    async def _transcribe(self, file: _File) -> str:
        """Return the words of a voice note, as an OpenAI-compatible server hears them."""
        import aiohttp  # with the first one: commands that look adapters up take no time for it

        ending = _ENDINGS.get(file.media_type) or file.media_type.partition("/")[2]
        form = aiohttp.FormData()
        form.add_field("file", file.data, filename=f"voice.{ending}", content_type=file.media_type)
        form.add_field("model", self._model)
        form.add_field("response_format", "json")
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        async with self._session.post(
            self._transcriber, data=form, headers=headers, allow_redirects=False
        ) as response:
            if response.status != 200:
                raise Refused(f"agent.transcription_url answered {response.status}")
            body = await _limited(response, _LONGEST_WORDS)
        text = (fast_json.load_object(body) or {}).get("text")
        if not isinstance(text, str):
            raise Refused("agent.transcription_url answered without a `text`")
        return " ".join(text.split())


async def _limited(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Return the body of *response*, or raise `Refused` as soon as it exceeds *limit* bytes."""
    data = bytearray()
    async for chunk in response.content.iter_any():
        data += chunk
        if len(data) > limit:
            raise Refused(f"it has more than {limit} bytes (agent.media_max)")
    return bytes(data)


def _public_session(
    trusted: Sequence[str], resolver: AbstractResolver | None
) -> aiohttp.ClientSession:
    """
    Return a pool that connects to public addresses alone, but for *trusted* hosts.

    The address that was checked is the one that is connected to: nothing resolves twice.
    """
    import aiohttp  # as above
    from aiohttp.abc import AbstractResolver, ResolveResult

    looks_up = resolver or aiohttp.ThreadedResolver()
    trusted_names = {it.partition(":")[0] for it in trusted}

    class PublicResolver(AbstractResolver):
        """Resolves a name, and refuses one that leads into a private network, if only partly."""

        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            found = await looks_up.resolve(host, port, family)
            if host not in trusted_names and not all(is_public(it["host"]) for it in found):
                raise Refused("its host has a private address")
            return found

        async def close(self) -> None:
            await looks_up.close()

    connector = aiohttp.TCPConnector(
        resolver=PublicResolver(), use_dns_cache=False, force_close=True
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept-Encoding": "identity"},  # packed, a few bytes may be very many
        auto_decompress=False,
        trust_env=False,
    )


# --- in front of an agent -------------------------------------------------------


class MediaAgent:
    """An agent whose turns have their media read before it is asked."""

    def __init__(self, agent: Agent, reader: MediaReader) -> None:
        self._agent = agent
        self._reader = reader
        self.history = agent.history

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """Yield the agent's parts."""
        callback = turn.callback
        is_asked = callback is None or not (callback.body or callback.is_overdue)
        asked = await self._reader.read(turn) if is_asked else turn
        # An adapter's answer is a generator, as `Agent` does not say of a plug-in's.
        parts = cast("AsyncGenerator[Part]", self._agent.answer(asked))
        if not hasattr(parts, "aclose"):
            async for part in parts:
                yield part
            return
        async with aclosing(parts):
            async for part in parts:
                yield part


class DeferringMediaAgent(MediaAgent):
    """The same for an agent whose answers are posted."""

    def __init__(self, agent: Agent, reader: MediaReader) -> None:
        super().__init__(agent, reader)
        assert isinstance(agent, Deferring)
        self.check_callback = agent.check_callback


def with_media(agent: Agent, settings: AgentSettings, session: aiohttp.ClientSession) -> Agent:
    """Return *agent*, with its media read if the *settings* ask for that."""
    if settings.media == "url" and not settings.transcription_url:
        return agent
    kind = DeferringMediaAgent if isinstance(agent, Deferring) else MediaAgent
    return kind(agent, MediaReader(settings, session))
