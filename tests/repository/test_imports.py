"""A start imports what it needs: no simulator, no migrations where none is due, no other driver."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from qa.support.processes import free_port, variable, wait_until_ready

# As Python's `-X importtime` writes it: two times, and the name behind a bar.
IMPORTED = re.compile(r"^import time: .*\| +(\S+)$", re.M)


@pytest.fixture(scope="module")
def imported(tmp_path_factory) -> frozenset[str]:
    """Return the modules that `serve` imports until it is ready, with SQLite at the last step."""
    folder = tmp_path_factory.mktemp("serve")
    serve(folder)
    return frozenset(IMPORTED.findall(serve(folder)))


def serve(folder: Path) -> str:
    """Run the service in *folder* until it is ready; return what it wrote to stderr."""
    port = free_port()
    settings = {
        "instagram.verify_token": "verify",
        "instagram.access_token": "IGAAtoken",
        "instagram.graph_url": "http://127.0.0.1:1",
        "agent.adapter": "http",
        "agent.url": "http://127.0.0.1:1",
        "store.url": "sqlite:///store.db",
        "server.port": str(port),
    }
    written = folder / "stderr"  # a pipe that nobody reads would fill
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AK_")}
    with written.open("w") as stderr:
        process = subprocess.Popen(
            (sys.executable, "-X", "importtime", "-m", "ak_instagram", "serve"),
            cwd=folder,
            env=inherited | {variable(key): value for key, value in settings.items()},
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
    try:
        wait_until_ready(port, lambda: process.poll() is None)
    finally:
        process.terminate()
        code = process.wait(timeout=20)
    assert code == 0, written.read_text()[-2000:]
    return written.read_text()


def test_what_is_needed_is_among_what_is_seen(imported):
    assert {"ak_instagram.server", "sqlalchemy.dialects.sqlite.pysqlite"} <= imported


@pytest.mark.parametrize(
    "unwanted",
    [
        pytest.param(r"(.+\.|instagram_)simulator\..+", id="the-simulator"),
        pytest.param(r"(alembic|mako)(\..+)?", id="alembic"),
        pytest.param(r"asyncpg(\..+)?", id="another-stores-driver"),
        pytest.param(r"(pytest|hypothesis|qa)(\..+)?", id="tools"),
    ],
)
def test_a_start_on_a_known_store_does_not_import(imported, unwanted):
    assert sorted(name for name in imported if re.fullmatch(unwanted, name)) == []
