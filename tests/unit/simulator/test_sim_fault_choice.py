"""Faults happen to what they are for, as often as they were told, by repeatable chance."""

from __future__ import annotations

from typing import get_args

import pytest

from instagram_simulator import Fault, FaultKind
from instagram_simulator.faults import Faults, Target


@pytest.mark.parametrize(
    ("fault", "targets"),
    [
        pytest.param(Fault(FaultKind.DUPLICATE), {"webhook"}, id="webhooks-need-no-telling"),
        pytest.param(Fault(FaultKind.DUPLICATE, on="any"), {"webhook"}, id="webhooks-only"),
        pytest.param(Fault(FaultKind.SLOW), {"send"}, id="sends-by-default"),
        pytest.param(Fault(FaultKind.SLOW, on="action"), {"action"}, id="actions"),
        pytest.param(Fault(FaultKind.SLOW, on="any"), {"send", "action", "read"}, id="any-call"),
    ],
)
def test_a_fault_hits_its_targets(fault, targets):
    assert {target for target in get_args(Target) if fault.hits(target)} == targets


def test_a_fault_is_over_after_its_times():
    faults = Faults()
    faults.add(Fault(FaultKind.SLOW, times=2))
    taken = [faults.take("send") for _ in range(3)]

    assert [fault is not None for fault in taken] == [True, True, False]
    assert faults.active() == {}


def test_a_fault_without_times_stays_until_it_is_removed():
    faults = Faults()
    number = faults.add(Fault(FaultKind.SLOW))
    taken = [faults.take("send") for _ in range(10)]

    assert None not in taken
    assert (faults.remove(number), faults.remove(number), faults.take("send")) == (
        True,
        False,
        None,
    )


def test_the_first_fault_that_hits_is_the_one():
    faults = Faults()
    faults.add(Fault(FaultKind.SLOW, times=1))
    faults.add(Fault(FaultKind.HANG))

    taken = [faults.take("send") for _ in range(2)]

    assert [fault and fault.kind for fault in taken] == [FaultKind.SLOW, FaultKind.HANG]


def test_the_same_seed_gives_the_same_chances():
    def draw(seed):
        faults = Faults(seed)
        faults.add(Fault(FaultKind.SLOW, probability=0.3))
        return [faults.take("send") is not None for _ in range(200)]

    assert draw(7) == draw(7)
    assert draw(7) != draw(8)
    assert 30 < sum(draw(7)) < 90


@pytest.mark.parametrize(
    "wrong",
    [{"times": 0}, {"probability": 0}, {"probability": 1.5}, {"seconds": -1}, {"on": "x"}],
)
def test_what_cant_be_meant_is_refused(wrong):
    with pytest.raises(ValueError, match="must"):
        Fault(FaultKind.SLOW, **wrong)
