"""agent.adapter names one of our adapters or a plug-in; anything else stops the start."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import Any, cast

import pytest

from ak_instagram.agents.agent import Text, Turn, UserMessage
from ak_instagram.agents.registry import ADAPTERS, adapter_needs, build_agent
from ak_instagram.errors import SettingsError
from ak_instagram.settings.model import AgentSettings

NO_SESSION = cast("Any", None)
SETTINGS = AgentSettings("echo", url="https://agent.example/v1", model="m", history=7)


class Shouter:
    """A plug-in as docs/agents.md shows one."""

    history = 0

    def __init__(self, settings, session):
        self._mark = settings.instructions

    async def answer(self, turn):
        yield Text(turn.messages[0].text.upper() + self._mark)


def make_shouter(settings, session):
    """A factory instead of a class."""
    return Shouter(settings, session)


def make_nothing(settings, session):
    """A plug-in that forgot to return its agent."""


def make_trouble(settings, session):
    """A plug-in that fails."""
    raise KeyError("MY_KEY")


def make_demands(settings, session):
    """A plug-in that says itself what is wrong."""
    raise SettingsError(["agent.model: is not one of ours"])


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_every_adapter_is_made_from_settings_and_session(adapter):
    agent = build_agent(dataclasses.replace(SETTINGS, adapter=adapter), NO_SESSION)

    repeats = adapter.startswith("openai-") or adapter == "ag-ui"
    assert agent.history == (7 if repeats else 0)


@pytest.mark.parametrize(
    ("adapter", "url", "keys"),
    [
        pytest.param("agentkernel", None, ["agent.url"], id="agentkernel"),
        pytest.param("http", None, ["agent.url"], id="http"),
        pytest.param("echo", None, [], id="echo"),
        pytest.param("openai-chat", None, ["agent.api_key"], id="openai-itself"),
        pytest.param(
            "openai-chat", "https://api.openai.com/v2", ["agent.api_key"], id="openai-by-its-url"
        ),
        pytest.param("openai-chat", "http://localhost:1234", ["agent.model"], id="openai-alike"),
        pytest.param("shop_agent:ShopAgent", None, [], id="plug-in"),
        pytest.param("agentkernal", None, [], id="mistyped"),
    ],
)
def test_an_adapter_declares_the_settings_it_needs(adapter, url, keys):
    assert [key for key, _ in adapter_needs(adapter).required(url)] == keys


def test_needs_are_known_without_an_http_client():
    ask_all = "import sys; from ak_instagram.agents.registry import ADAPTERS, adapter_needs;"
    ask_all += "[adapter_needs(name) for name in ADAPTERS]; sys.exit('aiohttp' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", ask_all], check=False).returncode == 0


def test_the_http_adapter_wants_history_only_if_its_request_has_it():
    settings = dataclasses.replace(SETTINGS, adapter="http", request={"past": "{history}"})

    assert build_agent(settings, NO_SESSION).history == 7


@pytest.mark.parametrize("name", ["Shouter", "make_shouter"])
async def test_a_plug_in_is_a_class_or_a_factory(name):
    settings = AgentSettings(f"{__name__}:{name}", instructions="!")
    turn = Turn("t", "s", "a", "c", (UserMessage("m", 1, "hi"),))

    parts = build_agent(settings, NO_SESSION).answer(turn)

    assert [part async for part in parts] == [Text("HI!")]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        pytest.param({"adapter": "agentkernal"}, "did you mean agentkernel?", id="mistyped"),
        pytest.param({"adapter": "qqq"}, "use agentkernel, openai-chat, ", id="unknown"),
        pytest.param({"adapter": "no_such_module:Agent"}, "PYTHONPATH", id="no-module"),
        pytest.param({"adapter": f"{__name__}:Missing"}, "can't load", id="no-object"),
        pytest.param({"adapter": ".relative:Agent"}, "can't load", id="relative"),
        pytest.param({"adapter": ":Agent"}, "can't load", id="no-module-name"),
        pytest.param({"adapter": f"{__name__}:SETTINGS"}, "not a class", id="not-callable"),
        pytest.param(
            {"adapter": f"{__name__}:make_nothing"}, "no answer and no history", id="no-agent"
        ),
        pytest.param(
            {"adapter": f"{__name__}:make_trouble"},
            "makes no agent: KeyError: 'MY_KEY'",
            id="fails",
        ),
        pytest.param({"adapter": f"{__name__}:make_demands"}, "one of ours", id="demands"),
        pytest.param({"adapter": "os:getcwd"}, "makes no agent: TypeError", id="other-function"),
        pytest.param({"adapter": "agentkernel", "url": None}, "AK_AGENT__URL", id="no-url"),
        pytest.param({"adapter": "http", "url": ""}, "AK_AGENT__URL", id="empty-url"),
        pytest.param({"adapter": "http", "url": "agent:8000"}, "http:// or", id="no-scheme"),
        pytest.param({"adapter": "http", "url": "http://[::1"}, "http:// or", id="no-url-at-all"),
        pytest.param({"adapter": "http", "url": "http://a b"}, "http:// or", id="blank-in-the-url"),
        pytest.param({"adapter": "http", "url": "http://u:p@a"}, "no user and", id="password"),
        pytest.param({"adapter": "openai-chat", "model": None}, "AK_AGENT__MODEL", id="no-model"),
        pytest.param(
            {"adapter": "http", "request": {"a": "{txt}"}}, "did you mean `{text}`", id="template"
        ),
    ],
)
def test_settings_that_make_no_agent_name_the_key_and_the_fix(changes, problem):
    with pytest.raises(SettingsError) as caught:
        build_agent(dataclasses.replace(SETTINGS, **changes), NO_SESSION)

    assert problem in str(caught.value)
    assert all(line.startswith("agent.") for line in caught.value.problems)


def test_openai_itself_needs_neither_url_nor_model():
    agent = build_agent(AgentSettings("openai-chat", api_key="sk"), NO_SESSION)

    assert agent.history == 20
