"""The published Agent Kernel runs the example's agent, and a DM is answered through it."""

from __future__ import annotations

import json
import subprocess

import pytest
import pytest_asyncio

from ak_instagram.settings.model import KEYS, SECTIONS, AgentSettings
from qa.support.processes import free_port, variable
from tests.support.agent_kernel import environment, served
from tests.support.fake_openai import API_KEY, fake_openai
from tests.support.settings import load
from tests.support.stage import open_stage

pytestmark = [
    pytest.mark.agents,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(240),  # the first test makes Agent Kernel's environment
]

PICTURE = "https://cdn.example/picture.jpg"
VOICE_NOTE = "https://cdn.example/voice.m4a"


@pytest.fixture(scope="module")
def python(request):
    """The Python of Agent Kernel's environment."""
    return environment(request.config.cache.mkdir("agent-kernel"))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running_openai():
    async with fake_openai() as openai:
        yield openai


@pytest.fixture
def openai(running_openai):
    """The model's side as new."""
    running_openai.forget()
    return running_openai


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["stream", "rest_sync"])
async def running_stage(request, python, running_openai, tmp_path_factory):
    """Service and Agent Kernel, both in the one environment that a shared `.env` makes."""
    port = str(free_port())
    settings = {
        "agent__adapter": "agentkernel",
        "agent__url": f"http://127.0.0.1:{port}",
        "instagram__agent": "general",
        "api__host": "127.0.0.1",
        "api__port": port,
        "execution__mode": request.param,
        "session__type": "in_memory",
    }
    async with open_stage(tmp_path_factory.mktemp("stage"), **settings) as stage:
        shared = {variable(key): value for key, value in stage.service.settings.items()}
        model = {"OPENAI_API_KEY": API_KEY, "OPENAI_BASE_URL": running_openai.url}
        async with served(python, shared | model):
            yield stage


def said(items: list[dict]) -> list[str]:
    """Return the texts of a request's items, in order."""
    contents = (item["content"] for item in items)
    return [each if isinstance(each, str) else each[0].get("text", "") for each in contents]


async def test_a_dm_is_answered_by_the_agent_behind_agent_kernel(stage, openai):
    mia = stage.person()

    stage.meta.phones.say(mia, "Where is my order?")
    await stage.until_answered(mia)

    assert stage.answers(mia) == ["You said: Where is my order?"]
    [asked] = openai.asked
    assert "on Instagram" in asked["instructions"]


async def test_the_agent_remembers_its_conversation_and_no_other(stage, openai):
    mia, ben = stage.person(), stage.person()
    stage.meta.phones.say(mia, "I am looking for shoes")
    await stage.until_answered(mia)
    stage.meta.phones.say(ben, "Do you ship to Norway?")
    await stage.until_answered(ben)

    stage.meta.phones.say(mia, "In size 42")
    await stage.until_answered(mia, 2)

    assert said(openai.asked[-1]["input"]) == [
        "I am looking for shoes",
        "You said: I am looking for shoes",
        "In size 42",
    ]


async def test_a_structured_answer_is_what_it_says_and_a_tap_comes_back(stage, openai):
    mia = stage.person()
    red = {"title": "Red", "payload": "RED"}
    message = {"text": "Which one?", "quick_replies": [red]}
    openai.will_say(json.dumps({"messages": ["Sure.", message]}, indent=2))
    stage.meta.phones.say(mia, "I want shoes")
    await stage.until_answered(mia, 2)
    [chip] = stage.meta.applied(mia)[1].content.quick_replies

    stage.meta.phones.tap_quick_reply(mia, chip["title"], chip["payload"])
    await stage.until_answered(mia, 3)

    assert (chip["title"], chip["payload"]) == ("Red", "RED")
    assert stage.answers(mia) == ["Sure.", "Which one?", "You said: Red"]


async def test_a_picture_is_shown_once_since_its_link_expires(stage, openai):
    mia = stage.person()
    stage.meta.phones.attach(mia, "image", PICTURE, text="Is this still available?")
    await stage.until_answered(mia)

    stage.meta.phones.say(mia, "Hello?")
    await stage.until_answered(mia, 2)

    first, second = (json.dumps(asked["input"]) for asked in openai.asked)
    assert PICTURE in first
    assert PICTURE not in second
    assert "Is this still available?" in second


async def test_a_voice_note_is_told_and_not_sent_as_a_document(stage, openai):
    mia = stage.person()

    stage.meta.phones.attach(mia, "audio", VOICE_NOTE)
    await stage.until_answered(mia)

    [asked] = openai.asked
    assert said(asked["input"]) == [f"[audio] {VOICE_NOTE}"]


async def test_a_model_that_refuses_its_key_is_not_asked_again_and_nobody_is_told(stage, openai):
    mia = stage.person()
    openai.will_fail(401)

    stage.meta.phones.say(mia, "Where is my order?")
    line = await stage.service.until_logged(lambda it: it["event"] == "turn.dead_lettered")
    await stage.until_answered(mia)

    assert "credentials are refused" in line["reason"]
    assert stage.answers(mia) == [AgentSettings("echo").fallback]
    assert len(openai.asked) == 1


# --- one .env for both ------------------------------------------------------

LIST_SETTINGS = """
import json
from agentkernel.core.config import AKConfig
instagram = AKConfig.model_fields["instagram"].annotation
print(json.dumps([list(AKConfig.model_fields), list(instagram.model_fields)]))
"""


@pytest.fixture(scope="module")
def names(python):
    """The sections of Agent Kernel's settings, and the keys of its `instagram`."""
    printed = subprocess.run([python, "-c", LIST_SETTINGS], capture_output=True, check=True).stdout
    sections, instagram = json.loads(printed)
    return sections, instagram


async def test_the_sections_of_agent_kernel_are_left_alone(names, tmp_path, monkeypatch):
    sections, _ = names
    monkeypatch.chdir(tmp_path)
    theirs = {f"AK_{section.upper()}__X": "1" for section in sections if section != "instagram"}
    needed = {
        "AK_INSTAGRAM__VERIFY_TOKEN": "t",
        "AK_INSTAGRAM__ACCESS_TOKEN": "IGAA",
        "AK_AGENT__ADAPTER": "echo",
    }

    load(theirs | needed)

    assert set(sections) & set(SECTIONS) == {"instagram"}


async def test_the_instagram_settings_of_agent_kernel_are_understood(names):
    _, theirs = names
    ours = {
        spelling for key in KEYS if key.name.startswith("instagram.") for spelling in key.spellings
    }

    assert set(theirs) - ours == {"outbound_adapter"}  # replaces a part of Agent Kernel's own
