"""The demo's service is told all that it needs, by its environment alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from ak_instagram.cli.demo import demo_service, with_agent
from ak_instagram.errors import SettingsError
from instagram_simulator.demo.service import MetaSide

META = MetaSide("http://127.0.0.1:8001", "verify", "IGAAdemo", "secret")


@pytest.fixture(autouse=True)
def _no_settings_file(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def service(environ):
    return demo_service(environ, META, 8000, Path("/somewhere"))


def test_a_real_account_stays_out_of_the_demo():
    told = service(
        {
            "PATH": "/bin",
            "AK_INSTAGRAM__ACCESS_TOKEN": "IGAAreal",
            "AK_INSTAGRAM__ACCESS_TOKEN_FILE": "/run/token",
            "AK_STORE__URL": "postgresql://real",
        }
    ).environ

    assert "IGAAreal" not in told.values()
    assert "AK_INSTAGRAM__ACCESS_TOKEN_FILE" not in told
    assert told["AK_STORE__URL"] == "sqlite:////somewhere/demo.db"
    assert (told["PATH"], told["AK_INSTAGRAM__REQUIRE_SIGNATURE"]) == ("/bin", "true")


@pytest.mark.parametrize(
    ("environ", "adapter"),
    [
        pytest.param({}, "echo", id="nothing-configured"),
        pytest.param({"AK_AGENT__URL": "http://localhost:1"}, "agentkernel", id="a-server"),
        pytest.param({"OPENAI_API_KEY": "k", "AK_AGENT__MODEL": "m"}, "openai-chat", id="a-key"),
        pytest.param(
            {"AK_AGENT__ADAPTER": "http", "AK_AGENT__URL": "http://localhost:1"}, "http", id="named"
        ),
    ],
)
def test_the_users_agent_answers_if_there_is_one(environ, adapter):
    assert service(environ).agent == adapter


def test_a_settings_file_may_configure_the_agent(tmp_path):
    (tmp_path / "config.yaml").write_text("agent:\n  url: http://localhost:1\n")

    assert service({}).agent == "agentkernel"


def test_an_agent_that_lacks_something_is_not_replaced():
    with pytest.raises(SettingsError):
        service({"AK_AGENT__ADAPTER": "http"})


def test_the_command_line_names_the_agent():
    chosen = with_agent({"AK_AGENT__ADAPTER": "echo"}, "http", "http://localhost:1")

    assert service(chosen).agent == "http"


@pytest.mark.parametrize(
    ("environ", "options", "told"),
    [
        pytest.param(
            {"OPENAI_API_KEY": "sk-1"},
            {"model": "gpt-5.4-mini"},
            {"AK_AGENT__ADAPTER": "openai-chat", "AK_AGENT__MODEL": "gpt-5.4-mini"},
            id="openai",
        ),
        pytest.param(
            {"AK_AGENT__ADAPTER": "echo"},
            {"model": "llama3.3", "agent_url": "http://localhost:11434/v1"},
            {"AK_AGENT__ADAPTER": "openai-chat", "AK_AGENT__URL": "http://localhost:11434/v1"},
            id="a-compatible-server",
        ),
        pytest.param(
            {"AK_AGENT__URL": "http://localhost:1"},
            {"reply": "We open at nine."},
            {"AK_AGENT__INSTRUCTIONS": "We open at nine."},
            id="a-fixed-reply",
        ),
    ],
)
def test_a_model_or_a_fixed_reply_is_an_agent(environ, options, told):
    environ = service(with_agent(environ, **options)).environ

    assert environ.items() >= told.items()


def test_a_model_without_a_key_is_refused():
    with pytest.raises(SettingsError, match="api_key"):
        service(with_agent({}, model="gpt-5.4-mini"))
