"""docs/agents.md keeps its word: its plug-in works, and its default request is the real one."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from ak_instagram.agents.agent import MessageEnd, Text
from ak_instagram.agents.http import DEFAULT_REQUEST
from ak_instagram.errors import Permanent, Transient

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


async def test_the_printed_plug_in_asks_and_answers(agent_server, ask, turn, plug_in):
    agent_server.says({"lines": ["Hello!", "How can I help?"]})

    parts = await ask(turn, plug_in)

    assert agent_server.bodies == [{"customer": "session-1", "lines": ["Where is my order?"]}]
    assert agent_server.asked[0].headers["Idempotency-Key"] == "turn-1"
    assert parts == [Text("Hello!"), MessageEnd(), Text("How can I help?"), MessageEnd()]


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
