"""The demo's parts: what the service is told, what is said, how it is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from ak_instagram.errors import SettingsError
from instagram_simulator import Account
from instagram_simulator.demo.environment import adapter_of, service_environment, with_options
from instagram_simulator.demo.script import LONG, SCRIPT, is_echo_of
from instagram_simulator.demo.transcript import answered, asked

ACCOUNT = Account(access_token="IGAAdemo", app_secret="secret")


@pytest.fixture(autouse=True)
def _no_settings_file(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def environment(environ):
    return service_environment(
        environ,
        account=ACCOUNT,
        verify_token="verify",
        graph_url="http://127.0.0.1:8001",
        port=8000,
        directory=Path("/somewhere"),
    )


def test_a_real_account_stays_out_of_the_demo():
    told = environment(
        {
            "PATH": "/bin",
            "AK_INSTAGRAM__ACCESS_TOKEN": "IGAAreal",
            "AK_INSTAGRAM__ACCESS_TOKEN_FILE": "/run/token",
            "AK_STORE__URL": "postgresql://real",
        }
    )

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
    assert adapter_of(environment(environ)) == adapter


def test_a_settings_file_may_configure_the_agent(tmp_path):
    (tmp_path / "config.yaml").write_text("agent:\n  url: http://localhost:1\n")

    assert adapter_of(environment({})) == "agentkernel"


def test_an_agent_that_lacks_something_is_not_replaced():
    with pytest.raises(SettingsError):
        environment({"AK_AGENT__ADAPTER": "http"})


def test_the_command_line_names_the_agent():
    chosen = with_options({"AK_AGENT__ADAPTER": "echo"}, "http", "http://localhost:1")

    assert adapter_of(environment(chosen)) == "http"


@pytest.mark.parametrize(
    ("pieces", "is_whole"),
    [
        pytest.param(["one two three"], True, id="in-one"),
        pytest.param(["one", "two\nthree"], True, id="cut-at-white-space"),
        pytest.param(["one"], False, id="not-yet"),
        pytest.param(["three", "one two"], False, id="out-of-order"),
        pytest.param(["one two three", "three"], False, id="something-twice"),
    ],
)
def test_an_echo_is_whole_when_every_word_is_there_in_order(pieces, is_whole):
    assert is_echo_of("one two three", pieces) is is_whole


def test_the_script_needs_several_pieces_and_several_bytes_a_character():
    assert len(LONG.encode()) > 1000
    assert any(len(text.encode()) > len(text) for text in SCRIPT)


def test_a_long_text_is_shown_by_its_beginning_and_its_size():
    shown = asked("word " * 500)

    assert "2,500 bytes" in shown
    assert shown.count("\n") == 2


def test_an_answer_has_its_time():
    assert answered("Hi", 41.4).endswith("+41 ms\x1b[0m")
