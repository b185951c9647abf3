"""The chart as the tests see it: values in, manifests or a refusal out, without a helm on PATH."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import helm_python as helm
import yaml

ROOT = Path(__file__).parents[3]
CHART = ROOT / "helm/ak-instagram"
CI_FILES = sorted(CHART.glob("ci/*-values.yaml"))

# What has to be set, in the spelling of `--set`.
LEAST = "secret.existingSecret=ak-instagram,config.agent.adapter=echo"
POSTGRES = "store.type=postgresql"
NAMESPACE = "bots"


class _StrictLoader(yaml.CSafeLoader):
    """Refuses a key that is there twice, of which YAML would keep the last."""

    def construct_mapping(self, node, deep=False):
        """Return the mapping of *node*, whose keys have to differ."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"a key is there twice: {keys}"
        return super().construct_mapping(node, deep)


@dataclass(frozen=True)
class Release:
    """What an installation with *values* would make: its manifests and its notes."""

    values: dict[str, Any]
    manifests: tuple[dict[str, Any], ...]
    notes: str

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Return the manifests of *kind*."""
        return [manifest for manifest in self.manifests if manifest["kind"] == kind]

    def one(self, kind: str) -> dict[str, Any]:
        """Return the only manifest of *kind*."""
        [manifest] = self.all(kind)
        return manifest

    @property
    def pod(self) -> dict[str, Any]:
        """The template of the service's pods."""
        return self.one("Deployment")["spec"]["template"]

    @property
    def container(self) -> dict[str, Any]:
        """The service's container."""
        return self.pod["spec"]["containers"][0]

    @property
    def env(self) -> dict[str, str]:
        """The variables of the service's container that have a value."""
        return {each["name"]: each["value"] for each in self.container["env"] if "value" in each}

    @property
    def config(self) -> str:
        """The service's `config.yaml`."""
        [config] = [it for it in self.all("ConfigMap") if "config.yaml" in it["data"]]
        return config["data"]["config.yaml"]

    def pod_specs(self) -> Iterator[dict[str, Any]]:
        """Yield the specification of every pod."""
        yield self.pod["spec"]
        yield from (pod["spec"] for pod in self.all("Pod"))


@cache
def _load(chart: Path) -> helm.Chart:
    """Return *chart*, read once."""
    return helm.Chart.load(chart)


def render(values: dict[str, Any], name: str = "demo", chart: Path = CHART) -> Release:
    """Return what *chart* makes of *values*; raises `HelmError` if it refuses them."""
    loaded = _load(chart)
    files = loaded.render(values, name=name, namespace=NAMESPACE)
    manifests = (
        manifest
        for path, text in sorted(files.items())
        if path.endswith(".yaml")
        for manifest in yaml.load_all(text, _StrictLoader)
        if manifest
    )
    return Release(
        loaded.merge_values(values), tuple(manifests), files["ak-instagram/templates/NOTES.txt"]
    )


def render_set(*settings: str, name: str = "demo") -> Release:
    """Return what the chart makes of the least values and *settings*, spelt as for `--set`."""
    return render(helm.parse_set_string(",".join([LEAST, *settings])), name)


def render_with(values: dict[str, Any]) -> Release:
    """Return what the chart makes of the least values with the sections in *values*."""
    return render(helm.parse_set_string(LEAST) | values)


def refusal(*settings: str) -> str:
    """Return what Helm says about the least values and *settings*; fails if it takes them."""
    try:
        render_set(*settings)
    except helm.HelmError as exc:
        return str(exc)
    raise AssertionError(f"taken: {settings}")


@cache
def render_ci(file: Path) -> Release:
    """Return what the chart makes of *file* in `ci/`, rendered once."""
    return render(read_values(file))


def read_values(file: Path) -> dict[str, Any]:
    """Return the values in *file*."""
    return yaml.load(file.read_text(encoding="utf-8"), _StrictLoader)  # noqa: S506 - a SafeLoader
