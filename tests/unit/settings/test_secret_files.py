"""Each secret can be read from a file that a variable or the settings file names."""

from __future__ import annotations

import pytest

from ak_instagram.errors import SettingsError
from ak_instagram.settings.model import KEYS
from tests.support.settings import explain, load

TEXTS = {
    "instagram.verify_token": "12e4 #",
    "instagram.accounts": '[{"access_token": "a"}]',
    "agent.headers": '{"X-A": "b"}',
    "store.encryption_key": "c2VjcmV0LWVuY3J5cHRpb24ta2V5LTMyLWJ5dGVzISE=",
    "store.url": "sqlite:///x.db",
}


def variable_of(name):
    return f"AK_{name.upper().replace('.', '__')}"


def found(environ, path):
    return next(each for each in explain(environ) if each.path == path)


@pytest.mark.parametrize("name", [key.name for key in KEYS if key.secret])
def test_a_secret_is_the_files_content_without_its_line_break(environ, folder, name):
    text = TEXTS.get(name, "s3cret")
    (folder / "secret").write_text(f"{text}\n")
    plain = environ | {variable_of(name): text}
    environ.pop(variable_of(name), None)
    environ[f"{variable_of(name)}_FILE"] = str(folder / "secret")

    assert found(environ, name).value == found(plain, name).value
    assert found(environ, name).source == f"{variable_of(name)}_FILE"


def test_the_settings_file_can_name_secret_files_too(environ, folder):
    (folder / "token").write_text("IGAA-other\r\n")
    (folder / "config.yaml").write_text(
        "instagram: {accounts: [{access_token_file: token}]}\nadmin: {token_file: token}"
    )

    settings = load(environ)

    assert settings.instagram.all_accounts[1].access_token == "IGAA-other"
    assert settings.admin.token == "IGAA-other"


def test_openais_own_variable_has_a_file_too(environ, folder):
    (folder / "key").write_text("sk-1\n")
    environ |= {"AK_AGENT__ADAPTER": "", "OPENAI_API_KEY_FILE": str(folder / "key")}

    assert load(environ).agent.api_key == "sk-1"


def test_a_file_that_the_environment_names_is_above_the_settings_file(environ, folder):
    (folder / "token").write_text("above")
    (folder / "config.yaml").write_text("admin: {token: below}")
    environ["AK_ADMIN__TOKEN_FILE"] = str(folder / "token")

    assert load(environ).admin.token == "above"


PROBLEMS = [
    pytest.param(
        {"AK_ADMIN__TOKEN_FILE": "s3cret-by-mistake"},
        "admin.token_file (AK_ADMIN__TOKEN_FILE): the file can't be read, No such file or "
        "directory; name a readable one that holds the secret alone",
        id="missing",
    ),
    pytest.param(
        {"AK_ADMIN__TOKEN_FILE": "empty"},
        "admin.token_file (AK_ADMIN__TOKEN_FILE): the file is empty; name a readable one that "
        "holds the secret alone",
        id="empty",
    ),
    pytest.param(
        {"AK_ADMIN__TOKEN_FILE": "binary"},
        "admin.token_file (AK_ADMIN__TOKEN_FILE): the file is not UTF-8; name a readable one "
        "that holds the secret alone",
        id="binary",
    ),
    pytest.param(
        {"AK_ADMIN__TOKEN_FILE": "lines"},
        "admin.token_file (AK_ADMIN__TOKEN_FILE): must have no blank, line break or non-ASCII "
        "character: paste it again; for example a-long-random-text",
        id="two-lines",
    ),
    pytest.param(
        {"AK_ADMIN__TOKEN_FILE": "lines", "AK_ADMIN__TOKEN": "t"},
        "admin.token (AK_ADMIN__TOKEN): is set beside admin.token_file (AK_ADMIN__TOKEN_FILE); "
        "keep one of them",
        id="both",
    ),
    pytest.param(
        {"OPENAI_API_KEY_FILE": "none", "AK_AGENT__ADAPTER": "openai-chat"},
        "OPENAI_API_KEY_FILE: the file can't be read, No such file or directory; name a readable "
        "one that holds the secret alone",
        id="openai",
    ),
]


@pytest.mark.parametrize(("variables", "problem"), PROBLEMS)
def test_a_file_without_a_secret_is_a_problem(environ, folder, variables, problem):
    (folder / "empty").write_text("\n")
    (folder / "binary").write_bytes(b"\xff")
    (folder / "lines").write_text("s3cret\ns3cret\n")

    with pytest.raises(SettingsError) as caught:
        load(environ | variables)

    assert caught.value.problems == [problem]


def test_an_openai_key_file_matters_only_to_openai(environ):
    environ["OPENAI_API_KEY_FILE"] = "none"

    assert load(environ).agent.api_key is None
