"""The service and its simulator are distributions of their own."""

from __future__ import annotations

import os
import tomllib
import zipfile
from contextlib import chdir
from email.parser import HeaderParser
from pathlib import Path

import pytest
from hatchling import build

ROOT = Path(__file__).parents[2]
SIMULATOR = ROOT / "src/instagram_simulator"
FOR_BUILDING = ("pyproject.toml", "README.md", "LICENSE")
LOCK = (ROOT / "requirements.lock").read_text()


def built(project: Path, folder: Path, editable: bool = False) -> zipfile.ZipFile:
    """Return the wheel of *project*."""
    make = build.build_editable if editable else build.build_wheel
    with chdir(project):
        return zipfile.ZipFile(folder / make(os.fspath(folder)))


def files(package: Path) -> set[str]:
    """Return the files of *package* that a program needs, as a wheel names them."""
    found = (file for file in package.rglob("*") if file.is_file())
    needed = (file for file in found if "__pycache__" not in file.parts)
    names = {file.relative_to(package.parent).as_posix() for file in needed}
    return names - {f"{package.name}/{name}" for name in FOR_BUILDING}


@pytest.mark.parametrize(
    ("project", "package"),
    [
        pytest.param(ROOT, ROOT / "src/ak_instagram", id="service"),
        pytest.param(SIMULATOR, SIMULATOR, id="simulator"),
    ],
)
def test_a_wheel_holds_its_own_package_alone(tmp_path, project, package):
    names = set(built(project, tmp_path).namelist())

    of_package = {name for name in names if ".dist-info/" not in name}
    assert of_package == files(package)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_an_editable_install_of_a_checkout_finds_both(tmp_path):
    wheel = built(ROOT, tmp_path, editable=True)

    [paths] = [name for name in wheel.namelist() if name.endswith(".pth")]
    assert wheel.read(paths).decode().split() == [str(ROOT / "src")]


def test_the_simulator_needs_nothing_that_the_lock_of_the_service_lacks():
    project = tomllib.loads((SIMULATOR / "pyproject.toml").read_text())["project"]

    names = [each.partition(">")[0] for each in project["dependencies"]]
    assert [name for name in names if f"\n{name}==" not in f"\n{LOCK}"] == []


def test_both_have_one_version_and_one_licence(tmp_path):
    service, simulator = (
        HeaderParser().parsestr(
            next(
                wheel.read(name).decode() for name in wheel.namelist() if name.endswith("/METADATA")
            )
        )
        for wheel in (built(project, tmp_path) for project in (ROOT, SIMULATOR))
    )

    assert service["Version"] == simulator["Version"]
    assert (ROOT / "LICENSE").read_text() == (SIMULATOR / "LICENSE").read_text()
