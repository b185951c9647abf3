"""
What is rendered is what Kubernetes takes.

Its own kinds are held against its schemas. Those of others (Gateway API, Prometheus Operator,
KEDA, External Secrets) have none at hand: the tests say what shape they must have.
"""

from __future__ import annotations

import json
import re

import helm_python as helm
import kubernetes_validate
import pytest

from tests.repository.chart.rendering import (
    CHART,
    CI_FILES,
    POSTGRES,
    read_values,
    render_ci,
    render_set,
    render_with,
)

OLDEST, NEWEST = "1.32", "1.37"  # of which there are schemas
OTHERS = {
    "ExternalSecret": "external-secrets.io/v1",
    "HTTPRoute": "gateway.networking.k8s.io/v1",
    "PrometheusRule": "monitoring.coreos.com/v1",
    "ScaledObject": "keda.sh/v1alpha1",
    "ServiceMonitor": "monitoring.coreos.com/v1",
}


def test_kubernetes_own_kinds_fit_the_newest_schemas(release):
    assert schemas_fitted(release, NEWEST) == {NEWEST}


def test_kubernetes_own_kinds_fit_the_oldest_schemas():
    everything = render_ci(CHART / "ci/everything-values.yaml")

    assert schemas_fitted(everything, OLDEST) == {OLDEST}


def schemas_fitted(release, version):
    """Return the versions of the schemas that were looked up and fit; raise if one does not."""
    return {
        kubernetes_validate.validate(manifest, version, strict=True)
        for manifest in own_kinds(release)
    }


def own_kinds(release):
    own = [it for it in release.manifests if it["kind"] not in OTHERS]
    assert {"ConfigMap", "Deployment", "Pod", "Service"} <= {it["kind"] for it in own}
    return own


def test_other_kinds_have_the_version_that_is_served(release):
    others = {it["kind"]: it["apiVersion"] for it in release.manifests if it["kind"] in OTHERS}

    assert others.items() <= OTHERS.items()


def test_every_kind_is_rendered_by_some_file():
    """A template that no file in `ci/` switches on would be checked by nobody."""
    templates = "".join(file.read_text() for file in CHART.glob("templates/**/*.yaml"))

    rendered = {it["kind"] for file in CI_FILES for it in render_ci(file).manifests}

    assert rendered == set(re.findall(r"^kind: (\w+)", templates, re.M))


@pytest.mark.parametrize("file", CI_FILES, ids=lambda file: file.stem)
def test_lint_has_nothing_to_say(file):
    report = helm.lint(CHART, read_values(file), strict=True)

    assert [it["error"] for it in report["messages"]] == ["icon is recommended"]


def test_everything_is_in_the_release_namespace_but_what_monitoring_looks_for(release):
    elsewhere = {it["kind"] for it in release.manifests if it["metadata"]["namespace"] != "bots"}

    assert elsewhere <= {"ServiceMonitor", "PrometheusRule", "ConfigMap"}


# --- the store decides how pods are replaced ---------------------------------


def test_sqlite_is_one_pod_with_a_volume_that_outlives_the_release():
    release = render_set()
    deployment, claim = release.one("Deployment")["spec"], release.one("PersistentVolumeClaim")

    assert deployment["replicas"] == 1
    assert deployment["strategy"] == {"type": "Recreate"}
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert {"name": "data", "mountPath": "/data"} in release.container["volumeMounts"]
    assert volume(release, "data")["persistentVolumeClaim"]["claimName"] == "demo-ak-instagram"


def test_a_claim_that_exists_is_used_and_none_is_made():
    release = render_set("store.sqlite.persistence.existingClaim=mine")

    assert release.all("PersistentVolumeClaim") == []
    assert volume(release, "data")["persistentVolumeClaim"]["claimName"] == "mine"


def test_without_persistence_the_file_goes_with_the_pod_and_the_notes_say_so():
    release = render_set("store.sqlite.persistence.enabled=false")

    assert release.all("PersistentVolumeClaim") == []
    assert volume(release, "data")["emptyDir"] == {}
    assert "Messages are lost when the pod goes" in release.notes


def test_postgresql_replaces_pods_one_by_one_and_takes_none_away_before():
    release = render_set(POSTGRES, "replicaCount=3")
    deployment = release.one("Deployment")["spec"]

    assert deployment["replicas"] == 3
    assert deployment["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    }
    assert release.all("PersistentVolumeClaim") == []


def volume(release, name):
    [found] = [it for it in release.pod["spec"]["volumes"] if it["name"] == name]
    return found


# --- scaling -----------------------------------------------------------------


def test_an_autoscaler_owns_the_number_of_pods():
    release = render_set(POSTGRES, "autoscaling.enabled=true", "replicaCount=5")
    scaler = release.one("HorizontalPodAutoscaler")["spec"]

    assert "replicas" not in release.one("Deployment")["spec"]
    assert scaler["scaleTargetRef"] == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "demo-ak-instagram",
    }
    assert [it["resource"]["name"] for it in scaler["metrics"]] == ["cpu"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 6)


