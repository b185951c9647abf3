"""The commands, their exit codes, and what they show to whom."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ak_instagram import __version__
from ak_instagram.cli import main
from ak_instagram.cli.people.dead_letters import text_in

SETTINGS = {
    "AK_INSTAGRAM__VERIFY_TOKEN": "verify-s3cret",
    "AK_INSTAGRAM__ACCESS_TOKEN": "IGAA-s3cret",
    "AK_INSTAGRAM__APP_SECRET": "first-s3cret,second-s3cret",
    "AK_AGENT__ADAPTER": "echo",
}
OPERATIONS = Path(__file__).parents[3] / "docs/operations.md"
COMMANDS = sorted(main.commands)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command in an empty folder with the variables it is given and no others of ours."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("AK_", "OPENAI_"))]:
        monkeypatch.delenv(name)

    def run(*args, **variables):
        return CliRunner().invoke(main, list(map(str, args)), env=variables)

    return run


def test_the_version_is_the_packages(run):
    assert run("--version").output == f"ak-instagram, version {__version__}\n"


def test_the_help_lists_every_command_and_the_exit_codes(run):
    output = run("--help").output

    assert all(f"\n  {command} " in output for command in COMMANDS)
    assert "0 done, 1 found a problem, 2 wrong usage or settings" in output


@pytest.mark.parametrize("command", ["serve", "check-config", "sign"])
def test_a_commands_help_has_an_example(run, command):
    result = run(command, "--help")

    assert result.exit_code == 0
    assert f"Example: ak-instagram {command}" in result.output


@pytest.mark.parametrize("args", [["serve"], ["check-config"]])
def test_wrong_settings_end_a_command_with_2_and_a_line_for_each_problem(run, args):
    result = run(*args, AK_SERVER__PORT="x", AK_AGENT__ADAPTER="echo")

    assert result.exit_code == 2
    assert result.stdout == ""
    assert [line.split(" ")[0] for line in result.stderr.splitlines()] == [
        "server.port",
        "instagram.verify_token",
        "instagram.access_token",
    ]


@pytest.mark.parametrize("command", ["demo", "simulator"])
def test_without_the_simulator_a_command_says_how_to_get_it(run, monkeypatch, command):
    monkeypatch.setitem(sys.modules, "instagram_simulator", None)  # as if not installed

    result = run(command)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert "pip install instagram-simulator" in result.stderr


@pytest.mark.parametrize("args", [["bogus"], ["serve", "--bogus"], ["sign"], ["sign", "none.json"]])
def test_wrong_usage_ends_with_2(run, args):
    assert run(*args).exit_code == 2


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        pytest.param(["--port", "99999"], "99999 is not in the range 0<=x<=65535", id="port"),
        pytest.param(["--webhook", "nonsense"], "starts with http:// or https://", id="webhook"),
    ],
)
def test_a_simulator_that_could_not_work_does_not_start(run, args, reason):
    result = run("simulator", *args)

    assert result.exit_code == 2
    assert reason in result.stderr


def test_python_m_is_the_same_command():
    command = [sys.executable, "-m", "ak_instagram", "--version"]

    assert subprocess.check_output(command, text=True).startswith("ak-instagram, version")


# --- what documents declare ---------------------------------------------------


@pytest.mark.parametrize("section", ["profile", "comments"])
def test_a_section_of_the_operations_page_can_be_used_as_it_is(run, tmp_path, section):
    blocks = re.findall(r"^```yaml\n(.*?)^```", OPERATIONS.read_text(), re.M | re.S)
    [declared] = [block for block in blocks if block.startswith(f"{section}:\n")]
    (tmp_path / "config.yaml").write_text(declared)

    result = run("check-config", **SETTINGS)

    assert result.exit_code == 0, result.output
    assert f"\n{section}." in result.output
    assert "config.yaml" in result.output


# --- check-config -----------------------------------------------------------


def rows(result):
    return {line.split("  ")[0]: line.split()[1:] for line in result.output.splitlines()}


def test_check_config_shows_values_and_where_they_come_from(run, tmp_path):
    (tmp_path / "config.yaml").write_text("server: {host: 127.0.0.1}")

    result = run("check-config", **SETTINGS, AK_SERVER__PORT="0")

    assert result.exit_code == 0
    assert rows(result)["server.port"] == ["0", "AK_SERVER__PORT"]
    assert rows(result)["server.host"] == ["127.0.0.1", "config.yaml"]
    assert rows(result)["sender.rate"] == ["100", "default"]
    assert rows(result)["instagram.require_signature"] == ["false", "default"]
    assert rows(result)["agent.model"] == ["not", "set", "default"]
    assert rows(result)["store.url"] == ["sqlite:///data/ak-instagram.db", "default"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        pytest.param("sqlite:////data/my:own@home.db", "sqlite:////data/my:own@home.db", id="file"),
        pytest.param("postgresql://bot@db/x", "postgresql://bot@db/x", id="no-password"),
        pytest.param("postgresql://bot:pw-s3cret@db/x", "postgresql://bot:***@db/x", id="password"),
        pytest.param("postgresql://bot:p/w:s3cret@db", "postgresql://bot:***@db", id="not-encoded"),
        pytest.param(
            "postgresql://db/x?password=pw-s3cret&ssl=require",
            "postgresql://db/x?password=***&ssl=require",
            id="password-as-a-parameter",
        ),
    ],
)
def test_check_config_shows_the_stores_url_without_its_password(run, url, shown):
    result = run("check-config", **SETTINGS, AK_STORE__URL=url)

    assert rows(result)["store.url"] == [shown, "AK_STORE__URL"]


def test_check_config_shows_no_key_in_the_agents_url_or_request(run):
    url, request = "http://agent/v1?key=s3cret", '{"text": "{text}", "key": "s3cret"}'

    result = run("check-config", **SETTINGS, AK_AGENT__URL=url, AK_AGENT__REQUEST=request)

    assert rows(result)["agent.url"] == ["http://agent/v1?***", "AK_AGENT__URL"]
    assert rows(result)["agent.request"] == ["set", "(2", "values)", "AK_AGENT__REQUEST"]
    assert "s3cret" not in result.output


def test_check_config_shows_the_beginning_of_what_is_long(run):
    result = run("check-config", **SETTINGS, AK_AGENT__URL=f"http://agent/{'x' * 100}")

    assert rows(result)["agent.url"] == [f"http://agent/{'x' * 45}", "…", "AK_AGENT__URL"]


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({"AK_AGENT__ADAPTER": "my.mod:Thing"}, id="a-plug-in-that-is-not-there"),
        pytest.param(
            {
                "AK_AGENT__ADAPTER": "http",
                "AK_AGENT__URL": "http://agent",
                "AK_AGENT__REQUEST": '{"a": "{txt}"}',
            },
            id="a-placeholder-that-does-not-exist",
        ),
    ],
)
def test_check_config_refuses_an_agent_that_serve_would_refuse(run, variables):
    checked = run("check-config", **SETTINGS | variables)
    served = subprocess.run(
        [sys.executable, "-m", "ak_instagram", "serve"],
        env=os.environ | SETTINGS | variables | {"AK_SERVER__PORT": "0"},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )

    assert (checked.exit_code, served.returncode) == (2, 2)
    assert checked.stdout == ""
    assert checked.stderr.startswith("agent.")
    assert served.stderr.endswith(checked.stderr)


def test_check_config_says_what_was_inferred(run):
    variables = SETTINGS | {"AK_AGENT__ADAPTER": "", "OPENAI_API_KEY": "sk-s3cret"}

    found = rows(run("check-config", **variables))

    assert found["agent.adapter"] == ["openai-chat", "inferred", "from", "OPENAI_API_KEY"]
    assert found["agent.api_key"] == ["set", "(9", "characters)", "OPENAI_API_KEY"]


def test_check_config_says_that_the_url_is_openais_variable(run):
    variables = SETTINGS | {"AK_AGENT__ADAPTER": "", "OPENAI_API_KEY": "k", "AK_AGENT__MODEL": "m"}

    found = rows(run("check-config", **variables, OPENAI_BASE_URL="http://litellm:4000/v1"))

    assert found["agent.url"] == ["http://litellm:4000/v1", "OPENAI_BASE_URL"]


def test_check_config_shows_no_secret(run):
    accounts = '[{"access_token": "s3cret", "agent": "sales"}]'

    result = run("check-config", **SETTINGS, AK_INSTAGRAM__ACCOUNTS=accounts)

    assert "s3cret" not in result.output
    assert rows(result)["instagram.verify_token"][:3] == ["set", "(13", "characters)"]
    assert rows(result)["instagram.app_secret"][:3] == ["set", "(2", "values)"]
    assert rows(result)["instagram.accounts[0].access_token"][:3] == ["set", "(6", "characters)"]
    assert rows(result)["instagram.accounts[0].agent"][0] == "sales"


def test_check_config_reads_the_file_it_is_given(run, tmp_path):
    (tmp_path / "other.yaml").write_text("server: {port: 1}")

    result = run("check-config", "--config", tmp_path / "other.yaml", **SETTINGS)

    assert rows(result)["server.port"][0] == "1"


# --- sign -------------------------------------------------------------------

BODY = b'{"object": "instagram",\n "text": "\\u00e9"}'


def signature(secret):
    return "sha256=" + hmac.new(secret, BODY, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("name", ["payload.json", "it's a payload.json"])
def test_sign_prints_a_curl_that_posts_the_file_signed(run, tmp_path, name):
    (tmp_path / name).write_bytes(BODY)
    (tmp_path / "secret").write_text("from-a-file\n")

    result = run("sign", name, "--secret-file", "secret", "--url", "http://x/y?a=1&b=2")

    assert result.exit_code == 0
    assert shlex.split(result.output) == [
        "curl",
        "--silent",
        "--show-error",
        "--include",
        "--header",
        "Content-Type: application/json",
        "--header",
        f"X-Hub-Signature-256: {signature(b'from-a-file')}",
        "--data-binary",
        f"@{name}",
        "http://x/y?a=1&b=2",
    ]


def test_sign_takes_the_settings_first_secret(run, tmp_path):
    (tmp_path / "payload.json").write_bytes(BODY)

    result = run("sign", "payload.json", **SETTINGS)

    assert signature(b"first-s3cret") in result.output
    assert "s3cret" not in result.output


def test_sign_needs_nothing_but_a_secret(run, tmp_path):
    (tmp_path / "payload.json").write_bytes(BODY)

    result = run("sign", "payload.json", AK_INSTAGRAM__APP_SECRET="first-s3cret")

    assert result.exit_code == 0
    assert signature(b"first-s3cret") in result.output


def test_sign_reports_what_is_wrong_in_the_settings_that_it_reads(run):
    result = run("sign", __file__, AK_INSTAGRAM__APP_SECRET_FILE="none")

    assert result.exit_code == 2
    assert result.stderr.startswith("instagram.app_secret_file")


@pytest.mark.parametrize("content", ["new-s3cret,old-s3cret\n", " new-s3cret \n", "new-s3cret\r\n"])
def test_sign_reads_a_file_of_secrets_as_the_service_does(run, tmp_path, content):
    (tmp_path / "payload.json").write_bytes(BODY)
    (tmp_path / "secrets").write_bytes(content.encode())

    result = run("sign", "payload.json", "--secret-file", "secrets")

    assert signature(b"new-s3cret") in result.output


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"\n", "holds no secret", id="empty"),
        pytest.param(b",", "holds no secret", id="commas-alone"),
        pytest.param(b"\xff", "is not UTF-8", id="not-text"),
    ],
)
def test_sign_refuses_a_file_without_a_secret(run, tmp_path, content, reason):
    (tmp_path / "payload.json").write_bytes(BODY)
    (tmp_path / "secret").write_bytes(content)

    result = run("sign", "payload.json", "--secret-file", "secret")

    assert result.exit_code == 2
    assert f"Invalid value for '--secret-file': secret {reason}" in result.stderr


def test_sign_says_that_there_is_nothing_to_sign_with(run, tmp_path):
    (tmp_path / "payload.json").write_bytes(BODY)

    result = run("sign", "payload.json", **SETTINGS | {"AK_INSTAGRAM__APP_SECRET": ""})

    assert result.exit_code == 2
    assert "use --secret-file" in result.stderr


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        pytest.param('{"message":{"mid":"m1","text":"Hi"}}', "Hi", id="message"),
        pytest.param('{"message_edit":{"mid":"m1","text":"Ho","num_edit":1}}', "Ho", id="edit"),
        pytest.param('{"postback":{"title":"Yes","payload":"YES"}}', "Yes", id="tap"),
        pytest.param('{"text":"We open at nine."}', "We open at nine.", id="piece"),
        pytest.param('{"message":{"attachments":[{"type":"image"}]}}', "(no text)", id="picture"),
    ],
)
def test_a_dead_letter_is_shown_by_its_text(payload, text):
    assert text_in(payload) == text
