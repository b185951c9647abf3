"""The Compose files as Compose reads them, as far as they go: tags, merging, variables, secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
MOUNTED = "/run/secrets/"


class _Loader(yaml.SafeLoader):
    """YAML with Compose's `!override`."""


def _replaced(loader: yaml.SafeLoader, node: yaml.Node) -> list[Any]:
    assert isinstance(node, yaml.SequenceNode)
    return loader.construct_sequence(node)


_Loader.add_constructor("!override", _replaced)


def read(name: str) -> dict[str, Any]:
    """Return the Compose file *name*."""
    return yaml.load((ROOT / name).read_text(), _Loader)  # noqa: S506 - it is a SafeLoader


ACCOUNT = read("docker-compose.yml")
SIMULATOR = read("docker-compose.override.yml")


def interpolated(text: str, given: Mapping[str, str]) -> str:
    """Return *text* with `${NAME:-else}` and `${NAME:+then}` filled in."""

    def fill(match: re.Match[str]) -> str:
        name, operator, word = match.groups()
        value = given.get(name, "")
        if operator == "+":
            return word if value else ""
        return value or word

    return re.sub(r"\$\{(\w+):([-+])([^}]*)\}", fill, text)


def variables(file: Path) -> dict[str, str]:
    """Return what an `.env` file sets."""
    lines = (line for line in file.read_text().splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def service_environment(
    given: Mapping[str, str], *files: Mapping[str, Any], root: Path = ROOT
) -> dict[str, str]:
    """
    Return what the service's container is told when *given* is in `.env`.

    Secrets are at their files below *root*, for there is no container.
    """
    environment: dict[str, str | None] = {}
    secrets: dict[str, Path] = {}
    for file in files:
        environment |= file["services"]["ak-instagram"]["environment"]
        secrets |= {
            name: root / interpolated(secret["file"], given)
            for name, secret in file["secrets"].items()
        }
    told = {
        name: given.get(name) if value is None else value for name, value in environment.items()
    }
    filled = {name: interpolated(value, given) for name, value in told.items() if value is not None}
    return dict(given) | {name: _unmounted(value, secrets) for name, value in filled.items()}


def _unmounted(value: str, secrets: Mapping[str, Path]) -> str:
    name = value.removeprefix(MOUNTED)
    return str(secrets[name]) if name != value else value
