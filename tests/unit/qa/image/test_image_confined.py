"""What a container's process may do beyond what production allows is told."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from qa.image.confined import Facts, contents, locked, memory, powers, writing

LOCK = {"aiohttp": "3.14.5", "colorama": "0.4.6"}
FACTS = Facts(
    uids=[10001],
    gids=[10001],
    capabilities=[],
    no_new_privileges=True,
    command=["python", "-m", "ak_instagram", "serve"],
    writable=["/data", "/tmp"],
    installs=False,
    packages={"ak-instagram": "0.1.0", "aiohttp": "3.14.5"},
    simulates=False,
    opt=["venv"],
    uncompiled=[],
    memory_limit=256 << 20,
    memory_peak=None,
)


def problems(facts: Facts) -> list[str]:
    return [*powers(facts), *writing(facts), *contents(facts, LOCK), *memory(facts)]


def test_the_container_as_it_should_be_is_right():
    assert problems(FACTS) == []


def test_facts_survive_the_way_out_of_the_container():
    assert Facts.read(json.dumps(asdict(FACTS))) == FACTS


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param({"uids": [0, 10001]}, "it runs with the UIDs [0, 10001]", id="set-uid"),
        pytest.param({"gids": [0]}, "it runs with the UIDs", id="group-root"),
        pytest.param({"capabilities": ["CapBnd"]}, "it has capabilities: CapBnd", id="capability"),
        pytest.param({"no_new_privileges": False}, "it may gain privileges", id="privileges"),
        pytest.param(
            {"command": ["/bin/sh", "-c", "python -m ak_instagram serve"]},
            "its first process is '/bin/sh -c",
            id="shell-first",
        ),
        pytest.param({"writable": ["/"]}, "it can write to /", id="writable-root"),
        pytest.param({"installs": True}, "pip is there", id="pip"),
        pytest.param({"simulates": True}, "the simulator is there", id="simulator"),
        pytest.param({"opt": ["build", "venv"]}, "/opt has build, venv", id="leftovers"),
        pytest.param(
            {"uncompiled": ["/ssl.py"]}, "1 sources have no bytecode: /ssl.py", id="no-bytecode"
        ),
        pytest.param({"memory_limit": None}, "its limit is None", id="no-limit"),
    ],
)
def test_what_it_is_or_may_do_too_much_is_told(change, told):
    assert problems(replace(FACTS, **change))[0].startswith(told)


def test_an_emulator_may_stand_before_the_service():
    emulated = ["/usr/bin/qemu-aarch64", "/opt/venv/bin/python", "-m", "ak_instagram", "serve"]

    assert [*powers(replace(FACTS, command=emulated))] == []


def test_where_it_has_to_write_and_cannot_is_told():
    assert [*writing(replace(FACTS, writable=["/tmp"]))] == ["it can't write to /data"]


@pytest.mark.parametrize(
    ("packages", "told"),
    [
        pytest.param({"aiohttp": "3.14.4"}, "aiohttp 3.14.4 is not what the lock names", id="old"),
        pytest.param({"pytest": "9.0"}, "pytest 9.0 is not what the lock names", id="not-locked"),
    ],
)
def test_packages_that_the_lock_does_not_name_are_told(packages, told):
    assert [*contents(replace(FACTS, packages=FACTS.packages | packages), LOCK)] == [told]


def test_an_image_without_the_package_is_told():
    assert [*contents(replace(FACTS, packages={}), LOCK)] == ["the package is not installed"]


def test_a_lock_is_read_without_hashes_and_markers():
    lock = """
aiohttp==3.14.5 \\
    --hash=sha256:00 \\
    --hash=sha256:01
    # via ak-instagram
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:02
"""

    assert locked(lock) == LOCK
