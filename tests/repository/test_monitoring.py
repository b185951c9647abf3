"""Alerts, dashboard and autoscaling ask for what the service measures, and say what to do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml

from ak_instagram import __version__
from ak_instagram.meta.graph.codes import ErrorClass
from tests.support.service_metrics import METRICS, labels_of

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm/ak-instagram"
RULES = CHART / "files/rules.yaml"
DASHBOARD = json.loads((CHART / "files/dashboard.json").read_text())
SCENARIOS = sorted((ROOT / "tests/repository/monitoring").glob("*_test.yaml"))
OPERATIONS = (ROOT / "docs/operations.md").read_text()

GROUPS = yaml.safe_load(RULES.read_text())["groups"]
ALERTS = {rule["alert"]: rule for group in GROUPS for rule in group["rules"]}
ROWS = [panel for panel in DASHBOARD["panels"] if panel["type"] == "row"]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
VARIABLES = {it["name"]: it for it in DASHBOARD["templating"]["list"]}

# Alerts about there being anything at all: no number to set.
WITHOUT_THRESHOLD = {"AkInstagramDown", "AkInstagramStoreSilent"}
TARGET = {"job", "namespace", "pod", "instance"}  # what Prometheus adds to each series
FOREIGN: dict[str, set[str]] = {
    "up": set(),
    "ALERTS": {"alertname", "alertstate"},
    "process_start_time_seconds": set(),
    "process_cpu_seconds_total": set(),
    "process_resident_memory_bytes": set(),
    "process_open_fds": set(),
}


# --- what there is ----------------------------------------------------------


@cache
def series() -> dict[str, set[str]]:
    """Return the labels of all series that there are, by their names."""
    found = dict(FOREIGN)
    for metric in METRICS:
        [family] = metric.describe()
        labels = set(labels_of(metric))
        if family.type == "counter":
            found[f"{family.name}_total"] = labels
        elif family.type == "histogram":
            found |= {f"{family.name}_{part}": labels for part in ("count", "sum")}
            found[f"{family.name}_bucket"] = labels | {"le"}
        else:
            found[family.name] = labels
    return found


@cache
def values_from_the_start() -> dict[tuple[str, str], set[str]]:
    """Return the values that the labels of counters have from the start, by series and label."""
    found: dict[tuple[str, str], set[str]] = {}
    for metric in METRICS:
        for family in metric.collect():
            for sample in family.samples:
                for label, value in sample.labels.items():
                    found.setdefault((sample.name, label), set()).add(value)
    return found


# --- what is asked for ------------------------------------------------------


def queries() -> Iterator[tuple[str, str]]:
    """Yield each PromQL expression of rules, dashboard and scenarios with a name for it."""
    for name, rule in ALERTS.items():
        yield name, rule["expr"]
    for panel in PANELS:
        for target in panel["targets"]:
            yield f"{panel['title']} {target['refId']}", filled(target["expr"])
    for annotation in DASHBOARD["annotations"]["list"]:
        if "expr" in annotation:
            yield annotation["name"], filled(annotation["expr"])


def filled(expr: str) -> str:
    """Return a dashboard's *expr* as Grafana asks it when everything is selected."""
    return re.sub(r"\$\w+", ".*", expr.replace("$__rate_interval", "5m"))


QUERIES = [pytest.param(expr, id=name) for name, expr in queries()]


def name_of(selector: promql.VectorSelector) -> str:
    assert selector.name is not None
    return selector.name


def walked(expr: str) -> list[promql.Expr]:
    """Return all parts of *expr*; a `ValueError` says why it can't be parsed."""
    parts: list[promql.Expr] = []

    def keep(part: promql.Expr) -> bool:
        parts.append(part)
        return True

    promql.walk(promql.parse(expr), keep)
    return parts


def selectors(expr: str) -> list[promql.VectorSelector]:
    return [part for part in walked(expr) if isinstance(part, promql.VectorSelector)]


@pytest.mark.parametrize("expr", QUERIES)
def test_every_series_and_label_that_is_asked_for_exists(expr):
    for selector in selectors(expr):
        assert selector.name in series()
        labels = {matcher.name for matcher in selector.matchers.matchers}
        assert labels <= series()[selector.name] | TARGET


