"""A little of `make chaos`: processes die and stall, peers fail, nothing is lost or doubled."""

from __future__ import annotations

import pytest

from chaos.campaign import Effort, run
from chaos.stores import NAMES
from chaos.trouble import Pace

SEED = 1
LITTLE = Effort(
    messages=150,
    people=30,
    seconds=3,
    peace=30,
    pace=Pace(process=1.0, graph=0.4, store=2.0, echo=1.0),
)


@pytest.mark.parametrize("store", NAMES)
async def test_nothing_is_lost_doubled_or_overtaken(store, tmp_path):
    outcome = await run(store, SEED, LITTLE, tmp_path)

    assert outcome.violations == []
    assert outcome.left == 0
    assert outcome.accepted >= LITTLE.messages
    assert outcome.trouble["kills"] + outcome.trouble["stops"] > 0