def test_keda_scales_by_how_long_people_wait_and_by_what_pods_have_to_do():
    release = render_set(POSTGRES, "keda.enabled=true", "keda.prometheusAddress=http://prometheus")
    spec = release.one("ScaledObject")["spec"]
    due, turns = spec["triggers"]

    assert "replicas" not in release.one("Deployment")["spec"]
    assert spec["scaleTargetRef"] == {"name": "demo-ak-instagram"}
    assert spec["minReplicaCount"] >= 1
    assert due["metricType"] == "Value"
    assert due["metadata"]["query"] == (
        'max(ak_instagram_oldest_due_seconds{namespace="bots", job="demo-ak-instagram"} >= 0)'
    )
    assert turns["metricType"] == "AverageValue"
    assert turns["metadata"]["query"] == (
        'sum(ak_instagram_turns_active{namespace="bots", job="demo-ak-instagram"})'
    )
    assert all(
        isinstance(value, str) for it in spec["triggers"] for value in it["metadata"].values()
    )


def test_keda_without_prometheus_keeps_the_pods_that_there_are():
    release = render_set(POSTGRES, "keda.enabled=true", "keda.prometheusAddress=http://prometheus")
    spec = release.one("ScaledObject")["spec"]

    assert spec["fallback"] == {
        "failureThreshold": 3,
        "replicas": 2,
        "behavior": "currentReplicasIfHigher",
    }
    assert {it["metadata"]["ignoreNullValues"] for it in spec["triggers"]} == {"false"}


# --- options that change the pod ---------------------------------------------


def test_a_spread_constraint_gets_the_selector_that_it_lacks():
    release = render_set(
        "topologySpreadConstraints[0].topologyKey=zone",
        "topologySpreadConstraints[1].labelSelector.matchLabels.app=mine",
    )
    filled, own = release.pod["spec"]["topologySpreadConstraints"]

    selector = release.one("Deployment")["spec"]["selector"]
    assert filled == {"topologyKey": "zone", "labelSelector": selector}
    assert own == {"labelSelector": {"matchLabels": {"app": "mine"}}}


@pytest.mark.parametrize(
    ("settings", "image"),
    [
        pytest.param([], "ak-instagram:0.1.0", id="default"),
        pytest.param(["image.tag=dev"], "ak-instagram:dev", id="tag"),
        pytest.param(
            ["image.registry=registry.example.com:5000/bots", "image.tag=v1"],
            "registry.example.com:5000/bots/ak-instagram:v1",
            id="registry",
        ),
        pytest.param(
            [f"image.digest=sha256:{'a' * 64}", "image.tag=v1"],
            f"ak-instagram@sha256:{'a' * 64}",
            id="digest",
        ),
    ],
)
def test_the_image_is_named_by_registry_repository_and_version(settings, image):
    release = render_set(*settings)

    assert release.container["image"] == image
    assert release.one("Pod")["spec"]["containers"][0]["image"] == image


def test_ids_that_are_null_are_left_to_the_platform():
    ids = {"runAsUser": None, "runAsGroup": None, "fsGroup": None}

    context = render_with({"podSecurityContext": ids}).pod["spec"]["securityContext"]

    assert context.keys() == {"runAsNonRoot", "fsGroupChangePolicy", "seccompProfile"}


def test_the_external_secret_makes_what_the_pods_mount():
    release = render_set(
        "secret.existingSecret=",
        "secret.external.enabled=true",
        "secret.external.secretStoreRef.name=vault",
        "secret.external.dataFrom[0].extract.key=instagram",
    )
    spec = release.one("ExternalSecret")["spec"]

    assert spec["target"]["name"] == volume(release, "secret")["secret"]["secretName"]
    assert spec["secretStoreRef"] == {"name": "vault", "kind": "SecretStore"}
    assert spec["dataFrom"] == [{"extract": {"key": "instagram"}}]
    assert spec["refreshInterval"] == "1h"


def test_the_dashboard_is_the_file_as_it_is():
    release = render_set("metrics.dashboard.enabled=true")
    [board] = [it for it in release.all("ConfigMap") if it["metadata"]["name"].endswith("board")]

    assert board["metadata"]["labels"]["grafana_dashboard"] == "1"
    [text] = board["data"].values()
    assert json.loads(text) == json.loads((CHART / "files/dashboard.json").read_text())
