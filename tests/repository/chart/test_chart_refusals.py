"""Values that can't work are refused before anything is installed, in words that help."""

from __future__ import annotations

import re

import helm_python as helm
import pytest

from ak_instagram.agents.registry import ADAPTERS
from ak_instagram.settings.model import ACCOUNT_KEYS, KEYS
from tests.repository.chart.rendering import (
    CHART,
    LEAST,
    POSTGRES,
    refusal,
    render,
    render_set,
    render_with,
)

EXTERNAL = "secret.existingSecret=,secret.external.enabled=true"
POLICY = "networkPolicy.enabled=true"
FROM = "networkPolicy.ingressFrom[0].podSelector.matchLabels.app=ingress"


def test_the_untouched_chart_says_all_that_is_missing():
    with pytest.raises(helm.HelmRenderError) as refused:
        render({})

    assert "secret: there is none; name an existing Secret" in str(refused.value)
    assert "config.agent: there is none; set config.agent.url" in str(refused.value)


def test_the_untouched_chart_passes_lint():
    assert helm.lint(CHART, strict=True)["errors"] == []


def test_the_least_that_is_asked_for_is_enough():
    assert render_set().one("Deployment")["spec"]["replicas"] == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param(
            ["replicaCount=2"],
            "at '/replicaCount': value must be '1 with SQLite, whose file belongs to one process",
            id="two-replicas-on-sqlite",
        ),
        pytest.param(
            ["autoscaling.enabled=true"],
            "at '/autoscaling/enabled': value must be 'false with SQLite",
            id="hpa-on-sqlite",
        ),
        pytest.param(
            ["keda.enabled=true", "keda.prometheusAddress=http://prometheus"],
            "at '/keda/enabled': value must be 'false with SQLite",
            id="keda-on-sqlite",
        ),
        pytest.param(
            [POSTGRES, "autoscaling.enabled=true", "keda.enabled=true"],
            "at '/keda/enabled': value must be 'false beside autoscaling.enabled",
            id="two-autoscalers",
        ),
        pytest.param(
            [POSTGRES, "keda.enabled=true"],
            "at '/keda/prometheusAddress': value must be 'the URL of Prometheus",
            id="keda-without-prometheus",
        ),
        pytest.param(
            [POSTGRES, "keda.minReplicas=0"],
            "at '/keda/minReplicas': minimum: got 0, want 1",
            id="keda-to-zero",
        ),
        pytest.param(
            [POSTGRES, "autoscaling.enabled=true", "autoscaling.minReplicas=9"],
            "autoscaling: minReplicas is above maxReplicas",
            id="hpa-upside-down",
        ),
        pytest.param(
            [POSTGRES, "autoscaling.enabled=true", "autoscaling.targetCPUUtilizationPercentage=0"],
            "autoscaling: there is nothing to scale by",
            id="hpa-without-metrics",
        ),
        pytest.param(
            ["store.type=mysql"],
            "at '/store/type': value must be one of 'sqlite', 'postgresql'",
            id="unknown-store",
        ),
        pytest.param(
            [POSTGRES, "store.postgresql.secretKey="],
            "at '/store/postgresql/secretKey': minLength: got 0, want 1",
            id="postgresql-without-url",
        ),
        pytest.param(
            ["store.sqlite.persistence.accessMode=ReadWriteMany"],
            "value must be one of 'ReadWriteOnce', 'ReadWriteOncePod'",
            id="sqlite-on-a-shared-volume",
        ),
    ],
)
def test_replicas_and_store_have_to_fit(settings, words):
    assert words in refusal(*settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param(
            ["secret.existingSecret="],
            "secret: there is none; name an existing Secret in secret.existingSecret",
            id="no-secret",
        ),
        pytest.param(
            ["secret.external.enabled=true"],
            "at '/secret/external/enabled': value must be 'false beside secret.existingSecret",
            id="two-secrets",
        ),
        pytest.param(
            [EXTERNAL, "secret.external.dataFrom[0].extract.key=a"],
            "at '/secret/external/secretStoreRef/name': value must be 'the name of a secret store",
            id="external-without-store",
        ),
        pytest.param(
            [EXTERNAL, "secret.external.secretStoreRef.name=vault"],
            "at '/secret/external/data': value must be 'a list of what to fetch",
            id="external-without-data",
        ),
        pytest.param(
            ["secret.keys.verifyToken="],
            "at '/secret/keys/verifyToken': minLength: got 0, want 1",
            id="no-verify-token",
        ),
        pytest.param(
            ["secret.keys.accessToken="],
            "at '/secret/keys/accessToken': value must be 'the key of the Instagram user token",
            id="no-access-token-and-no-accounts",
        ),
        pytest.param(
            [
                "secret.keys.appSecret=",
                "config.instagram.accounts[0].access_token_file=/run/secrets/ak-instagram/a",
            ],
            "at '/secret/keys/appSecret': value must be 'the key of the Instagram app secret",
            id="nothing-to-check-signatures-with",
        ),
        pytest.param(
            ["secret.values.accessToken=IGAA"],
            "at '/secret': additional properties 'values' not allowed",
            id="a-secret-in-values",
        ),
    ],
)
def test_there_has_to_be_one_secret_with_all_that_is_needed(settings, words):
    assert words in refusal(*settings)


