"""Every pod meets the restricted Pod Security Standard, and no secret is where it can be read."""

from __future__ import annotations

import re

import pytest

from ak_instagram.settings.keys import variable
from ak_instagram.settings.model import KEYS
from tests.repository.chart.rendering import ROOT, render_set

# https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral"}
VOLUMES |= {"persistentVolumeClaim", "projected", "secret"}


def containers_of(pod):
    return [*pod.get("initContainers", []), *pod["containers"]]


def test_no_pod_runs_as_root(release):
    for pod in release.pod_specs():
        context = pod["securityContext"]

        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] == context["runAsGroup"] == context["fsGroup"] == 10001


def test_the_ids_are_the_images():
    *_, user = re.findall(r"^USER (\d+):(\d+)$", (ROOT / "Dockerfile").read_text(), re.M)

    context = render_set().pod["spec"]["securityContext"]

    assert (context["runAsUser"], context["runAsGroup"]) == tuple(map(int, user))


def test_every_pod_has_the_runtimes_seccomp_profile(release):
    for pod in release.pod_specs():
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


def test_no_container_can_gain_rights_or_write_its_root(release):
    for pod in release.pod_specs():
        for container in containers_of(pod):
            context = container["securityContext"]

            assert context["allowPrivilegeEscalation"] is False, container["name"]
            assert context["readOnlyRootFilesystem"] is True, container["name"]
            assert context["runAsNonRoot"] is True, container["name"]
            assert context["capabilities"] == {"drop": ["ALL"]}, container["name"]
            assert "privileged" not in context, container["name"]


def test_no_pod_shares_anything_with_its_node(release):
    for pod in release.pod_specs():
        kinds = {kind for it in pod.get("volumes", []) for kind in it if kind != "name"}

        assert not pod.keys() & {"hostNetwork", "hostPID", "hostIPC"}
        assert kinds <= VOLUMES
        assert not any(
            "hostPort" in it for each in pod["containers"] for it in each.get("ports", [])
        )


def test_no_pod_has_a_token_for_the_api_server(release):
    for pod in release.pod_specs():
        assert pod["automountServiceAccountToken"] is False

    assert release.one("ServiceAccount")["automountServiceAccountToken"] is False
    assert not {it["kind"] for it in release.manifests} & {"Role", "ClusterRole", "RoleBinding"}


def test_the_charts_containers_have_bounds(release):
    for pod in release.pod_specs():
        resources = pod["containers"][0]["resources"]

        assert {"cpu", "memory"} <= resources["requests"].keys()
        assert "memory" in resources["limits"]


@pytest.mark.parametrize(
    ("settings", "writable"),
    [
        pytest.param([], {"/data", "/tmp"}, id="sqlite"),
        pytest.param(["store.type=postgresql"], {"/tmp"}, id="postgresql"),
    ],
)
def test_only_the_store_and_tmp_can_be_written(settings, writable):
    mounts = render_set(*settings).container["volumeMounts"]

    assert {it["mountPath"] for it in mounts if not it.get("readOnly")} == writable


# --- secrets -----------------------------------------------------------------


def test_the_chart_makes_no_secret(release):
    assert release.all("Secret") == []


def test_no_secret_is_a_variable(release):
    """The SQLite URL, which the store's key may hold as well, has no password."""
    set_here = {key.name for key in KEYS if key.secret and variable(key.name) in release.env}

    assert set_here <= {"store.url"}
    assert release.env.get("AK_STORE__URL", "") in {"", "sqlite:////data/ak-instagram.db"}


def test_no_variable_comes_from_a_secret(release):
    for pod in release.pod_specs():
        for container in containers_of(pod):
            assert "secretKeyRef" not in str(container.get("env"))
            assert "secretRef" not in str(container.get("envFrom"))


def test_no_secret_is_in_the_config(release):
    secrets = {key.name.rpartition(".")[2] for key in KEYS if key.secret} - {"accounts"}

    named = set(re.findall(r"(\w+):", release.config))

    assert named & (secrets - {"url"}) == set()  # `url` is `agent.url` there


def test_secret_files_are_for_the_services_group_alone(release):
    mounted = [it["secret"] for it in release.pod["spec"]["volumes"] if "secret" in it]

    assert mounted
    assert {it["defaultMode"] for it in mounted} == {0o440}


def test_every_named_file_is_below_a_mounted_secret(release):
    mounts = {it["mountPath"]: it["name"] for it in release.container["volumeMounts"]}
    secrets = {it["name"] for it in release.pod["spec"]["volumes"] if "secret" in it}

    files = [value for name, value in release.env.items() if name.endswith("_FILE")]
    files += re.findall(r"_file: (\S+)", release.config)

    assert files
    assert {mounts.get(file.rpartition("/")[0]) for file in files} <= secrets


def test_signatures_are_required(release):
    assert release.env["AK_INSTAGRAM__REQUIRE_SIGNATURE"] == "true"
