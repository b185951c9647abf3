"""Names fit, selectors stay what they were, and pods restart for a reason only."""

from __future__ import annotations

import re
import shutil

import helm_python as helm
import pytest

from tests.repository.chart.rendering import (
    CHART,
    CI_FILES,
    LEAST,
    POSTGRES,
    read_values,
    render,
    render_set,
)

LONGEST = "a-release-name-that-has-all-the-characters-helm-takes"


def test_the_longest_release_name_is_the_longest():
    assert len(LONGEST) == 53

    helm.validate_release_name(LONGEST)


@pytest.mark.parametrize("file", CI_FILES, ids=lambda file: file.stem)
def test_names_and_labels_fit_with_the_longest_release_name(file):
    release = render(read_values(file), name=LONGEST)

    for manifest in release.manifests:
        metadata = manifest["metadata"]
        labels = metadata["labels"].values()

        assert len(metadata["name"]) <= 63, manifest["kind"]
        assert not metadata["name"].endswith("-")
        assert all(len(label) <= 63 for label in labels)


@pytest.mark.parametrize(
    ("settings", "name", "wanted"),
    [
        pytest.param([], "demo", "demo-ak-instagram", id="release-and-chart"),
        pytest.param([], "ak-instagram", "ak-instagram", id="release-called-like-the-chart"),
        pytest.param([], "my-ak-instagram", "my-ak-instagram", id="release-with-the-charts-name"),
        pytest.param(["nameOverride=bot"], "demo", "demo-bot", id="another-chart-name"),
        pytest.param(["fullnameOverride=bot"], "demo", "bot", id="another-name"),
    ],
)
def test_objects_are_called_after_the_release(settings, name, wanted):
    release = render_set(*settings, name=name)

    assert release.one("Deployment")["metadata"]["name"] == wanted
    assert release.one("Service")["metadata"]["name"] == wanted


def test_no_two_objects_of_a_kind_have_one_name(release):
    names = [
        (it["kind"], it["metadata"]["namespace"], it["metadata"]["name"])
        for it in release.manifests
    ]

    assert len(names) == len(set(names))


# --- selectors ---------------------------------------------------------------


def test_the_selector_has_no_version(release):
    selector = release.one("Deployment")["spec"]["selector"]["matchLabels"]

    assert selector == {
        "app.kubernetes.io/name": "ak-instagram",
        "app.kubernetes.io/instance": "demo",
    }


def test_everything_that_selects_pods_selects_the_services(release):
    selector = release.one("Deployment")["spec"]["selector"]

    assert selector["matchLabels"].items() <= release.pod["metadata"]["labels"].items()
    assert release.one("Service")["spec"]["selector"] == selector["matchLabels"]
    for budget in release.all("PodDisruptionBudget"):
        assert budget["spec"]["selector"] == selector
    for policy in release.all("NetworkPolicy"):
        assert policy["spec"]["podSelector"] == selector


def test_the_service_monitor_selects_the_service(release):
    labels = release.one("Service")["metadata"]["labels"]

    for monitor in release.all("ServiceMonitor"):
        assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_the_service_does_not_find_the_pod_of_helm_test(release):
    selector = release.one("Service")["spec"]["selector"]

    assert not selector.items() <= release.one("Pod")["metadata"]["labels"].items()


def test_no_label_of_the_user_replaces_one_that_is_selected_by():
    label = r"app\.kubernetes\.io/name=mine"
    release = render_set(f"podLabels.{label}", f"commonLabels.{label}", f"service.labels.{label}")

    assert release.pod["metadata"]["labels"]["app.kubernetes.io/name"] == "ak-instagram"
    assert release.one("Service")["metadata"]["labels"]["app.kubernetes.io/name"] == "ak-instagram"


def test_labels_of_the_user_are_on_every_object():
    release = render_set("commonLabels.team=messaging", "service.labels.own=yes")

    kept = [it for it in release.manifests if it["kind"] != "Pod"]
    assert {it["metadata"]["labels"]["team"] for it in kept} == {"messaging"}
    assert release.one("Service")["metadata"]["labels"]["own"] == "yes"
    assert release.pod["metadata"]["labels"]["team"] == "messaging"


# --- what restarts pods ------------------------------------------------------


def checksum(*settings):
    return render_set(*settings).pod["metadata"]["annotations"]["checksum/config"]


def test_a_change_of_config_restarts_the_pods():
    assert checksum() != checksum("config.agent.timeout=30")


def test_a_change_elsewhere_does_not():
    assert checksum() == checksum("service.port=8080", "image.tag=other")


def test_an_update_of_the_chart_alone_changes_no_pod(tmp_path):
    newer = tmp_path / "ak-instagram"
    shutil.copytree(CHART, newer)
    text = (newer / "Chart.yaml").read_text()
    (newer / "Chart.yaml").write_text(re.sub(r"(?m)^version: .*", "version: 9.9.9", text))
    values = helm.parse_set_string(f"{LEAST},{POSTGRES}")

    before, after = render(values), render(values, chart=newer)

    labels = after.one("Service")["metadata"]["labels"]
    assert labels["helm.sh/chart"] == "ak-instagram-9.9.9"
    assert after.one("Deployment")["spec"] == before.one("Deployment")["spec"]
    assert after.one("Service")["spec"] == before.one("Service")["spec"]
