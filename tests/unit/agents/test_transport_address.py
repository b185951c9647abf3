"""An adapter's path goes into the path of `agent.url`, whatever else the URL has."""

from __future__ import annotations

import pytest

from ak_instagram.agents.transport import agent_url
from ak_instagram.errors import SettingsError
from ak_instagram.settings import values

AZURE = "https://r.openai.azure.com/openai/deployments/d"


def settings(url: str | None) -> values.Agent:
    return values.Agent("openai-chat", url=url)


@pytest.mark.parametrize(
    ("url", "posted_to"),
    [
        pytest.param("https://a.de", "https://a.de/chat", id="host"),
        pytest.param("https://a.de:8080/", "https://a.de:8080/chat", id="slash"),
        pytest.param("https://a.de/v1", "https://a.de/v1/chat", id="path"),
        pytest.param("https://a.de/v1/", "https://a.de/v1/chat", id="path-and-slash"),
        pytest.param("https://a.de/v1/chat", "https://a.de/v1/chat", id="there-already"),
        pytest.param("https://a.de/v1/chat/", "https://a.de/v1/chat", id="there-with-a-slash"),
        pytest.param("https://a.de?k=v", "https://a.de/chat?k=v", id="query"),
        pytest.param(f"{AZURE}?api-version=1", f"{AZURE}/chat?api-version=1", id="azure"),
        pytest.param(f"{AZURE}/?k=a%2Fb/", f"{AZURE}/chat?k=a%2Fb/", id="slashes-in-the-query"),
        pytest.param(f"{AZURE}/chat?k=v", f"{AZURE}/chat?k=v", id="there-before-a-query"),
        pytest.param("https://a.de/v1?k=/chat", "https://a.de/v1/chat?k=/chat", id="in-the-query"),
        pytest.param(None, "https://default.de/v1/chat", id="default"),
    ],
)
def test_the_path_ends_the_urls_own(url, posted_to):
    assert agent_url(settings(url), "/chat", default="https://default.de/v1") == posted_to


@pytest.mark.parametrize("url", ["https://a.de/ask/", "https://a.de/ask?k=v&l=%20", "http://a.de"])
def test_an_endpoint_is_posted_to_as_it_is(url):
    assert agent_url(settings(url)) == url


@pytest.mark.parametrize("path", ["", "/chat"])
def test_a_url_that_no_server_would_see_is_refused(path):
    with pytest.raises(SettingsError, match=r"agent\.url .*: must have no #"):
        agent_url(settings("https://a.de/v1?key=a#b"), path)
