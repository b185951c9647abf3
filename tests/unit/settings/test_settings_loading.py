"""What file and environment say comes out typed, and texts exactly as they were written."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace

import pytest

from ak_instagram.settings.model import (
    KEYS,
    Account,
    AgentSettings,
    InstagramSettings,
    ServerSettings,
    Settings,
)
from ak_instagram.settings.value_types import TOOLS
from tests.support.settings import explain, load

TRICKY = ["12e4", "true", "0123", "@format x", "@none", "[a]", "a#b", "{}", '"quoted"', " x ", "é"]


def test_the_least_that_loads_has_every_default(environ):
    assert load(environ) == Settings(
        instagram=InstagramSettings(verify_token="the-verify-token", access_token="IGAA-main"),
        agent=AgentSettings(adapter="echo"),
    )


@pytest.mark.parametrize("written", TRICKY)
def test_a_text_in_the_environment_comes_out_as_written(environ, written):
    environ["AK_AGENT__INSTRUCTIONS"] = written

    assert load(environ).agent.instructions == written


@pytest.mark.parametrize("written", ["@format x", "@none", "[a]", "a#b", "{}", "12e4", "0123"])
def test_a_quoted_text_in_the_file_comes_out_as_written(environ, folder, written):
    del environ["AK_INSTAGRAM__VERIFY_TOKEN"]
    (folder / "config.yaml").write_text(f"instagram: {{verify_token: '{written}'}}")

    assert load(environ).instagram.verify_token == written


@pytest.mark.parametrize(
    ("variable", "raw", "value"),
    [
        pytest.param("AK_SERVER__PORT", "0", 0, id="integer"),
        pytest.param("AK_AGENT__TIMEOUT", "1.5", 1.5, id="number"),
        pytest.param("AK_AGENT__TIMEOUT", "90", 90.0, id="number-without-point"),
        pytest.param("AK_LOGS__LEVEL", "DEBUG", "debug", id="choice-in-capitals"),
        pytest.param("AK_AGENT__HEADERS", '{"X-A": "b"}', {"X-A": "b"}, id="json-object"),
        pytest.param("AK_AGENT__HEADERS", '{X-A = "b"}', {"X-A": "b"}, id="toml-table"),
        pytest.param("AK_AGENT__REQUEST", '{"q": ["{text}"]}', {"q": ["{text}"]}, id="nested"),
        pytest.param("AK_AGENT__HEADERS__AUTHORIZATION", "B", {"authorization": "B"}, id="item"),
        pytest.param("AK_AGENT__FALLBACK", "", "", id="empty-fallback-is-silence"),
        pytest.param("AK_AGENT__REPLY", "", "", id="empty-reply-is-all-of-it"),
        pytest.param(
            "AK_AGENT__OUTCOMES", '{"a.b == C": "later"}', {"a.b == C": "later"}, id="outcomes"
        ),
        pytest.param("AK_AGENT__RETRY_STATUSES", "429, 5XX", ("429", "5xx"), id="statuses"),
        pytest.param("AK_AGENT__RETRY_STATUSES", '["429", 503]', ("429", "503"), id="listed"),
        pytest.param("AK_AGENT__TOOLS", "React, hand_off", ("react", "hand_off"), id="tools"),
        pytest.param("AK_AGENT__TOOLS", '["react"]', ("react",), id="tools-listed"),
        pytest.param("AK_AGENT__TOOLS", "none", (), id="no-tools"),
        pytest.param("AK_AGENT__TOOLS", "all", TOOLS, id="all-tools"),
        pytest.param("AK_AGENT__MAX_BODY", "4194304", 4194304, id="integer-or-none"),
        pytest.param("AK_SERVER__PORT", "", 8000, id="empty-is-not-set"),
        pytest.param("AK_INSTAGRAM__GRAPH_URL", "http://x:1/", "http://x:1", id="no-slash-at-end"),
    ],
)
def test_a_variable_is_read_as_its_key_is_meant(environ, variable, raw, value):
    environ[variable] = raw

    section, key = variable.removeprefix("AK_").lower().split("__")[:2]

    assert getattr(getattr(load(environ), section), key) == value


@pytest.mark.parametrize("raw", ["false", "Off", "no", "0"])
def test_a_flag_is_read_as_people_write_it(environ, raw):
    environ["AK_INSTAGRAM__REQUIRE_SIGNATURE"] = raw

    [flag] = [it for it in explain(environ) if it.path == "instagram.require_signature"]

    assert flag.value is False


def test_the_environment_is_above_the_file(environ, folder):
    (folder / "config.yaml").write_text("server: {Port: 1, HOST: file}")
    environ["AK_SERVER__PORT"] = "2"

    assert load(environ).server == ServerSettings(host="file", port=2)


def test_conditions_in_the_file_keep_their_order_and_their_dots(environ, folder):
    lines = ["agent:", "  outcomes:", "    result.status == PAUSED: handoff"]
    lines += ["    Result.Status != COMPLETED: later", "  retry_statuses: [429, 5xx]"]
    (folder / "config.yaml").write_text("\n".join(lines))

    agent = load(environ).agent

    assert list(agent.outcomes.items()) == [
        ("result.status == PAUSED", "handoff"),
        ("Result.Status != COMPLETED", "later"),
    ]
    assert agent.retry_statuses == ("429", "5xx")


def test_an_empty_variable_leaves_the_file_alone(environ, folder):
    (folder / "config.yaml").write_text("server: {port: 1}")
    environ["AK_SERVER__PORT"] = ""

    assert load(environ).server.port == 1


def test_an_empty_app_secret_takes_the_files_away(environ, folder):
    (folder / "config.yaml").write_text("instagram: {app_secret: old}")
    environ["AK_INSTAGRAM__APP_SECRET"] = ""

    assert load(environ).instagram.app_secrets == ()


def test_a_file_may_have_sections_and_keys_without_a_value(environ, folder):
    (folder / "config.yaml").write_text("agent:\nserver:\n  port:\n")

    assert load(environ).server.port == 8000


@pytest.mark.parametrize("how", ["argument", "variable"])
def test_another_file_can_be_named(environ, folder, how):
    (folder / "config.yaml").write_text("server: {port: 1}")
    other = folder / "other.yml"
    other.write_text("server: {port: 2}")
    environ |= {"AK_CONFIG": str(other)} if how == "variable" else {}

    assert load(environ, other if how == "argument" else None).server.port == 2


def test_the_file_of_local_changes_is_laid_over_the_file(environ, folder):
    (folder / "config.yaml").write_text("server: {port: 1, host: base}")
    (folder / "config.local.yaml").write_text("server: {port: 2}\ndynaconf_merge: true")

    assert load(environ).server == ServerSettings(host="base", port=2)


def test_a_dotenv_file_is_not_read(environ, folder):
    (folder / ".env").write_text("AK_SERVER__PORT=1")

    assert load(environ).server.port == 8000


def test_sections_of_others_are_left_alone(environ, folder):
    (folder / "config.yaml").write_text("api: {prot: 1}\nsession: {type: redis}\nagentic: x")
    environ |= {
        "AK_API__PROT": "1",
        "AK_SESSION__TYPE": "redis",
        "AK_DEBUG": "true",
        # What Kubernetes sets for Services that are called `ak-instagram` and `ak-server`.
        "AK_INSTAGRAM_PORT": "tcp://10.0.0.1:8000",
        "AK_INSTAGRAM_SERVICE_HOST": "10.0.0.1",
        "AK_SERVER_PORT": "tcp://10.0.0.2:8000",
    }

    assert load(environ).server.port == 8000


# --- accounts ---------------------------------------------------------------


@pytest.mark.parametrize("name", ["ACCOUNT_ID", "INSTAGRAM_ACCOUNT_ID"])
def test_the_account_id_has_agent_kernels_name_too(environ, name):
    environ[f"AK_INSTAGRAM__{name}"] = "17841"

    assert load(environ).instagram.all_accounts == (Account("IGAA-main", "17841"),)


ACCOUNTS = {
    "json": {"AK_INSTAGRAM__ACCOUNTS": '[{"access_token": "12e4", "instagram_account_id": "2"}]'},
    "toml": {"AK_INSTAGRAM__ACCOUNTS": '[{access_token = "12e4", account_id = 2}]'},
    "indexed": {
        "AK_INSTAGRAM__ACCOUNTS___0__ACCESS_TOKEN": "12e4",
        "AK_INSTAGRAM__ACCOUNTS___0__ACCOUNT_ID": "2",
    },
}


@pytest.mark.parametrize("how", ACCOUNTS)
def test_accounts_follow_the_main_one_however_they_are_written(environ, how):
    environ |= {**ACCOUNTS[how], "AK_INSTAGRAM__AGENT": "general"}

    assert load(environ).instagram.all_accounts == (
        Account("IGAA-main", None, "general"),
        Account("12e4", "2", "general"),
    )


def test_accounts_may_stand_alone(environ):
    del environ["AK_INSTAGRAM__ACCESS_TOKEN"]
    environ["AK_INSTAGRAM__ACCOUNTS"] = '[{"access_token": "a", "agent": "sales"}]'

    assert load(environ).instagram.all_accounts == (Account("a", None, "sales"),)


def test_the_environment_adds_to_an_account_of_the_file(environ, folder):
    (folder / "config.yaml").write_text("instagram: {accounts: [{agent: sales}]}")
    environ["AK_INSTAGRAM__ACCOUNTS___0__ACCESS_TOKEN"] = "a"

    assert load(environ).instagram.all_accounts[1] == Account("a", None, "sales")


def test_app_secrets_are_gathered_in_order_without_repeats(environ):
    environ["AK_INSTAGRAM__APP_SECRET"] = "new, old,,new"
    environ["AK_INSTAGRAM__ACCOUNTS"] = '[{"access_token": "a", "app_secret": "other,old"}]'

    assert load(environ).instagram.app_secrets == ("new", "old", "other")


def test_app_secrets_of_the_file_may_be_a_list(environ, folder):
    (folder / "config.yaml").write_text("instagram: {app_secret: [new, old]}")

    assert load(environ).instagram.app_secrets == ("new", "old")


# --- the table and the values -----------------------------------------------


def test_the_values_own_defaults_are_the_tables(environ):
    """So that a value built in a test is what the service would have."""
    settings = load(environ)
    defaults = {
        f"{section.name}.{key.name}": key.default
        for section in fields(settings)
        for key in fields(getattr(settings, section.name))
    }
    told = {key.name: key.default for key in KEYS if isinstance(key.default, (str, int, float))}

    assert {name: defaults[name] for name in told} == told


def test_no_secret_is_in_the_settings_repr(environ):
    environ |= {
        "AK_INSTAGRAM__APP_SECRET": "s3-app",
        "AK_INSTAGRAM__ACCOUNTS": '[{"access_token": "s3-other"}]',
        "AK_INSTAGRAM__VERIFY_TOKEN": "s3-verify",
        "AK_AGENT__API_KEY": "s3-agent",
        "AK_AGENT__HEADERS": '{"X-Key": "s3-header-key", "X-Client": "instagram"}',
        "AK_ADMIN__TOKEN": "s3-admin",
    }
    settings = load(environ)

    assert is_dataclass(settings)
    assert "s3-" not in repr(settings)
    assert "s3-" not in repr(explain(environ))
    assert set(settings.secrets) >= {
        "s3-app",
        "s3-other",
        "s3-verify",
        "s3-agent",
        "s3-header-key",
        "s3-admin",
    }
    assert "instagram" not in settings.secrets


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://bot:s3%40db@db/x",
        "postgresql://db/x?user=bot&password=s3%40db",
    ],
)
def test_the_stores_password_is_a_secret(environ, url):
    assert "s3@db" in load(environ | {"AK_STORE__URL": url}).secrets


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("postgresql://bot:a#secret@db/x", "a#secret"),
        ("postgresql://bot:a/secret@db/x", "a/secret"),
        ("postgresql://bot:a?secret@db/x", "a?secret"),
        ("postgresql://bot:[secret@db/x", "[secret"),
        ("postgresql://bot:a@b:secret@db/x", "a@b:secret"),
        ("postgresql://bot:a?secret@db/x?password=other", "other"),
        ("postgresql://bot:secret@db/x?application_name=a@b", "secret"),
        ("postgresql://db:5432/x?password=a@secret", "a@secret"),
    ],
)
def test_a_password_that_no_url_may_hold_is_a_secret_too(environ, url, password):
    settings = load(environ)

    assert password in replace(settings, store=replace(settings.store, url=url)).secrets