SECRETS = [key.name for key in KEYS if key.secret and key.name != "instagram.accounts"]
SECRETS += [f"instagram.accounts[0].{key.name}" for key in ACCOUNT_KEYS if key.secret]


@pytest.mark.parametrize("key", SECRETS)
def test_no_secret_fits_into_config(key):
    refused = refusal(f"config.{key}=IGAA-secret")

    assert re.search(
        r"at '/config.*': value must be '(in the Secret|under a known key: )",
        refused,
    )
    assert "IGAA" not in refused


@pytest.mark.parametrize("key", ["instagram.access_token", "instagram.app_secret", "agent.api_key"])
def test_a_secret_in_config_is_sent_to_the_secret(key):
    assert "value must be 'in the Secret, not here" in refusal(f"config.{key}=IGAA-secret")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param(
            ["ingress.enabled=true"],
            "at '/ingress/hosts': value must be 'a list with the host name that Meta posts to",
            id="ingress-without-host",
        ),
        pytest.param(
            ["ingress.hosts[0]=https://instagram.example.com"],
            "at '/ingress/hosts/0': 'https://instagram.example.com' does not match pattern",
            id="a-url-for-a-host",
        ),
        pytest.param(
            ["httpRoute.enabled=true"],
            "at '/httpRoute/parentRefs': value must be 'a list with the gateway",
            id="route-without-gateway",
        ),
        pytest.param(
            ["service.type=LoadBalancer"],
            "at '/service/type': value must be one of 'ClusterIP', 'NodePort'",
            id="metrics-on-the-internet",
        ),
        pytest.param(
            [POLICY],
            "at '/networkPolicy/ingressFrom': value must be 'a list with the peers of the ingress",
            id="policy-that-keeps-webhooks-out",
        ),
        pytest.param(
            [POLICY, FROM, POSTGRES],
            "at '/networkPolicy/store/to': value must be 'a list with the peers of PostgreSQL",
            id="policy-that-cuts-off-the-store",
        ),
    ],
)
def test_the_ways_in_and_out_have_to_lead_somewhere(settings, words):
    assert words in refusal(*settings)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        pytest.param("probes", "at '': missing property 'probes'", id="probes"),
        pytest.param("probes.startup", "at '/probes': missing property 'startup'", id="probe"),
        pytest.param(
            "probes.startup.periodSeconds",
            "at '/probes/startup': missing property 'periodSeconds'",
            id="part-of-a-probe",
        ),
        pytest.param(
            "networkPolicy.dns.to", "at '/networkPolicy/dns': missing property 'to'", id="names"
        ),
        pytest.param(
            "networkPolicy.agent.ports",
            "at '/networkPolicy/agent': missing property 'ports'",
            id="ports",
        ),
        pytest.param(
            "networkPolicy.internet", "at '/networkPolicy': missing property 'internet'", id="rule"
        ),
    ],
)
def test_a_default_that_is_needed_is_not_taken_away(setting, words):
    assert words in refusal(POLICY, FROM, f"{setting}=null")