@pytest.mark.parametrize("expr", QUERIES)
def test_every_label_that_is_grouped_by_exists(expr):
    for part in walked(expr):
        if isinstance(part, promql.AggregateExpr) and part.modifier is not None:
            below = [series()[name_of(it)] for it in selectors(part.expr.prettify())]
            assert set(part.modifier.labels) <= set().union(*below) | TARGET


@pytest.mark.parametrize("expr", QUERIES)
def test_every_label_value_that_is_asked_for_is_there_from_the_start(expr):
    """A series that begins with its first count has not risen, as `increase` sees it."""
    for selector in selectors(expr):
        for matcher in selector.matchers.matchers:
            label = (name_of(selector), matcher.name)
            if label in values_from_the_start():
                known = values_from_the_start()[label]
                assert set(matcher.value.split("|")) <= known


@pytest.mark.parametrize("file", ["values.yaml", *(p.name for p in CHART.glob("templates/*.yaml"))])
def test_the_chart_names_no_other_series(file):
    path = CHART / file if file == "values.yaml" else CHART / "templates" / file

    assert set(re.findall(r"\bak_instagram_\w+", path.read_text())) <= set(series())


# --- the counters' zeros, and the version -----------------------------------


def test_every_outcome_of_a_delivery_counts_from_zero():
    outcomes = values_from_the_start()["ak_instagram_delivery_attempts_total", "outcome"]

    assert outcomes == {"sent", *(it.value for it in ErrorClass)}


def test_every_outcome_of_a_turn_and_every_dead_letter_counts_from_zero():
    sources = "".join(path.read_text() for path in (ROOT / "src/ak_instagram").rglob("*.py"))
    outcomes = set(re.findall(r'metrics\.TURNS\.labels\("(\w+)"\)', sources))
    given_up = set(re.findall(r'metrics\.DEAD_LETTERS\.labels\("(\w+)"\)', sources))

    assert (
        outcomes | {"answered", "silent"}
        == values_from_the_start()["ak_instagram_turns_total", "outcome"]
    )
    assert given_up == values_from_the_start()["ak_instagram_dead_letters_total", "what"]


def test_the_version_is_told():
    assert values_from_the_start()["ak_instagram_build_info", "version"] == {__version__}


# --- alerts -----------------------------------------------------------------


@pytest.mark.parametrize("alert", ALERTS.values(), ids=ALERTS)
def test_an_alert_says_how_bad_it_is_what_is_wrong_and_what_to_do(alert):
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    assert not alert["annotations"]["summary"].endswith(".")
    assert alert["annotations"]["description"].endswith(".")


@pytest.mark.parametrize("alert", ALERTS.values(), ids=ALERTS)
def test_an_alerts_runbook_is_a_row_of_the_operators_table(alert):
    page, _, anchor = alert["annotations"]["runbook_url"].partition("#")

    assert page == "docs/operations.md"
    assert re.search(
        rf'^\| <a id="{anchor}"></a>`{alert["alert"]}` \| {severity(alert)} ', OPERATIONS, re.M
    )


def severity(alert: dict[str, Any]) -> str:
    return alert["labels"]["severity"]


