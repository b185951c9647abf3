"""The places that name a version agree, and a release takes from the files what it should."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / ".github/release.py"
PACKAGES = ("src/ak_instagram/__init__.py", "src/instagram_simulator/__init__.py")
PLACES = ("pyproject.toml", "helm/ak-instagram/Chart.yaml", *PACKAGES)


def load():
    spec = importlib.util.spec_from_file_location("release", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


release = load()


@pytest.fixture
def files(tmp_path):
    """A repository that is ready to be released as v1.2.3."""
    for place in (*PLACES, "CHANGELOG.md"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / PLACES[0]).write_text('[project]\nversion = "1.2.3"\n')
    (tmp_path / PLACES[1]).write_text('version: 1.2.3\nappVersion: "1.2.3"\n')
    for package in PACKAGES:
        (tmp_path / package).write_text('__version__ = "1.2.3"\n')
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changelog\n\n## [1.2.3] - 2026-12-01\n\n### Added\n\n- This.\n\n"
        "## [1.2.2] - 2026-11-01\n\n- That.\n"
    )
    return tmp_path


def test_all_places_name_one_version():
    assert len(set(release.versions().values())) == 1, release.versions()


def test_the_changelog_of_this_version_has_notes():
    assert release.notes().startswith("### ")


def test_what_is_ready_meets_no_objection(files):
    assert list(release.objections("v1.2.3", files)) == []
    assert release.notes(files) == "### Added\n\n- This."


@pytest.mark.parametrize("place", [*PLACES, "CHANGELOG.md"])
def test_a_place_that_was_forgotten_is_an_objection(files, place):
    file = files / place
    file.write_text(file.read_text().replace("1.2.3", "1.2.2", 1))

    [objection] = release.objections("v1.2.3", files)

    assert objection.startswith(place)
    assert objection.endswith("says 1.2.2, the tag is v1.2.3")


def test_an_unreleased_changelog_is_an_objection(files):
    file = files / "CHANGELOG.md"
    file.write_text(file.read_text().replace("2026-12-01", "unreleased"))

    [objection] = release.objections("v1.2.3", files)

    assert "'unreleased'" in objection


def test_a_tag_of_another_form_is_an_objection(files):
    assert "v1.2.3rc1 is not a tag of the form v1.2.3" in release.objections("v1.2.3rc1", files)


def test_the_charts_image_is_the_one_that_was_released():
    values = (ROOT / release.VALUES).read_text()

    named = release.with_image(values, "registry.example/owner", "sha256:c0ffee")

    changed = set(named.splitlines()) - set(values.splitlines())
    assert changed == {'  registry: "registry.example/owner"', '  digest: "sha256:c0ffee"'}
    assert len(named.splitlines()) == len(values.splitlines())


@pytest.mark.parametrize(
    "values",
    [
        pytest.param('other:\n  registry: ""\n', id="no-image"),
        pytest.param('image:\n  registry: ""\nother:\n  digest: ""\n', id="not-the-images"),
        pytest.param('image:\n  registry: mine\n  digest: ""\n', id="not-empty"),
    ],
)
def test_values_that_cannot_name_an_image_are_refused(values):
    with pytest.raises(ValueError, match="the chart's values have no"):
        release.with_image(values, "registry.example/owner", "sha256:c0ffee")
