"""A blocked account is left alone, tried by one at a time, and free once that works."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from ak_instagram.sender.circuit import PROBE, Circuits
from ak_instagram.sender.graph_errors import ErrorClass, GraphError

DEAD_TOKEN = GraphError(ErrorClass.AUTHORIZATION, code=190, subcode=463)
LIMIT = GraphError(ErrorClass.RATE_LIMITED, code=613, retry_after=120)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def tripped(error: GraphError = DEAD_TOKEN) -> tuple[Circuits, Clock, float]:
    clock = Clock()
    circuits = Circuits(clock)
    pause = circuits.trip("shop", error, error.error_class)
    return circuits, clock, pause


def test_a_blocked_account_waits_and_others_do_not():
    circuits, _, pause = tripped()

    assert circuits.wait("shop", "anna") == pytest.approx(pause)
    assert circuits.wait("cafe", "anna") == 0


def test_after_the_pause_one_is_let_through_to_try():
    circuits, clock, pause = tripped()
    clock.now = pause

    assert circuits.wait("shop", "anna") == 0
    assert circuits.wait("shop", "ben") == pytest.approx(PROBE)
    assert circuits.wait("shop", "anna") == 0, "its answer is to go out, too"


def test_another_may_try_if_the_first_has_not_said_how_it_went():
    circuits, clock, pause = tripped()
    clock.now = pause
    circuits.wait("shop", "anna")
    clock.now += PROBE

    assert circuits.wait("shop", "ben") == 0


def test_pauses_grow_and_stay_bounded():
    circuits, _, first = tripped()

    pauses = [circuits.trip("shop", DEAD_TOKEN, ErrorClass.AUTHORIZATION) for _ in range(10)]

    assert 15 <= first <= 30
    assert 450 <= pauses[-1] <= 900


def test_meta_may_ask_for_a_longer_pause():
    _, _, pause = tripped(LIMIT)

    assert pause == 120


def test_a_healed_account_is_free():
    circuits, _, _ = tripped()

    assert circuits.heal("shop")
    assert circuits.wait("shop", "anna") == 0
    assert not circuits.heal("shop")


def test_it_is_said_once_and_with_what_helps():
    with capture_logs() as logs:
        circuits, _, _ = tripped()
        circuits.trip("shop", DEAD_TOKEN, ErrorClass.AUTHORIZATION)
        circuits.heal("shop")

    assert [line["event"] for line in logs] == ["account.stopped", "account.healed"]
    assert "token" in logs[0]["fix"]
