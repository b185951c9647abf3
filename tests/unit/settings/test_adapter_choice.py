"""Which adapter is chosen and what it gets when little is set."""

from __future__ import annotations

import pytest

from tests.support.settings import load

OPENAI = "https://api.openai.com/v1"


@pytest.mark.parametrize(
    ("variables", "agent"),
    [
        pytest.param(
            {"AK_AGENT__URL": "http://ak:8000/?k=a/"},
            ("agentkernel", "http://ak:8000/?k=a/", None),
            id="url-is-agent-kernel",
        ),
        pytest.param(
            {"OPENAI_API_KEY": "sk-1"},
            ("openai-chat", OPENAI, "sk-1"),
            id="openai-key-is-openai",
        ),
        pytest.param(
            {"AK_AGENT__URL": "http://ak:8000", "OPENAI_API_KEY": "sk-1"},
            ("agentkernel", "http://ak:8000", None),
            id="url-before-key-and-the-key-stays-at-home",
        ),
        pytest.param(
            {"AK_AGENT__ADAPTER": "openai-chat", "AK_AGENT__API_KEY": "a", "OPENAI_API_KEY": "b"},
            ("openai-chat", OPENAI, "a"),
            id="own-key-before-openais-variable",
        ),
        pytest.param(
            {
                "AK_AGENT__ADAPTER": "openai-chat",
                "AK_AGENT__URL": "http://ollama/v1",
                "AK_AGENT__MODEL": "m",
            },
            ("openai-chat", "http://ollama/v1", None),
            id="compatible-server-without-key",
        ),
        pytest.param(
            {
                "OPENAI_API_KEY": "sk-1",
                "OPENAI_BASE_URL": "http://litellm:4000/v1",
                "AK_AGENT__MODEL": "m",
            },
            ("openai-chat", "http://litellm:4000/v1", "sk-1"),
            id="openais-variables-are-a-pair",
        ),
        pytest.param(
            {"OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": ""},
            ("openai-chat", OPENAI, "sk-1"),
            id="an-empty-base-url-is-none",
        ),
        pytest.param(
            {
                "AK_AGENT__ADAPTER": "openai-chat",
                "AK_AGENT__URL": "http://ollama/v1",
                "AK_AGENT__MODEL": "m",
                "OPENAI_BASE_URL": "http://litellm:4000/v1",
            },
            ("openai-chat", "http://ollama/v1", None),
            id="own-url-before-openais-variable",
        ),
        pytest.param(
            {"AK_AGENT__URL": "http://ak:8000", "OPENAI_BASE_URL": "http://litellm:4000/v1"},
            ("agentkernel", "http://ak:8000", None),
            id="openais-base-url-is-not-agent-kernels",
        ),
        pytest.param(
            {"AK_AGENT__ADAPTER": "http", "AK_AGENT__URL": "http://x/ask/"},
            ("http", "http://x/ask/", None),
            id="an-endpoint-stays-as-it-is",
        ),
        pytest.param(
            {"AK_AGENT__ADAPTER": "my.agents:Shop", "OPENAI_API_KEY": "sk-1"},
            ("my.agents:Shop", None, None),
            id="ones-own",
        ),
        pytest.param({"AK_AGENT__ADAPTER": "echo"}, ("echo", None, None), id="echo-when-asked"),
    ],
)
def test_the_adapter_follows_from_what_is_set(environ, variables, agent):
    del environ["AK_AGENT__ADAPTER"]

    loaded = load(environ | variables).agent

    assert (loaded.adapter, loaded.url, loaded.api_key) == agent
