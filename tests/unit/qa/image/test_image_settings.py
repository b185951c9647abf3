"""What the image sets stands above a mounted `config.yaml`, so it is as little as can be."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.settings import load

DOCKERFILE = Path(__file__).parents[4].joinpath("Dockerfile").read_text()
IMAGE = dict(re.findall(r"^(?:ENV|   ) ?(AK_\w+)=(\S+)", DOCKERFILE, re.M))
ACCOUNT = {
    "AK_INSTAGRAM__VERIFY_TOKEN": "verify",
    "AK_INSTAGRAM__ACCESS_TOKEN": "IGAA",
    "AK_INSTAGRAM__APP_SECRET": "secret",
    "AK_AGENT__ADAPTER": "echo",
}


def test_a_mounted_file_names_the_store(tmp_path):
    mounted = tmp_path / "config.yaml"
    mounted.write_text("store: {url: sqlite:////elsewhere/store.db}")

    assert load(IMAGE | ACCOUNT, mounted).store.url == "sqlite:////elsewhere/store.db"


def test_the_store_is_in_the_volume_unless_told_otherwise():
    [folder] = re.findall(r"^WORKDIR (/\w+)\n(?:VOLUME /data\n)", DOCKERFILE, re.M)

    assert load(IMAGE | ACCOUNT).store.url == "sqlite:///data/ak-instagram.db"
    assert f"ln -s /data {folder}/data\n" in DOCKERFILE


def test_the_service_listens_where_the_health_check_asks(tmp_path):
    """The check reads the variable alone."""
    mounted = tmp_path / "config.yaml"
    mounted.write_text("server: {port: 18970}")

    assert load(IMAGE | ACCOUNT, mounted).server.port == int(IMAGE["AK_SERVER__PORT"])