def test_the_operators_table_has_no_other_alerts():
    assert re.findall(r'^\| <a id="[a-z]+"></a>`(\w+)` \|', OPERATIONS, re.M) == list(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alerts_number_is_at_its_end_where_the_chart_changes_it(name):
    has_number = re.search(r" > [0-9.]+$", ALERTS[name]["expr"].rstrip()) is not None

    assert has_number == (name not in WITHOUT_THRESHOLD)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_is_about_one_job_as_the_chart_replaces_it(name):
    expr = ALERTS[name]["expr"]

    assert expr.count('job="ak-instagram"') == len(selectors(expr))


def test_alerts_of_replicas_have_the_labels_that_route_them():
    for name, alert in ALERTS.items():
        grouped = [
            part.modifier.labels
            for part in walked(alert["expr"])
            if isinstance(part, promql.AggregateExpr) and part.modifier is not None
        ]
        assert all({"namespace", "job"} <= set(labels) for labels in grouped), name


# --- alerts, by Prometheus' own tool ----------------------------------------


@pytest.fixture
def promtool() -> Callable[..., subprocess.CompletedProcess[str]]:
    path = shutil.which("promtool")
    if path is None:
        pytest.skip("promtool is not on PATH (Debian: apt-get install prometheus)")
    return lambda *arguments: subprocess.run(
        [path, *arguments], capture_output=True, text=True, check=False
    )


def test_prometheus_takes_the_rules(promtool):
    checked = promtool("check", "rules", str(RULES))

    assert checked.returncode == 0, checked.stderr


def test_every_alert_fires_when_it_should_and_only_then(promtool):
    tested = promtool("test", "rules", *map(str, SCENARIOS))

    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_prometheus_takes_the_dashboards_queries(promtool, tmp_path):
    rules = [
        {"record": f"query:{number}", "expr": expr.values[0]} for number, expr in enumerate(QUERIES)
    ]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))

    checked = promtool("check", "rules", str(file))

    assert checked.returncode == 0, checked.stderr


def test_scenarios_are_of_the_charts_rules():
    for file in SCENARIOS:
        named = yaml.safe_load(file.read_text())["rule_files"]
        assert [(file.parent / name).resolve() for name in named] == [RULES], file.name


def test_every_alert_has_a_scenario_in_which_it_fires():
    text = "".join(file.read_text() for file in SCENARIOS)

    assert [name for name in ALERTS if f'alertname="{name}"' not in text] == []


# --- the dashboard ----------------------------------------------------------


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_says_what_it_shows_in_which_unit(panel):
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["targets"]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_asks_the_data_source_that_was_chosen_about_what_was_chosen(panel):
    chosen = {("job", "$job"), ("namespace", "$namespace"), ("pod", "$pod")}

    assert panel["datasource"]["uid"] == "${datasource}"
    for target in panel["targets"]:
        assert target["datasource"]["uid"] == "${datasource}"
        for selector in selectors(target["expr"].replace("$__rate_interval", "5m")):
            matchers = {(it.name, it.value) for it in selector.matchers.matchers}
            assert chosen <= matchers


def test_no_panel_covers_another_or_leaves_the_grid():
    boxes = [(panel["title"], panel["gridPos"]) for panel in DASHBOARD["panels"]]

    assert [title for title, box in boxes if box["x"] < 0 or box["x"] + box["w"] > 24] == []
    assert [
        (one, other)
        for (one, first), (other, second) in combinations(boxes, 2)
        if overlaps(first, second)
    ] == []


def overlaps(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


def test_panels_have_names_and_ids_of_their_own():
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    titles = [panel["title"] for panel in PANELS]

    assert len(set(ids)) == len(ids)
    assert len(set(titles)) == len(titles)


def test_the_rows_follow_a_message():
    assert [row["title"] for row in ROWS] == [
        "Now",
        "Inbox and webhook",
        "Conversations and turns",
        "Sending",
        "Accounts",
        "Processes",
    ]


def test_the_dashboard_can_be_pointed_at_any_data_source_job_namespace_and_pod():
    assert list(VARIABLES) == ["datasource", "job", "namespace", "pod"]
    assert VARIABLES["datasource"]["query"] == "prometheus"
    for name in ("job", "namespace", "pod"):
        query = re.fullmatch(r"label_values\((.+), (\w+)\)", VARIABLES[name]["query"]["query"])
        assert query is not None
        assert query[2] == name
        assert [it.name for it in selectors(query[1])] == ["ak_instagram_build_info"]


def test_the_dashboard_shows_all_without_namespaces_and_pods():
    for name in ("namespace", "pod"):
        assert VARIABLES[name]["allValue"] == ".*"
        assert VARIABLES[name]["current"]["value"] == ["$__all"]


def test_nothing_is_measured_that_is_never_looked_at():
    seen = {selector.name for expr in QUERIES for selector in selectors(str(expr.values[0]))}

    assert {name for name in series() if not name.endswith(("_sum", "_count"))} == seen
