"""Every file in `ci/` is rendered once."""

from __future__ import annotations

import pytest

from tests.repository.chart.rendering import CI_FILES, Release, render_ci


@pytest.fixture(
    scope="session",
    params=CI_FILES,
    ids=lambda file: file.name.removesuffix("-values.yaml"),
)
def release(request) -> Release:
    """What the chart makes of a file in `ci/`."""
    return render_ci(request.param)
