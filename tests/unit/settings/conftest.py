"""Every test of the settings runs in an empty folder, as `./config.yaml` would be read."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def environ():
    """The least that loads: nothing else has to be set."""
    return {
        "AK_INSTAGRAM__VERIFY_TOKEN": "the-verify-token",
        "AK_INSTAGRAM__ACCESS_TOKEN": "IGAA-main",
        "AK_AGENT__ADAPTER": "echo",
    }
