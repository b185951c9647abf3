"""What Compose runs is hardened, reachable where it should be, and told its secrets by files."""

from __future__ import annotations

import re

import pytest

from ak_instagram.errors import SettingsError
from ak_instagram.settings.keys import variable
from ak_instagram.settings.model import KEYS
from instagram_simulator import ProfessionalAccount
from tests.support.compose import (
    ACCOUNT,
    MOUNTED,
    ROOT,
    SIMULATOR,
    interpolated,
    service_environment,
    variables,
)
from tests.support.settings import load

SERVICES = {**ACCOUNT["services"], "simulator": SIMULATOR["services"]["simulator"]}
EXAMPLE = ROOT / ".env.example"
ONCE_COMMENTED = re.compile(r"^# ([A-Z_]+)=", re.M)
# What Compose reads itself, and what the containers beside the service do.
NOT_OURS = {
    *("COMPOSE_FILE", "COMPOSE_PROFILES", "DOMAIN", "SERVICE_PORT"),
    *("AGENT_API_KEY_FILE", "STORE_URL_FILE", "OPENAI_DEFAULT_MODEL", "OPENAI_BASE_URL"),
}

each_service = pytest.mark.parametrize("name", SERVICES)


@pytest.fixture(autouse=True)
def _no_settings_file(tmp_path, monkeypatch):
    """Start where no `config.yaml` is, as the image does."""
    monkeypatch.chdir(tmp_path)


# --- what runs --------------------------------------------------------------


def test_a_container_for_each_profile():
    profiles = {name: service.get("profiles") for name, service in ACCOUNT["services"].items()}

    assert profiles == {
        "ak-instagram": None,
        "caddy": ["https"],
        "postgres": ["postgres"],
        "agent-kernel": ["agent-kernel"],
    }


@each_service
def test_it_can_change_nothing_but_its_volumes(name):
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "caddy" else [])
    assert not service.get("privileged")
    assert all(volume.split(":")[0].isalpha() for volume in service.get("volumes", []))


@each_service
def test_it_does_not_run_as_root(name):
    build = SERVICES[name].get("build")

    if build is None:
        assert SERVICES[name]["user"] in ("postgres", "10001:10001")
    else:
        folder, target = build_of(build)
        stage = stages((ROOT / folder / "Dockerfile").read_text())[target]
        assert re.findall(r"^USER (.*)$", stage, re.M) == ["10001:10001"]


def build_of(build):
    """Return the folder and the target of a `build`; without one it is the last stage."""
    return (build, None) if isinstance(build, str) else (build["context"], build["target"])


def stages(dockerfile):
    """Return the text of each stage by its name; the last has no name here."""
    found = re.findall(r"^FROM \S+(?: AS (\S+))?\n(.*?)(?=^FROM |\Z)", dockerfile, re.M | re.S)
    return dict(found) | {None: found[-1][1]}


@each_service
def test_it_comes_back_and_its_log_does_not_fill_the_disk(name):
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["logging"] == {"driver": "local"}


@each_service
def test_the_world_reaches_caddy_alone(name):
    ports = SERVICES[name].get("ports", [])

    if name == "caddy":
        assert ports == ["80:80", "443:443"]
    else:
        assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_the_database_is_on_a_network_without_the_world():
    assert ACCOUNT["services"]["postgres"]["networks"] == ["store"]
    assert ACCOUNT["networks"]["store"] == {"internal": True}


# --- secrets ----------------------------------------------------------------


@each_service
def test_no_secret_is_in_the_environment(name):
    told = SERVICES[name].get("environment", {})

    secret = {key: value for key, value in told.items() if is_secret(key)}

    assert [key for key in secret if not key.endswith("_FILE")] == []


def is_secret(variable_name: str) -> bool:
    ours = {variable(key.name) for key in KEYS if key.secret}
    return variable_name in ours or bool(re.search("PASSWORD|SECRET|TOKEN|KEY", variable_name))


@each_service
def test_every_secret_it_is_told_of_is_mounted(name):
    service = SERVICES[name]
    given = {"AGENT_API_KEY_FILE": "x"}
    values = (interpolated(str(value), given) for value in service.get("environment", {}).values())

    named = {value.removeprefix(MOUNTED) for value in values if value.startswith(MOUNTED)}

    assert named == set(service.get("secrets", []))


def test_the_user_makes_these_secrets_and_the_others_are_there():
    files = {interpolated(it["file"], {}) for it in ACCOUNT["secrets"].values()}
    files |= {it["file"] for it in SIMULATOR["secrets"].values()}

    theirs = {file.removeprefix("secrets/") for file in files if file.startswith("secrets/")}

    required = {"verify_token", "access_token", "app_secret"}
    assert theirs == required | {"postgres_password", "openai_api_key"}
    assert all((ROOT / file).is_file() for file in files if not file.startswith("secrets/"))


# --- the simulator ----------------------------------------------------------


def test_without_env_and_secrets_the_service_works_with_the_simulator():
    settings = load(service_environment({}, ACCOUNT, SIMULATOR))

    [account] = settings.instagram.all_accounts
    assert account.access_token == ProfessionalAccount().access_token
    assert settings.instagram.app_secrets == (ProfessionalAccount().app_secret,)
    assert settings.instagram.graph_url == "http://simulator:8001"
    assert settings.agent.adapter == "echo"


