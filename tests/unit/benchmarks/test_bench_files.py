"""As many connections as there may be; where they are too few, that is said beforehand."""

from __future__ import annotations

import resource

import pytest

from benchmarks import files


@pytest.fixture(autouse=True)
def limits():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_all_that_may_be_allowed_is_allowed(limits):
    _, hard = limits

    files.allow_most()

    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)


def test_what_is_allowed_may_be_required():
    resource.setrlimit(resource.RLIMIT_NOFILE, (500, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

    files.require(500)


def test_more_than_is_allowed_names_the_remedy():
    resource.setrlimit(resource.RLIMIT_NOFILE, (500, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

    with pytest.raises(RuntimeError, match="ulimit -n 501"):
        files.require(501)
