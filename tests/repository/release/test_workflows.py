"""The workflows run what is pinned, may do little, and test the versions that the package names."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
WRITES = {
    "release.yml: image": {"packages", "id-token"},
    "release.yml: chart": {"packages", "id-token"},
    "release.yml: pypi": {"id-token"},
    "release.yml: release": {"contents"},
}
JOBS = {
    f"{file.name}: {name}": job
    for file in WORKFLOWS
    for name, job in yaml.safe_load(file.read_text())["jobs"].items()
}
USED = sorted(
    {
        action
        for file in WORKFLOWS
        for action in re.findall(r"\buses: (?!\./)(.*)", file.read_text())
    }
)


@pytest.mark.parametrize("action", USED)
def test_an_action_is_pinned_to_a_commit_with_its_version_beside_it(action):
    assert re.fullmatch(r"\S+@[0-9a-f]{40} # v[\d.]+", action)


def test_an_action_has_one_version_everywhere():
    assert len({action.partition("@")[0] for action in USED}) == len(USED)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_as_a_whole_may_do_nothing(file):
    assert yaml.safe_load(file.read_text())["permissions"] == {}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_may_write_what_it_has_to(name):
    writes = {scope for scope, may in JOBS[name]["permissions"].items() if may == "write"}

    assert writes == WRITES.get(name, set())


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS.keys())
def test_a_job_ends_and_keeps_no_credentials(job):
    checkouts = [
        step for step in job.get("steps", []) if "actions/checkout" in step.get("uses", "")
    ]

    assert "uses" in job or job["timeout-minutes"] <= 45
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_the_pythons_that_are_tested_are_those_that_the_package_names():
    tested = JOBS["ci.yml: tests"]["strategy"]["matrix"]["python"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = re.findall(r"Python :: (3\.\d+)", " ".join(project["classifiers"]))

    assert tested == named
