"""The PrometheusRule is the rules file, for this release and with the changes asked for."""

from __future__ import annotations

import json
import re

import pytest

from tests.repository.chart.rendering import CHART, read_values, render_set, render_with

FILE = read_values(CHART / "files/rules.yaml")
WRITTEN = {rule["alert"]: rule for group in FILE["groups"] for rule in group["rules"]}
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
ENABLED = "metrics.prometheusRule.enabled=true"
CHANGE = "metrics.prometheusRule.alerts.AkInstagramOverdue"


def groups_of(release):
    return release.one("PrometheusRule")["spec"]["groups"]


def alerts_of(release):
    return {rule["alert"]: rule for group in groups_of(release) for rule in group["rules"]}


def groups(*settings):
    return groups_of(render_set(ENABLED, *settings))


def alerts(*settings):
    return alerts_of(render_set(ENABLED, *settings))


def test_every_alert_of_the_file_is_there_in_its_group():
    made = {group["name"]: [rule["alert"] for rule in group["rules"]] for group in groups()}

    assert made == {
        group["name"]: [rule["alert"] for rule in group["rules"]] for group in FILE["groups"]
    }


@pytest.mark.parametrize("name", WRITTEN)
def test_an_alert_is_the_files_for_this_release(name):
    made, written = alerts()[name], WRITTEN[name]

    matchers = 'namespace="bots", job="demo-ak-instagram"'
    assert made["expr"] == written["expr"].strip().replace('job="ak-instagram"', matchers)
    assert made.get("for") == written.get("for")
    assert made["labels"] == written["labels"]
    assert made["annotations"] == written["annotations"]


def test_metrics_that_are_scraped_otherwise_have_other_matchers():
    made = alerts(r'metrics.matchers=job="pods"\,app="bot"')

    assert all('job="pods",app="bot"' in rule["expr"] for rule in made.values())


def test_the_runbook_is_where_the_documentation_is():
    made = alerts("metrics.prometheusRule.runbookUrl=https://docs.example.com/operations")

    urls = {rule["annotations"]["runbook_url"].partition("#")[0] for rule in made.values()}
    assert urls == {"https://docs.example.com/operations"}


@pytest.mark.parametrize("threshold", [0, 120, 0.25])
def test_a_threshold_can_be_changed(threshold):
    change = {"enabled": True, "alerts": {"AkInstagramOverdue": {"threshold": threshold}}}

    made, default = alerts_of(render_with({"metrics": {"prometheusRule": change}})), alerts()

    expr = made["AkInstagramOverdue"]["expr"]
    assert expr.endswith(f"> {threshold}")
    assert expr.rpartition("> ")[0] == default["AkInstagramOverdue"]["expr"].rpartition("> ")[0]
    assert made["AkInstagramDeaf"] == default["AkInstagramDeaf"]


def test_duration_and_severity_can_be_changed():
    made = alerts(f"{CHANGE}.for=1h", f"{CHANGE}.severity=page")["AkInstagramOverdue"]

    assert (made["for"], made["labels"]["severity"]) == ("1h", "page")


def test_an_alert_can_be_switched_off():
    assert alerts().keys() - alerts(f"{CHANGE}.enabled=false").keys() == {"AkInstagramOverdue"}


def test_labels_can_be_added_to_every_alert():
    made = alerts("metrics.prometheusRule.alertLabels.team=messaging")

    assert {rule["labels"]["team"] for rule in made.values()} == {"messaging"}
    assert {rule["labels"]["severity"] for rule in made.values()} == {"critical", "warning"}


def test_rules_can_be_added():
    added = "metrics.prometheusRule.additionalRules[0]"

    made = groups(f"{added}.record=a:b", f"{added}.expr=vector(1)")[-1]

    assert made["rules"] == [{"record": "a:b", "expr": "vector(1)"}]


def test_the_schema_knows_every_alert_and_which_have_a_threshold():
    known = SCHEMA["properties"]["metrics"]["properties"]["prometheusRule"]["properties"]["alerts"]
    has_threshold = {
        name: schema["$ref"] == "#/definitions/alert"
        for name, schema in known["properties"].items()
    }

    assert has_threshold == {
        name: bool(re.search(r"> [0-9.]+$", rule["expr"].strip())) for name, rule in WRITTEN.items()
    }
