"""Who is to blame for a failure depends on what worked since the failure before."""

from __future__ import annotations

import pytest

from ak_instagram.delivery.attempts import MAX_REMEMBERED, AttemptHistory
from ak_instagram.meta.graph_codes import ErrorClass
from ak_instagram.meta.graph_errors import GraphError
from ak_instagram.store.values import Piece

T = ErrorClass.TRANSIENT
RL = ErrorClass.RATE_LIMITED
AUTH = ErrorClass.AUTHORIZATION
USR = ErrorClass.PERSON_UNAVAILABLE
BAD = ErrorClass.BAD_REQUEST
BLK = ErrorClass.ACCOUNT_RESTRICTED
UNK = ErrorClass.OUTCOME_UNKNOWN

NEVER = float("-inf")


def piece(number: int = 7, *, tries: int = 1) -> Piece:
    return Piece(number, "turn", 0, {"text": "hello"}, tries, False, 0, 0)


def meanings(error: GraphError, *worked: bool) -> list[ErrorClass]:
    """Return what *error* means at first, and then again, as the account has *worked* between."""
    failures = AttemptHistory()
    found = [failures.note(piece(), error, 0.0, NEVER).error_class]
    for number, has_worked in enumerate(worked, start=1):
        last_worked = number - 0.5 if has_worked else NEVER
        found.append(failures.note(piece(), error, float(number), last_worked).error_class)
    return found


@pytest.mark.parametrize(
    ("error", "nothing_works", "others_work"),
    [
        pytest.param(GraphError(AUTH, code=10), [AUTH] * 3, [AUTH, T, T], id="permission"),
        pytest.param(GraphError(BLK, code=368), [BLK] * 3, [BLK, T, T], id="policy"),
        pytest.param(GraphError(T, code=508, subcode=2534122), [T, T, BLK], [T, T, T], id="links"),
        pytest.param(GraphError(UNK, code=1, subcode=99), [UNK, AUTH, AUTH], [UNK] * 3, id="1/99"),
        pytest.param(GraphError(T, code=2), [T, T, T], [T, T, USR], id="perhaps-the-person"),
        pytest.param(GraphError(USR, code=551), [USR] * 3, [USR] * 3, id="surely-the-person"),
        pytest.param(
            GraphError(T, code=100, subcode=2018008), [T, BAD, BAD], [T, BAD, BAD], id="file"
        ),
        pytest.param(GraphError(RL, code=613), [RL] * 3, [RL] * 3, id="limit"),
    ],
)
def test_what_works_in_between_tells_the_piece_from_the_account(error, nothing_works, others_work):
    assert meanings(error, False, False) == nothing_works
    assert meanings(error, True, True) == others_work


def test_what_worked_counts_only_since_the_failure_before():
    assert meanings(GraphError(T, code=2), True, False, True) == [T, T, T, USR]
    assert meanings(GraphError(AUTH, code=10), True, False, True) == [AUTH, T, AUTH, T]


def test_each_piece_has_failures_of_its_own():
    failures, error = AttemptHistory(), GraphError(AUTH, code=10)
    failures.note(piece(1), error, 0.0, NEVER)

    assert failures.note(piece(2), error, 2.0, 1.0).error_class is AUTH


def test_a_forgotten_piece_begins_anew():
    failures, error = AttemptHistory(), GraphError(AUTH, code=10)
    failures.note(piece(), error, 0.0, NEVER)

    failures.forget(piece())

    assert failures.note(piece(), error, 2.0, 1.0).error_class is AUTH


def test_only_the_latest_try_is_asked_for():
    failures = AttemptHistory()
    failure = failures.note(piece(tries=1), GraphError(T), 0.0, NEVER)

    assert failures.of_latest_try(piece(tries=1)) == failure
    assert failures.of_latest_try(piece(tries=2)) is None


def test_the_pieces_that_failed_longest_ago_are_forgotten_first():
    failures, error = AttemptHistory(), GraphError(T)
    for number in (*range(MAX_REMEMBERED), 0, MAX_REMEMBERED):
        failures.note(piece(number), error, 0.0, NEVER)

    known = [
        failures.of_latest_try(piece(number)) is not None for number in (0, 1, 2, MAX_REMEMBERED)
    ]

    assert known == [True, False, True, True]
