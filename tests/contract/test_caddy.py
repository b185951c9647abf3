"""The Caddyfile of Compose's profile `https`, run by the real Caddy in front of a fake service."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import sys
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

CADDYFILE = Path(__file__).parents[2] / "examples/https/Caddyfile"
CADDY = shutil.which("caddy", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}") or ""

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not CADDY, reason="there is no caddy on PATH"),
]

MOST = 4 * 1024 * 1024
SIGNATURE = "sha256=0123456789abcdef"
VERIFY = "/instagram/webhook?hub.mode=subscribe&hub.verify_token=our-token&hub.challenge=42"
WITHIN = 20.0  # seconds; it makes an authority of its own to sign localhost's certificate


class Proxy:
    """What Caddy says, and what it passes on to the service behind it, which may *fail*."""

    def __init__(self, port: int) -> None:
        self.url = f"https://localhost:{port}"
        self.passed: list[web.BaseRequest] = []
        self.fails = False
        self._lines: list[str] = []
        self._news = asyncio.Condition()

    async def take(self, request: web.BaseRequest) -> web.Response:
        """Be the service behind it."""
        self.passed.append(request)
        async for _ in request.content.iter_any():
            pass
        if self.fails:
            assert request.transport is not None
            request.transport.close()
        return web.Response(text="EVENT_RECEIVED")

    async def listen(self, output: asyncio.StreamReader) -> None:
        """Keep what it says."""
        async for line in output:
            async with self._news:
                self._lines.append(line.decode())
                self._news.notify_all()

    async def until_said(self, words: str) -> str:
        """Return the first line with *words* in it, once there is one."""
        async with asyncio.timeout(WITHIN), self._news:
            while not (found := [line for line in self._lines if words in line]):
                await self._news.wait()
            return found[0]


def local_caddyfile(port: int, service: int) -> str:
    """Return the Caddyfile on ports of this machine; nothing is added to the system's trust."""
    text = CADDYFILE.read_text()
    text = text.replace("ak-instagram:8000", f"127.0.0.1:{service}")
    text = text.replace("127.0.0.1:8080", f"127.0.0.1:{unused_port()}")
    local = f"http_port {unused_port()}\n\thttps_port {port}\n\tskip_install_trust"
    return text.replace("admin off", f"admin off\n\t{local}")


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment in which nothing of the user's is read or written."""
    home = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(folder))
    return home | more


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def proxy(tmp_path_factory):
    """Caddy for `localhost`, with a service behind it."""
    folder, port = tmp_path_factory.mktemp("caddy"), unused_port()
    proxy, app = Proxy(port), web.Application()
    app.router.add_route("*", "/{path:.*}", proxy.take)
    async with TestServer(app) as service:
        assert service.port is not None
        (folder / "Caddyfile").write_text(local_caddyfile(port, service.port))
        process = await asyncio.create_subprocess_exec(
            *(CADDY, "run", "--config", folder / "Caddyfile"),
            env=environment(folder, DOMAIN="localhost"),
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        listening = asyncio.create_task(proxy.listen(process.stderr))
        try:
            await proxy.until_said("certificate obtained successfully")
            yield proxy
        finally:
            process.terminate()
            await listening
            await process.wait()


@pytest_asyncio.fixture(loop_scope="module")
async def meta(proxy):
    """Whoever talks to Caddy from outside; what was passed on before is forgotten."""
    proxy.passed.clear()
    proxy.fails = False
    connector = aiohttp.TCPConnector(ssl=False)  # its authority is nobody's
    async with aiohttp.ClientSession(proxy.url, connector=connector) as session:
        yield session


async def test_a_webhook_is_passed_on_with_its_signature(proxy, meta):
    async with meta.post(
        "/instagram/webhook", data=b"{}", headers={"X-Hub-Signature-256": SIGNATURE}
    ) as answer:
        assert (answer.status, await answer.text()) == (200, "EVENT_RECEIVED")

    [passed] = proxy.passed
    assert passed.headers["X-Hub-Signature-256"] == SIGNATURE


@pytest.mark.parametrize("path", ["/instagram/deauthorize", "/instagram/data-deletion"])
async def test_metas_callbacks_are_passed_on(proxy, meta, path):
    async with meta.post(path, data={"signed_request": "a.b"}) as answer:
        await answer.read()

    assert [passed.path for passed in proxy.passed] == [path]


async def test_the_page_of_a_deletion_is_passed_on(proxy, meta):
    async with meta.get("/instagram/data-deletion/0123abc") as answer:
        await answer.read()

    assert [passed.path for passed in proxy.passed] == ["/instagram/data-deletion/0123abc"]


async def test_metas_check_is_passed_on(proxy, meta):
    async with meta.get(VERIFY) as answer:
        assert answer.status == 200

    assert [str(passed.rel_url) for passed in proxy.passed] == [VERIFY]


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/metrics", "/livez", "/health", "/admin/", "/instagram", "/instagram/webhook/x"),
        *("/instagram/deauthorize/x", "/instagram/data-deletionx"),
    ],
)
async def test_nothing_else_is(proxy, meta, path):
    async with meta.get(path) as answer:
        assert answer.status == 404

    assert proxy.passed == []


async def test_another_hosts_name_is_refused(proxy, meta):
    async with meta.get("/instagram/webhook", headers={"Host": "another.example"}) as answer:
        assert answer.status == 421

    assert proxy.passed == []


@pytest.mark.parametrize(("size", "status"), [(MOST, 200), (MOST + 1, 413)])
async def test_a_body_of_4_mib_is_the_longest(meta, size, status):
    async with meta.post("/instagram/webhook", data=io.BytesIO(bytes(size))) as answer:
        assert answer.status == status


async def test_the_line_of_an_error_has_neither_signature_nor_verify_token(proxy, meta):
    proxy.fails = True

    async with meta.post(VERIFY, headers={"X-Hub-Signature-256": SIGNATURE}) as answer:
        assert answer.status == 502

    said = await proxy.until_said('"status":502')
    assert SIGNATURE not in said
    assert "our-token" not in said


async def test_a_missing_domain_is_named(tmp_path):
    process = await asyncio.create_subprocess_exec(
        *(CADDY, "validate", "--adapter", "caddyfile", "--config", CADDYFILE),
        env=environment(tmp_path),
        stderr=asyncio.subprocess.PIPE,
    )

    _, said = await process.communicate()

    assert process.returncode == 1
    assert b"DOMAIN-is-missing-in-.env" in said
