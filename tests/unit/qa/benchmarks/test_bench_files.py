"""As many connections as there may be; where they are too few, that is said beforehand."""

from __future__ import annotations

import re
import resource

import pytest

from qa.benchmarks import files


@pytest.fixture(autouse=True)
def limits():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_all_that_may_be_allowed_is_allowed(limits):
    _, hard = limits

    files.allow_most()

    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)


@pytest.mark.parametrize(
    ("wanted", "complaints"),
    [
        pytest.param(500, [], id="what-is-allowed"),
        pytest.param(501, ["ulimit -n 501"], id="more-names-the-remedy"),
    ],
)
def test_only_more_than_is_allowed_is_refused(wanted, complaints, limits):
    resource.setrlimit(resource.RLIMIT_NOFILE, (500, limits[1]))

    assert complaints_about(wanted) == complaints


def complaints_about(wanted):
    """Return the remedies that are named when so many files are required."""
    try:
        files.require(wanted)
    except RuntimeError as exc:
        return re.findall(r"ulimit -n \d+", str(exc))
    return []
