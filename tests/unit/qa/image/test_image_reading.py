"""What the service says is read by rules of the judge's own, which agree with the service's."""

from __future__ import annotations

import pytest

from ak_instagram.webhook.signature import sign
from qa.image.reading import complaints, draining, says_the_same, signature, total
from qa.image.verdict import Failed

METRICS = """\
# HELP ak_instagram_webhooks_total Webhook requests by HTTP status.
ak_instagram_webhooks_total{status="200"} 3.0
ak_instagram_webhooks_total{status="403"} 2.0
ak_instagram_webhooks_totally 9.0
ak_instagram_jobs_dead 1e+00
"""
DRAINING = '{"timestamp":"2026-11-01T00:00:00Z","event":"worker.draining","conversations":1}'


def test_both_sign_alike():
    assert signature("a secret", b'{"entry":[]}') == sign("a secret", b'{"entry":[]}')


@pytest.mark.parametrize(
    ("name", "having", "sum_"),
    [
        pytest.param("ak_instagram_webhooks_total", "", 5, id="all-labels"),
        pytest.param("ak_instagram_webhooks_total", 'status="403"', 2, id="one-label"),
        pytest.param("ak_instagram_jobs_dead", "", 1, id="no-labels"),
        pytest.param("ak_instagram_turns_total", "", 0, id="not-there"),
    ],
)
def test_a_metric_is_summed(name, having, sum_):
    assert total(METRICS, name, having) == sum_


def test_pieces_say_the_same_wherever_they_were_cut():
    assert says_the_same(["One two.", "Three."], ["One", "two.\n", "Three."])
    assert not says_the_same(["One two."], ["One"])
    assert not says_the_same(["One"], ["One", "One"])


def test_the_last_shutdown_counts():
    assert draining(["no JSON", DRAINING.replace("1}", "7}"), DRAINING]) == 1
    assert draining(["no JSON"]) is None


def test_each_line_of_a_refused_start_names_a_key():
    said = "agent.url (AK_AGENT__URL): is missing\nstore.url (AK_STORE__URL): is no URL"

    assert complaints(said) == ["agent.url", "store.url"]


def test_a_traceback_is_no_complaint():
    with pytest.raises(Failed, match="Traceback"):
        complaints("Traceback (most recent call last):\n  File …")
