"""`.env.example` names three agents; whoever uncomments one block gets that agent."""

from __future__ import annotations

import re

import pytest

from tests.support.compose import ACCOUNT, ROOT, service_environment, variables
from tests.support.settings import load

EXAMPLE = ROOT / ".env.example"
THE_AGENTS = {"AK_AGENT__ADAPTER", "AK_AGENT__URL"}


@pytest.fixture
def secrets(tmp_path):
    """A folder with the files that .env.example asks for."""
    (tmp_path / "secrets").mkdir()
    for name in ("verify_token", "access_token", "app_secret", "openai_api_key", "agent_api_key"):
        (tmp_path / "secrets" / name).write_text(f"my-own-{name}\n")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


def block(beginning):
    """Return what the paragraph of .env.example sets whose comment starts with *beginning*."""
    found = re.search(rf"^# {beginning}.*?(?=\n\n)", EXAMPLE.read_text(), re.M | re.S)
    assert found is not None
    return dict(re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", found[0], re.M))


@pytest.mark.parametrize("is_first_left", [False, True], ids=["first-commented-out", "first-left"])
@pytest.mark.parametrize(
    ("beginning", "agent"),
    [
        pytest.param(
            "An Agent Kernel server",
            ("agentkernel", "http://host.docker.internal:8080", "my-own-agent_api_key"),
            id="agent-kernel",
        ),
        pytest.param(
            "The profile agent-kernel",
            ("agentkernel", "http://agent-kernel:8000", None),
            id="profile",
        ),
        pytest.param(
            "OpenAI itself",
            ("openai-chat", "https://api.openai.com/v1", "my-own-openai_api_key"),
            id="openai",
        ),
    ],
)
def test_a_block_uncommented_is_the_agent(secrets, beginning, agent, is_first_left):
    given = variables(EXAMPLE)
    if not is_first_left:
        given = {name: value for name, value in given.items() if name not in THE_AGENTS}

    settings = load(service_environment(given | block(beginning), ACCOUNT, root=secrets))

    assert (settings.agent.adapter, settings.agent.url, settings.agent.api_key) == agent
