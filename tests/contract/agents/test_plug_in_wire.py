"""docs/agents.md keeps its word: its plug-in works, and its default request is the real one."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

from ak_instagram.agents.adapters.http.template import DEFAULT_REQUEST
from ak_instagram.agents.agent import Handoff, MessageEnd, Text
from ak_instagram.errors import Permanent, SettingsError, Transient
from tests.support.settings import load

DOCS = (Path(__file__).parents[3] / "docs" / "agents.md").read_text(encoding="utf-8")


def printed(language: str) -> str:
    """Return the first block of *language* in the documentation."""
    block = re.search(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)
    assert block is not None
    return block[1]


@pytest.fixture
def plug_in(tmp_path, monkeypatch):
    """The documented adapter, in a module on the path."""
    (tmp_path / "shop_agent.py").write_text(printed("python"), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield "shop_agent:ShopAgent"
    sys.modules.pop("shop_agent", None)


@pytest.fixture
def installed(plug_in, tmp_path):
    """The documented package, installed: its file, and the entry that its metadata has."""
    project = tomllib.loads(printed("toml"))["project"]
    metadata = tmp_path / "shop_agent-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: shop-agent\nVersion: 1.0\n")
    [(group, entries)] = project["entry-points"].items()
    lines = [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines))


def test_a_new_adapter_takes_40_lines():
    assert len(list(filter(str.strip, printed("python").splitlines()))) <= 40


async def test_the_printed_plug_in_asks_and_answers(agent_server, ask, turn, plug_in):
    agent_server.says({"lines": ["Hello!", "How can I help?"]})

    parts = await ask(turn, plug_in)

    assert agent_server.bodies == [{"customer": "session-1", "lines": ["Where is my order?"]}]
    assert agent_server.asked[0].headers["Idempotency-Key"] == "turn-1"
    assert parts == [Text("Hello!"), MessageEnd(), Text("How can I help?"), MessageEnd()]


@pytest.mark.usefixtures("installed")
async def test_the_printed_package_adds_its_adapter_by_name(agent_server, ask, turn):
    agent_server.says({"lines": ["Hello!"], "person": "a refund"})

    parts = await ask(turn, "shop")

    assert parts == [Text("Hello!"), MessageEnd(), Handoff("a refund")]


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        pytest.param({"AK_AGENT__ADAPTER": "shop"}, "set the shop's address", id="its-needs"),
        pytest.param({"AK_AGENT__ADAPTER": "shopp"}, "did you mean shop?", id="mistyped"),
        pytest.param({"AK_AGENT__ADAPTER": "qqq"}, "echo, shop or module:object", id="unknown"),
    ],
)
def test_an_installed_adapter_is_part_of_the_settings_check(variables, problem):
    required = {
        "AK_INSTAGRAM__VERIFY_TOKEN": "a-verify-token",
        "AK_INSTAGRAM__ACCESS_TOKEN": "IGAA",
    }

    with pytest.raises(SettingsError) as caught:
        load({**required, **variables})

    assert any(problem in line for line in caught.value.problems)


@pytest.mark.parametrize(
    ("body", "error", "reason"),
    [
        pytest.param({"busy": True}, Transient, "busy", id="later"),
        pytest.param({"error": "closed"}, Permanent, "the server says: closed", id="error"),
        pytest.param({"texts": []}, Permanent, "no `lines`", id="other-shape"),
    ],
)
async def test_the_printed_plug_in_tells_later_from_never(
    agent_server, ask, turn, plug_in, body, error, reason
):
    agent_server.says(body)

    with pytest.raises(error, match=reason):
        await ask(turn, plug_in)


async def test_a_plug_in_is_kept_to_the_limits(agent_server, ask, turn, plug_in):
    agent_server.says({"lines": ["far too long"]})

    with pytest.raises(Permanent, match="max_answer"):
        await ask(turn, plug_in, max_answer=5)


async def test_a_plug_in_is_kept_to_the_time_out(agent_server, ask, turn, plug_in):
    agent_server.hangs()

    with pytest.raises(Transient, match=r"agent\.timeout"):
        await ask(turn, plug_in, timeout=0.1)


def test_the_printed_default_request_is_the_real_one():
    assert json.loads(printed("json")) == DEFAULT_REQUEST
