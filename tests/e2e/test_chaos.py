"""A little of `make chaos`: processes die and stall, peers fail, nothing is lost or doubled."""

from __future__ import annotations

import pytest

from qa.chaos.campaign import Effort
from qa.chaos.side_by_side import run_all
from qa.chaos.stores import NAMES
from qa.chaos.trouble import Pace

pytestmark = pytest.mark.timeout(120)

SEED = 1
LITTLE = Effort(
    messages=150,
    people=30,
    seconds=3,
    limit=60,
    pace=Pace(process=1.0, graph=0.4, store=2.0, echo=1.0),
)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What came of a campaign on each store."""
    folder = tmp_path_factory.mktemp("chaos")
    return {outcome.store: outcome for outcome in run_all(NAMES, SEED, LITTLE, folder)}


@pytest.mark.parametrize("store", NAMES)
def test_nothing_is_lost_doubled_or_overtaken(store, outcomes):
    outcome = outcomes[store]

    assert outcome.violations == []
    assert outcome.left == 0
    assert outcome.accepted >= LITTLE.messages
    assert outcome.trouble["kills"] + outcome.trouble["stops"] > 0