def test_the_simulator_has_an_image_of_its_own():
    simulator = SIMULATOR["services"]["simulator"]

    assert simulator["build"] == {"context": ".", "target": "simulator"}
    assert simulator["image"] != ACCOUNT["services"]["ak-instagram"]["image"]
    assert stages((ROOT / "Dockerfile").read_text())["simulator"].count("HEALTHCHECK") == 1


def test_the_service_has_nothing_of_the_simulator():
    dockerfile = (ROOT / "Dockerfile").read_text()

    assert ACCOUNT["services"]["ak-instagram"]["build"] == "."
    assert "simulator" not in stages(dockerfile)[None]
    assert "instagram_simulator" not in stages(dockerfile)["package"]
    assert re.findall(r"^FROM (\S+)", dockerfile, re.M)[-1] == "runtime"


def test_the_simulator_is_kept_from_the_world_and_from_a_real_accounts_store():
    services = SIMULATOR["services"]

    assert services["caddy"]["restart"] == "no"
    assert services["caddy"]["entrypoint"][-1].endswith("exit 1")
    assert services["ak-instagram"]["volumes"] == ["simulated:/data"]


def test_a_real_accounts_token_is_not_mixed_with_the_simulators():
    told = service_environment({"AK_INSTAGRAM__ACCESS_TOKEN": "IGAAreal"}, ACCOUNT, SIMULATOR)

    with pytest.raises(SettingsError, match=r"access_token_file .* keep one of them"):
        load(told)


# --- a real account ---------------------------------------------------------


@pytest.fixture
def secrets(tmp_path):
    """A folder with the files that .env.example asks for."""
    (tmp_path / "secrets").mkdir()
    for name in ("verify_token", "access_token", "app_secret", "openai_api_key"):
        (tmp_path / "secrets" / name).write_text(f"my-own-{name}\n")
    url = "postgresql://ak_instagram:0123@postgres/ak_instagram\n"
    (tmp_path / "secrets/store_url").write_text(url)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


def test_the_example_starts_a_real_account_without_the_simulator(secrets):
    given = variables(EXAMPLE)

    settings = load(service_environment(given, ACCOUNT, root=secrets))

    assert given["COMPOSE_FILE"] == "docker-compose.yml"
    assert settings.instagram.all_accounts[0].access_token == "my-own-access_token"
    assert settings.instagram.app_secrets == ("my-own-app_secret",)
    assert settings.instagram.graph_url == "https://graph.instagram.com"
    assert settings.agent.adapter == "agentkernel"
    assert settings.store.url == "sqlite:////data/ak-instagram.db"


def test_a_line_of_env_switches_the_store(secrets):
    given = variables(EXAMPLE) | {"STORE_URL_FILE": "secrets/store_url"}

    settings = load(service_environment(given, ACCOUNT, root=secrets))

    assert settings.store.url == "postgresql://ak_instagram:0123@postgres/ak_instagram"


def test_a_line_of_env_gives_the_agent_its_key(secrets):
    given = variables(EXAMPLE) | {
        "AK_AGENT__ADAPTER": "openai-chat",
        "AK_AGENT__MODEL": "gpt-5.4-mini",
        "AGENT_API_KEY_FILE": "secrets/openai_api_key",
    }

    settings = load(service_environment(given, ACCOUNT, root=secrets))

    assert settings.agent.api_key == "my-own-openai_api_key"


def test_nothing_starts_unsigned(secrets):
    given = variables(EXAMPLE) | {"AK_INSTAGRAM__REQUIRE_SIGNATURE": "false"}
    environment = service_environment(given, ACCOUNT, root=secrets)
    del environment["AK_INSTAGRAM__APP_SECRET_FILE"]

    with pytest.raises(SettingsError, match="require_signature is true"):
        load(environment)


def test_the_example_names_settings_that_exist():
    known = {variable(key.name) for key in KEYS}

    named = {*variables(EXAMPLE), *ONCE_COMMENTED.findall(EXAMPLE.read_text())}

    assert named - known == NOT_OURS


@pytest.mark.parametrize("name", sorted(NOT_OURS - {"COMPOSE_FILE", "COMPOSE_PROFILES"}))
def test_what_is_for_compose_is_in_its_file(name):
    text = (ROOT / "docker-compose.yml").read_text()

    assert re.search(rf"\$\{{{name}:|^ +{name}:$", text, re.M)


def test_the_agent_kernel_of_the_example_is_the_one_of_the_profile():
    url = "http://agent-kernel:8000"

    assert f"# AK_AGENT__URL={url}" in EXAMPLE.read_text()
    assert ACCOUNT["services"]["agent-kernel"]["environment"]["AK_API__PORT"] == "8000"


def test_the_lock_of_the_example_has_a_hash_for_everything():
    lock = (ROOT / "examples/agent-kernel/requirements.lock").read_text()

    packages = re.findall(r"^[\w.-]+==.*$", lock, re.M)

    assert packages
    assert all(line.endswith("\\") for line in packages)
