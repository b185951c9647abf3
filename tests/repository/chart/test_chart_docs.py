"""The chart's documents say what its values are, and its versions are the package's."""

from __future__ import annotations

import json
import re
import tomllib

import helm_python
import pytest
import yaml

from helm import readme
from tests.repository.chart.rendering import CHART, ROOT, read_values, render, render_set

TEXT = (CHART / "values.yaml").read_text(encoding="utf-8")
VALUES = read_values(CHART / "values.yaml")
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
README = (CHART / "README.md").read_text(encoding="utf-8")


# --- README ------------------------------------------------------------------


def test_the_readme_has_the_values_of_today():
    """If it does not: `python helm/readme.py`."""
    assert readme.renewed(README, readme.read_values(TEXT)) == README


def test_every_key_of_values_is_told():
    """What has no comment of its own is in the default of a key above it."""
    told = {value.path: value.default for value in readme.read_values(TEXT)}

    untold = [path for path in paths(VALUES) if not is_told(path, told)]

    assert untold == []


def paths(values, above=""):
    for key, value in values.items():
        yield f"{above}{key}"
        if isinstance(value, dict):
            yield from paths(value, f"{above}{key}.")


def is_told(path, told):
    parents = [path[: dot.start()] for dot in re.finditer(r"\.", path)]
    return path in told or any(told.get(parent) is not None for parent in parents)


def test_the_readmes_values_are_enough():
    [example] = re.findall(r"```yaml\n(image:.*?)```", README, re.S)

    release = render(yaml.safe_load(example))

    assert release.container["image"] == "registry.example.com/ak-instagram:0.1.0"
    assert "https://instagram.example.com/instagram/webhook" in release.notes


def test_the_readmes_secret_has_the_keys_that_values_name():
    [command] = re.findall(r"kubectl create secret.*?```", README, re.S)
    keys = VALUES["secret"]["keys"].values()

    assert re.findall(r"--from-literal=(\w+)=", command) == [key for key in keys if key]


def test_the_readmes_links_lead_somewhere():
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)[^)]*\)", README)

    assert links
    assert [link for link in links if not (CHART / link).exists()] == []


# --- the schema --------------------------------------------------------------

# What Kubernetes or an operator defines, and names that are the user's.
FREE = {
    "definitions.map",
    "definitions.maps[]",
    "definitions.named[]",
    "definitions.quantities",
    "definitions.texts",
    "keda.triggers[]",
    "secret.external.data[]",
}
OF_A_PARENT_CHART = {"global", "enabled"}


def test_the_schema_refuses_unknown_keys_wherever_it_can():
    objects = {where: it for where, it in schemas(SCHEMA) if it.get("type") == "object"}

    refusing = {
        where
        for where, it in objects.items()
        if (other := it.get("additionalProperties")) is False
        or (isinstance(other, dict) and "const" in other)  # which says what there is
    }

    assert set(objects) - refusing == FREE


def schemas(schema, where=""):
    """Yield every schema in *schema* with its path; the rules in `allOf` aside."""
    yield where, schema
    for name, inner in schema.get("properties", {}).items():
        yield from schemas(inner, f"{where}.{name}".removeprefix("."))
    for name, inner in schema.get("definitions", {}).items():
        yield from schemas(inner, f"definitions.{name}")
    if "items" in schema:
        yield from schemas(schema["items"], f"{where}[]")


def test_the_schema_takes_no_key_that_values_do_not_tell():
    told = {value.path: value.default for value in readme.read_values(TEXT)}
    sections = {path for path, default in told.items() if default is None} | {""}

    taken = {path for path in keys_of(SCHEMA) if path.rpartition(".")[0] in sections}

    assert taken - OF_A_PARENT_CHART == told.keys()


def keys_of(schema, above=""):
    """Yield the paths of all keys that *schema* takes."""
    for name, inner in schema.get("properties", {}).items():
        yield f"{above}{name}"
        defined = SCHEMA["definitions"].get(inner.get("$ref", "").rpartition("/")[2], inner)
        yield from keys_of(defined, f"{above}{name}.")


# --- versions ----------------------------------------------------------------


def test_the_versions_are_the_packages():
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    with helm_python.Chart.load(CHART) as chart:
        assert chart.metadata["appVersion"] == package


def test_the_archive_has_what_an_installation_needs_and_no_more(tmp_path):
    archive = helm_python.package(CHART, destination=tmp_path)

    with helm_python.Chart.load(archive) as chart:
        names = {file["name"] for file in chart.files}
        assert chart.schema == SCHEMA

    assert names == {".helmignore", "README.md", "files/dashboard.json", "files/rules.yaml"}


# --- the notes ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        pytest.param(
            ["ingress.enabled=true", "ingress.hosts={dm.example.com}"],
            "https://dm.example.com/instagram/webhook",
            id="ingress",
        ),
        pytest.param(
            [
                "httpRoute.enabled=true",
                "httpRoute.parentRefs[0].name=public",
                "httpRoute.hostnames={dm.example.com}",
            ],
            "https://dm.example.com/instagram/webhook",
            id="route",
        ),
        pytest.param(
            ["httpRoute.enabled=true", "httpRoute.parentRefs[0].name=public"],
            "https://(the host of the gateway's listener)/instagram/webhook",
            id="route-without-host",
        ),
        pytest.param([], "http://demo-ak-instagram.bots:80", id="nothing-exposed"),
    ],
)
def test_the_notes_say_what_to_enter_at_meta(settings, url):
    assert url in render_set(*settings).notes


def test_the_notes_warn_of_an_ingress_without_tls():
    exposed = ["ingress.enabled=true", "ingress.hosts={dm.example.com}"]

    assert "ingress.tls is empty" in render_set(*exposed).notes
    assert "ingress.tls is empty" not in render_set(*exposed, "ingress.tls[0].secretName=dm").notes


def test_the_notes_name_the_next_commands():
    notes = render_set().notes

    assert "The Secret ak-instagram has to exist." in notes
    assert "kubectl --namespace bots rollout status deployment/demo-ak-instagram" in notes
    assert "helm test --namespace bots demo" in notes


def test_no_template_leaves_a_blank_for_a_value(release):
    assert "<no value>" not in str(release.manifests)
    assert "<no value>" not in release.notes
