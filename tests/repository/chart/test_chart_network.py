"""Meta reaches one path, Prometheus and the kubelet theirs, and the pods what they need."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from starlette.routing import Match

from ak_instagram import probe
from ak_instagram.health import READY_WITHIN, Probes
from ak_instagram.tokens.connecting import CALLBACK, CONNECT
from ak_instagram.webhook import PATH
from tests.repository.chart.rendering import CHART, POSTGRES, render_ci, render_set, render_with

POLICY = (
    POSTGRES,
    "networkPolicy.enabled=true",
    "networkPolicy.ingressFrom[0].podSelector.matchLabels.app=ingress",
    "networkPolicy.metricsFrom[0].podSelector.matchLabels.app=prometheus",
    "networkPolicy.store.to[0].podSelector.matchLabels.app=postgres",
)


class NoStore:
    """A store that nobody asks."""

    async def ping(self) -> None:
        """Answer."""


def served(path: str) -> bool:
    """Whether the service answers GET on *path*, the webhook aside."""
    scope = {"type": "http", "method": "GET", "path": path, "headers": []}
    routes = Probes(NoStore(), list).routes()
    return any(route.matches(scope)[0] is Match.FULL for route in routes)


# --- what is exposed ---------------------------------------------------------


def test_an_ingress_exposes_the_webhook_and_nothing_else(release):
    for ingress in release.all("Ingress"):
        paths = [path for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]

        assert {(path["path"], path["pathType"]) for path in paths} == {(PATH, "Exact")}
        assert "defaultBackend" not in ingress["spec"]


def test_a_route_exposes_the_webhook_and_nothing_else(release):
    for route in release.all("HTTPRoute"):
        matches = [match for rule in route["spec"]["rules"] for match in rule["matches"]]

        assert matches == [{"path": {"type": "Exact", "value": PATH}}]


def test_the_pages_to_connect_accounts_are_exposed_if_they_are_switched_on():
    release = render_with(
        {
            "ingress": {"enabled": True, "hosts": ["dm.example.com"]},
            "httpRoute": {"enabled": True, "parentRefs": [{"name": "public"}]},
            "config": {"agent": {"adapter": "echo"}, "instagram": {"app_id": "990602627938098"}},
        }
    )

    [rule] = release.one("Ingress")["spec"]["rules"]
    [routed] = release.one("HTTPRoute")["spec"]["rules"]
    expected = [PATH, CONNECT, CALLBACK]
    assert [path["path"] for path in rule["http"]["paths"]] == expected
    assert [match["path"]["value"] for match in routed["matches"]] == expected


def test_a_route_names_its_gateways_and_the_service():
    release = render_ci(CHART / "ci/gateway-values.yaml")
    spec, service = release.one("HTTPRoute")["spec"], release.one("Service")

    [rule] = spec["rules"]
    assert spec["parentRefs"] == [
        {"name": "public", "namespace": "gateways", "sectionName": "https"}
    ]
    assert spec["hostnames"] == ["instagram.example.com"]
    assert rule["backendRefs"] == [
        {"name": service["metadata"]["name"], "port": service["spec"]["ports"][0]["port"]}
    ]


def test_an_ingress_leads_to_the_service(release):
    for ingress in release.all("Ingress"):
        for rule in ingress["spec"]["rules"]:
            [path] = rule["http"]["paths"]

            assert path["backend"]["service"] == {
                "name": release.one("Service")["metadata"]["name"],
                "port": {"name": "http"},
            }


def test_nothing_is_exposed_unless_asked_for():
    release = render_set()

    assert release.all("Ingress") == release.all("HTTPRoute") == []
    assert release.one("Service")["spec"]["type"] == "ClusterIP"


# --- what is asked -----------------------------------------------------------


def test_probes_ask_paths_that_the_service_has(release):
    probes = {
        name: release.container[f"{name}Probe"] for name in ("startup", "liveness", "readiness")
    }
    paths = {name: probe["httpGet"]["path"] for name, probe in probes.items()}

    assert paths == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}
    assert all(map(served, paths.values()))
    assert {probe["httpGet"]["port"] for probe in probes.values()} == {"http"}


def test_the_readiness_probe_waits_longer_than_the_service_for_its_store(release):
    assert release.container["readinessProbe"]["timeoutSeconds"] > READY_WITHIN


def test_a_migration_may_take_minutes(release):
    startup = release.container["startupProbe"]

    assert startup["periodSeconds"] * startup["failureThreshold"] >= 300


def test_metrics_are_scraped_where_they_are(release):
    for monitor in release.all("ServiceMonitor"):
        [endpoint] = monitor["spec"]["endpoints"]

        assert (endpoint["port"], endpoint["path"]) == ("http", "/metrics")
        assert served(endpoint["path"])
        assert monitor["spec"]["namespaceSelector"] == {"matchNames": ["bots"]}


def test_helm_test_asks_the_service_with_its_own_probe(release):
    pod, service = release.one("Pod"), release.one("Service")
    [container] = pod["spec"]["containers"]
    port = service["spec"]["ports"][0]["port"]
    root = f"http://{service['metadata']['name']}:{port}"

    assert container["command"] == ["python", "-m", probe.__name__]
    assert container["args"] == [f"{root}/livez", f"{root}/readyz"]
    assert all(served(url.removeprefix(root)) for url in container["args"])
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    assert pod["spec"]["restartPolicy"] == "Never"


def test_helm_test_can_be_left_out():
    assert render_set("test.enabled=false").all("Pod") == []


# --- the network policy ------------------------------------------------------


def test_a_policy_lets_in_who_was_named_and_the_pod_of_helm_test():
    release = render_set(*POLICY)
    [rule] = release.one("NetworkPolicy")["spec"]["ingress"]

    labels = [peer["podSelector"]["matchLabels"] for peer in rule["from"]]
    assert labels == [
        {"app": "ingress"},
        {"app": "prometheus"},
        release.one("Pod")["metadata"]["labels"],
    ]
    assert rule["ports"] == [{"port": "http", "protocol": "TCP"}]


def test_a_policy_is_for_both_directions_and_every_rule_names_ports(release):
    for policy in release.all("NetworkPolicy"):
        spec = policy["spec"]

        assert spec["policyTypes"] == ["Ingress", "Egress"]
        assert all(rule.get("ports") and rule.get("to") for rule in spec["egress"])
        assert all(rule.get("from") for rule in spec["ingress"])


@pytest.mark.parametrize(
    ("address", "port", "allowed"),
    [
        pytest.param("157.240.0.17", 443, True, id="meta"),
        pytest.param("2a03:2880:f000::1", 443, True, id="meta-over-ipv6"),
        pytest.param("157.240.0.17", 80, False, id="meta-without-tls"),
        pytest.param("10.96.0.1", 443, False, id="the-api-server"),
        pytest.param("169.254.169.254", 443, False, id="the-clouds-metadata"),
        pytest.param("192.168.1.1", 443, False, id="a-router"),
        pytest.param("172.20.0.1", 443, False, id="a-private-network"),
        pytest.param("100.64.1.1", 443, False, id="a-carriers-network"),
        pytest.param("fd00::1", 443, False, id="a-private-network-over-ipv6"),
        pytest.param("fe80::1", 443, False, id="a-neighbour-over-ipv6"),
    ],
)
def test_a_policy_lets_out_to_the_internet_and_not_to_the_neighbours(address, port, allowed):
    egress = render_set(*POLICY).one("NetworkPolicy")["spec"]["egress"]

    open_to = [
        peer["ipBlock"]
        for rule in egress
        if port in [it["port"] for it in rule["ports"]]
        for peer in rule["to"]
        if "ipBlock" in peer
    ]

    assert any(holds(block, address) for block in open_to) is allowed


def holds(block, address):
    wanted = ip_address(address)
    inside = wanted in ip_network(block["cidr"])
    return inside and not any(wanted in ip_network(hole) for hole in block["except"])


@pytest.mark.parametrize("version", [4, 6])
def test_without_exceptions_a_policy_lets_out_to_all_addresses(version):
    """A default is taken away by null, and `except: null` is for the API server to guess."""
    release = render_set(*POLICY, f"networkPolicy.internet.exceptIPv{version}=null")
    _names, internet, *_others = release.one("NetworkPolicy")["spec"]["egress"]

    blocks = [peer["ipBlock"] for peer in internet["to"]]
    whole = [ip_network(each["cidr"]) for each in blocks if "except" not in each]

    assert [each.version for each in whole] == [version]


def test_a_policy_lets_out_to_names_agent_and_store():
    release = render_set(
        *POLICY,
        "networkPolicy.agent.to[0].podSelector.matchLabels.app=agent",
        "networkPolicy.agent.ports={8080}",
    )
    names, _internet, agent, store = release.one("NetworkPolicy")["spec"]["egress"]

    assert names["ports"] == [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
    assert agent == {
        "to": [{"podSelector": {"matchLabels": {"app": "agent"}}}],
        "ports": [{"port": 8080, "protocol": "TCP"}],
    }
    assert store == {
        "to": [{"podSelector": {"matchLabels": {"app": "postgres"}}}],
        "ports": [{"port": 5432, "protocol": "TCP"}],
    }
