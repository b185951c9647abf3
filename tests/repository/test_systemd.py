"""The systemd unit keeps what the image and the chart keep, and its page names what it uses."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ak_instagram.settings.model import ServerSettings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples/systemd"
UNIT = (FOLDER / "ak-instagram.service").read_text()
COMMANDS = FOLDER / "ak-instagram"
PAGE = (ROOT / "docs/deploy-systemd.md").read_text()
OPEN_REQUESTS, CLOSING = 5, 10  # seconds of a stop, beside those of turns


def values_of(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", UNIT, re.M)


def value_of(key: str) -> str:
    [value] = values_of(key)
    return value


# --- what runs --------------------------------------------------------------


def test_it_can_write_nothing_but_its_state():
    """`DynamicUser` brings a read-only system, a `/tmp` of its own and no new privileges."""
    assert value_of("DynamicUser") == "yes"
    assert value_of("StateDirectory") == "ak-instagram"
    assert value_of("CapabilityBoundingSet") == ""
    assert value_of("ProtectHome") == "yes"
    assert values_of("ReadWritePaths") == []


def test_only_the_proxy_reaches_it_and_only_meta_can_post():
    assert values_of("Environment") == [
        "AK_SERVER__HOST=127.0.0.1",
        "AK_INSTAGRAM__REQUIRE_SIGNATURE=true",
    ]


def test_no_secret_is_in_the_unit():
    """Everybody may read a unit."""
    assert value_of("EnvironmentFile") == "/etc/ak-instagram/service.env"
    assert "install -m 600 /dev/null /etc/ak-instagram/service.env" in PAGE


def test_it_comes_back_unless_its_settings_are_wrong():
    assert value_of("Restart") == "always"
    assert value_of("RestartPreventExitStatus") == "2"


def test_a_stop_takes_as_long_as_the_service_needs():
    assert int(value_of("TimeoutStopSec")) >= ServerSettings().drain + OPEN_REQUESTS + CLOSING


# --- what goes with it ------------------------------------------------------


def test_commands_have_the_settings_of_the_service():
    script = COMMANDS.read_text()

    assert all(setting in script for setting in values_of("Environment"))
    assert f"cd {value_of('WorkingDirectory')}\n. ./service.env\n" in script
    assert f'exec {value_of("ExecStart").removesuffix("serve")}"$@"' in script
    assert COMMANDS.stat().st_mode & 0o111


def test_the_page_makes_what_the_unit_uses():
    folders = set(re.findall(r"(?<==)/(?:opt|etc)/ak-instagram", UNIT))

    assert folders == {"/opt/ak-instagram", "/etc/ak-instagram"}
    assert "git clone REPOSITORY /opt/ak-instagram" in PAGE
    assert "install -d /etc/ak-instagram" in PAGE
    assert f"AK_STORE__URL=sqlite:////var/lib/{value_of('StateDirectory')}/" in PAGE


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_understands_it(tmp_path):
    program = value_of("ExecStart").split()[0]
    unit = tmp_path / "ak-instagram.service"
    unit.write_text(UNIT.replace(program, shutil.which("true") or ""))

    verify = [shutil.which("systemd-analyze") or "", "verify", unit]
    verdict = subprocess.run(verify, capture_output=True, text=True, check=False)

    # Files that other programs brought are looked at too.
    assert [line for line in verdict.stderr.splitlines() if unit.name in line] == []
