"""What the chart gives to the service is what the service reads."""

from __future__ import annotations

import json
import re
from math import ceil
from pathlib import Path

import pytest

from ak_instagram.settings.keys import path_of
from ak_instagram.settings.model import ACCOUNT_KEYS, KEYS, ServerSettings
from tests.repository.chart.rendering import CHART, ROOT, Release, render_set, render_with
from tests.support.settings import load

SCHEMA = json.loads((CHART / "values.schema.json").read_text())

# Of the settings that are no secrets, the chart decides these itself.
DECIDED = {"server.port", "instagram.require_signature"}
# … and these are named by files inside `config`.
ACCOUNT_SECRETS = {"access_token", "app_secret"}


def environ_in(folder: Path, release: Release) -> dict[str, str]:
    """Return the container's variables, with every file that is mounted in *folder*."""
    moved = {"/run/secrets": str(folder), "/etc/ak-instagram": str(folder)}
    variables = {**image_variables(), **release.env}
    for inside, outside in moved.items():
        variables = {name: value.replace(inside, outside) for name, value in variables.items()}
    config = release.config.replace("/run/secrets", str(folder))
    (folder / "config.yaml").write_text(config)
    named = [value for name, value in variables.items() if name.endswith("_FILE")]
    for file in map(Path, named + re.findall(r"_file: (\S+)", config)):
        file.parent.mkdir(exist_ok=True)
        file.write_text(secret_for(file.name))
    return variables


def image_variables() -> dict[str, str]:
    """Return what the image sets; the container's variables are above it."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    found = dict(re.findall(r"^(?:ENV|   ) ?(AK_\w+)=(\S+)", dockerfile, re.M))
    assert "AK_INSTAGRAM__REQUIRE_SIGNATURE" in found
    return found


def secret_for(key: str) -> str:
    """Return something that fits the Secret's *key*."""
    fitting = {
        "store_url": "postgresql://user:password@db:5432/instagram",
        "uri": "postgresql://user:password@db:5432/instagram",
        "agent-headers": '{"X-Api-Key": "secret"}',
        "agent-callback-secret": "the-agents-own-secret",
    }
    return fitting.get(key, f"secret-{key}")


@pytest.fixture
def settings(release, tmp_path):
    """The settings that the service has in the release's pods."""
    return load(environ_in(tmp_path, release))


def test_the_service_starts_with_what_it_gets(release, settings):
    accounts = release.values["config"].get("instagram", {}).get("accounts", [])
    main = bool(release.values["secret"]["keys"]["accessToken"])

    assert len(settings.instagram.all_accounts) == main + len(accounts)
    assert settings.instagram.app_secrets
    assert release.env["AK_INSTAGRAM__REQUIRE_SIGNATURE"] == "true"


def test_the_store_is_the_one_that_was_chosen(release, settings):
    assert settings.store.url.startswith(release.values["store"]["type"])


def test_the_service_listens_where_it_is_asked(release, settings):
    [port] = release.container["ports"]

    assert port == {"name": "http", "containerPort": settings.server.port}
    assert f"EXPOSE {settings.server.port}\n" in (ROOT / "Dockerfile").read_text()
    assert release.env["AK_SERVER__PORT"] == str(
        settings.server.port
    )  # above what `extraEnvFrom` has


def test_a_pod_has_the_time_that_stopping_takes(release, settings):
    pause = release.container["lifecycle"]["preStop"]["sleep"]["seconds"]
    grace = release.pod["spec"]["terminationGracePeriodSeconds"]

    open_requests = 5
    assert grace > pause + open_requests + settings.server.drain
    assert pause == release.values["preStopSeconds"]


def test_the_time_to_stop_follows_the_services_default():
    spec = render_set("preStopSeconds=0").pod["spec"]

    assert spec["terminationGracePeriodSeconds"] == ceil(ServerSettings().drain) + 15
    assert "lifecycle" not in spec["containers"][0]


def test_a_longer_time_to_stop_may_be_set():
    spec = render_set("terminationGracePeriodSeconds=120").pod["spec"]

    assert spec["terminationGracePeriodSeconds"] == 120


def test_every_variable_is_a_setting(release):
    names = {key.name for key in KEYS} | {"config"}
    ours = [name for name in release.env if name.startswith("AK_")]

    assert {path_of(name).removesuffix("_file") for name in ours} <= names


def test_values_reach_the_service_as_they_were_given(tmp_path):
    agent = {"adapter": "echo", "max_answer": 1048576, "timeout": 1.5, "fallback": ""}

    got = load(environ_in(tmp_path, render_with({"config": {"agent": agent}}))).agent

    assert (got.max_answer, got.timeout, got.fallback) == (1048576, 1.5, "")


# --- the schema of `config` and the table of settings ------------------------


def config_schema() -> dict[str, dict]:
    """Return the schema of every setting in `config` by its path."""
    sections = SCHEMA["properties"]["config"]["properties"]
    return {
        f"{section}.{name}": schema
        for section, keys in sections.items()
        for name, schema in keys["properties"].items()
        if not schema.get("$ref", "").endswith("inTheSecret")  # refused, with the way to go
    }


def test_config_takes_every_setting_that_is_no_secret():
    settings = {key.name for key in KEYS if not key.secret} | {"instagram.accounts"}

    assert config_schema().keys() == settings - DECIDED


def test_an_account_takes_its_settings_and_the_files_of_its_secrets():
    accounts = config_schema()["instagram.accounts"]["items"]["properties"]

    wanted = {
        f"{key.name}_file" if key.name in ACCOUNT_SECRETS else key.name for key in ACCOUNT_KEYS
    }
    assert accounts.keys() == wanted


def test_config_takes_every_default_and_it_changes_nothing(tmp_path):
    config: dict[str, dict] = {"agent": {"adapter": "echo"}}
    for path in config_schema():
        section, _, name = path.partition(".")
        default = next(key.shipped or key.default for key in KEYS if key.name == path)
        if default is not None:
            config.setdefault(section, {})[name] = list(default) if default == () else default

    explicit = load(environ_in(tmp_path, render_with({"config": config})))

    assert explicit == load(environ_in(tmp_path, render_set()))