def test_a_policy_does_not_open_the_ports_of_name_resolution_to_all():
    policy = {"enabled": True, "ingressFrom": [{"podSelector": {}}], "dns": {"to": []}}

    with pytest.raises(helm.HelmError, match=r"at '/networkPolicy/dns/to'.*at least one peer"):
        render_with({"networkPolicy": policy})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param(
            ["replicas=2"], "at '': additional properties 'replicas' not allowed", id="top"
        ),
        pytest.param(
            ["image.name=x"], "at '/image': additional properties 'name' not allowed", id="section"
        ),
        pytest.param(
            ["config.agent.modle=x"],
            "at '/config/agent/modle': value must be 'under a known key: adapter, url, model,",
            id="setting",
        ),
        pytest.param(
            ["metrics.prometheusRule.alerts.AkInstagramDwon.for=1m"],
            "additional properties 'AkInstagramDwon' not allowed",
            id="alert",
        ),
    ],
)
def test_an_unknown_key_is_refused(settings, words):
    assert words in refusal(*settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param(
            ["replicaCount=many"],
            "at '/replicaCount': got string, want integer",
            id="text-for-a-number",
        ),
        pytest.param(
            ["ingress.enabled=yes"],
            "at '/ingress/enabled': got string, want boolean",
            id="text-for-a-flag",
        ),
        pytest.param(
            ["podAnnotations.a=1"],
            "at '/podAnnotations/a': got number, want string",
            id="number-for-a-text",
        ),
        pytest.param(
            ["config.instagram.account_id=17841400000000000"],
            "at '/config/instagram/account_id': got number, want string",
            id="an-id-that-would-lose-digits",
        ),
        pytest.param(
            ["config.store.retention=1"],
            "at '/config/store/retention': minimum: got 1, want 2",
            id="retention-below-meta's-repeats",
        ),
        pytest.param(
            ["image.digest=sha256:abc"], "at '/image/digest': 'sha256:abc' does not match", id="cut"
        ),
        pytest.param(
            ["terminationGracePeriodSeconds=44"],
            "terminationGracePeriodSeconds: a pod needs 45 to stop in order",
            id="too-little-time-to-stop",
        ),
        pytest.param(
            ["terminationGracePeriodSeconds=60", "config.server.drain=60"],
            "terminationGracePeriodSeconds: a pod needs 80 to stop in order",
            id="too-little-time-for-a-longer-drain",
        ),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(settings, words):
    assert words in refusal(*settings)


def test_the_agent_has_to_be_named():
    with pytest.raises(helm.HelmRenderError, match=r"config\.agent: there is none; set"):
        render({"secret": {"existingSecret": "ak-instagram"}})


def test_lint_refuses_what_contradicts_itself():
    values = helm.parse_set_string(f"{LEAST},replicaCount=2")

    errors = helm.lint(CHART, values, strict=True)["errors"]

    assert any("1 with SQLite" in error for error in errors)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param(
            ["config.agent.adapter=htpp"],
            'config.agent.adapter: "htpp" is none; there are agentkernel',
            id="adapter",
        ),
        pytest.param(
            ["config.agent.request.q={tex}"],
            "config.agent.request: no placeholder {tex}; there are account",
            id="placeholder",
        ),
        pytest.param(
            ["resources.limits.memory=lots"],
            "at '/resources/limits/memory': 'lots' does not match pattern",
            id="memory",
        ),
    ],
)
def test_a_value_that_would_stop_the_pod_is_refused(settings, words):
    settings = [each.replace("{", r"\{").replace("}", r"\}") for each in settings]

    assert words in refusal(*settings)


@pytest.mark.parametrize("adapter", [*ADAPTERS, "shop:Agent"])
def test_every_adapter_is_taken(adapter):
    assert render_set(f"config.agent.adapter={adapter}").config
