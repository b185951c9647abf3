"""The way out may lead through a proxy of the environment, if a setting says so."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from structlog.testing import capture_logs

from ak_instagram.app import open_service
from ak_instagram.http_client import open_http_session
from ak_instagram.meta.graph.client import GraphClient
from ak_instagram.meta.graph.codes import ErrorClass
from ak_instagram.meta.graph.errors import GraphError
from ak_instagram.settings.model import (
    AgentSettings,
    InstagramSettings,
    ServerSettings,
    Settings,
    StoreSettings,
)
from tests.support.loopback import loopback

META = "http://meta.test"  # a host that nobody but the proxy knows
TOKEN = "IGAAtokentokentoken"


class Proxy:
    """A proxy that answers for the hosts it is asked for, and keeps what came."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []  # host and authorization
        self.answer: Response = JSONResponse({"user_id": "178"})

    async def serve(self, request: Request) -> Response:
        self.requests.append((request.headers["host"], request.headers["authorization"]))
        return self.answer


@pytest.fixture
async def proxy(monkeypatch):
    """The proxy that the environment names, whatever else it named before."""
    proxy = Proxy()
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "")  # put back afterwards
    async with loopback(
        Starlette(routes=[Route("/{path:path}", proxy.serve, methods=["GET", "POST"])])
    ) as url:
        monkeypatch.setenv("HTTP_PROXY", url)
        yield proxy


@asynccontextmanager
async def graph(url: str = META, *, outgoing_proxies: bool):
    async with open_http_session(outgoing_proxies=outgoing_proxies) as session:
        yield GraphClient(session, url, "v21.0")


async def test_meta_is_called_through_the_proxy(proxy):
    async with graph(outgoing_proxies=True) as client:
        profile = await client.me(TOKEN, 5)

    assert profile.user_id == "178"
    assert proxy.requests == [("meta.test", f"Bearer {TOKEN}")]


async def test_a_host_in_no_proxy_is_called_directly(proxy, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "meta.test")

    async with graph(outgoing_proxies=True) as client:
        with pytest.raises(GraphError, match="not sent"):
            await client.me(TOKEN, 5)

    assert proxy.requests == []


async def test_without_the_setting_the_proxy_is_not_used(proxy):
    async with graph(outgoing_proxies=False) as client:
        with pytest.raises(GraphError, match="not sent"):
            await client.me(TOKEN, 5)

    assert proxy.requests == []


async def test_a_login_for_the_host_in_netrc_does_not_take_the_tokens_place(
    proxy, monkeypatch, tmp_path
):
    (tmp_path / "netrc").write_text("default login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    async with graph(outgoing_proxies=True) as client:
        await client.me(TOKEN, 5)

    assert proxy.requests == [("meta.test", f"Bearer {TOKEN}")]


@pytest.mark.parametrize("status", [403, 404, 407])
async def test_a_page_of_the_proxy_is_no_verdict_on_a_message(proxy, status):
    proxy.answer = Response("<html>Blocked</html>", status)

    async with graph(outgoing_proxies=True) as client:
        with pytest.raises(GraphError) as caught:
            await client.send_message(TOKEN, "751", {"text": "hi"}, 5)

    assert caught.value.error_class is ErrorClass.TRANSIENT


def settings(folder, *, outgoing_proxies: bool) -> Settings:
    return Settings(
        InstagramSettings("verify", TOKEN, account_id="178", graph_url=META),
        AgentSettings("echo"),
        StoreSettings(f"sqlite:///{folder}/store.db"),
        ServerSettings(outgoing_proxies=outgoing_proxies),
    )


@pytest.mark.usefixtures("proxy")
@pytest.mark.parametrize(
    ("outgoing_proxies", "warnings"),
    [pytest.param(False, [["HTTP_PROXY"]], id="unused"), pytest.param(True, [], id="used")],
)
async def test_proxies_that_are_not_used_are_told_at_the_start(
    tmp_path, outgoing_proxies, warnings
):
    with capture_logs() as logs:
        async with open_service(settings(tmp_path, outgoing_proxies=outgoing_proxies)):
            pass

    told = [line for line in logs if line["event"] == "service.proxies_unused"]
    assert [line["variables"] for line in told] == warnings


@pytest.mark.usefixtures("proxy")
async def test_nothing_is_told_where_no_proxy_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("HTTP_PROXY")

    with capture_logs() as logs:
        async with open_service(settings(tmp_path, outgoing_proxies=False)):
            pass

    assert "service.proxies_unused" not in [line["event"] for line in logs]
