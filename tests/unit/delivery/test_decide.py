"""A failed call, its piece's history and the failures in a row decide what becomes of a piece."""

from __future__ import annotations

import pytest

from ak_instagram.backoff import Backoff
from ak_instagram.delivery.decide import (
    ECHO_WAIT,
    MAX_REMEMBERED,
    VERDICT_WAIT,
    AttemptHistory,
    Degrade,
    Failure,
    GiveUp,
    LookUp,
    OpenCircuit,
    Park,
    Retry,
    SendLater,
    decide,
    judge,
    shows_that_account_works,
)
from ak_instagram.delivery.reconcile import decide_look_up_failed, decide_not_found
from ak_instagram.meta.graph.codes import ErrorClass
from ak_instagram.meta.graph.errors import GraphError
from ak_instagram.store.values import Piece

T = ErrorClass.TRANSIENT
RL = ErrorClass.RATE_LIMITED
AUTH = ErrorClass.AUTHORIZATION
WIN = ErrorClass.WINDOW_CLOSED
USR = ErrorClass.PERSON_UNAVAILABLE
BAD = ErrorClass.BAD_REQUEST
BLK = ErrorClass.ACCOUNT_RESTRICTED
UNK = ErrorClass.OUTCOME_UNKNOWN

PERHAPS_BLOCKED = GraphError(T, code=2)
LINKS_REFUSED = GraphError(T, code=508, subcode=2534122)
FILE_NOT_FETCHED = GraphError(T, code=100, subcode=2018008)
PERHAPS_FORBIDDEN = GraphError(UNK, code=1, subcode=99)
NO_ROLE = GraphError(AUTH, code=10, subcode=2534048)
POLICY = GraphError(BLK, code=368)
BAD_MESSAGE = GraphError(BAD, code=100, subcode=2534015)
VAGUE = GraphError(BAD, code=100)
NO_OBJECT = GraphError(BAD, code=100, subcode=33)
UNHEARD_OF = GraphError(BAD, code=4711)
VERSION_ENDED = GraphError(BLK, code=2635)

BACKOFF = Backoff(max_attempts=3, chance=lambda: 0.0)  # waits 1 s, then 3 s
NEVER = float("-inf")


def piece(number: int = 7, *, attempt: int = 1) -> Piece:
    return Piece(number, "turn", 0, {"text": "hello"}, attempt, False, 0, 0)


def failure(error: GraphError, times: int = 1, *, account_worked: bool = False) -> Failure:
    """A failure that ended *times* calls in a row, with a success of the account in between."""
    span = VERDICT_WAIT if times > 1 else 0.0
    error_class = judge(error, times, span, account_worked=account_worked)
    may_change = error.may_change and times == 1
    return Failure(times, error.code, error.subcode, times, 0.0, span, error_class, may_change)


# --- after a send -----------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "failures", "action"),
    [
        pytest.param(GraphError(T), 1, Retry(1, "transient"), id="transient-first"),
        pytest.param(GraphError(T), 2, Retry(3, "transient"), id="transient-second"),
        pytest.param(GraphError(T), 3, GiveUp("gave up: transient"), id="transient-last-attempt"),
        pytest.param(
            GraphError(T, retry_after=30), 1, Retry(30, "transient"), id="transient-meta-says-when"
        ),
        pytest.param(
            PERHAPS_BLOCKED,
            2,
            Retry(VERDICT_WAIT, "transient code=2"),
            id="failures-not-seen-here-are-no-repetition",
        ),
        pytest.param(GraphError(UNK), 1, LookUp(ECHO_WAIT, "outcome_unknown"), id="unknown"),
        pytest.param(
            GraphError(UNK, retry_after=30),
            1,
            LookUp(30, "outcome_unknown"),
            id="unknown-meta-says-when",
        ),
        pytest.param(
            GraphError(UNK),
            100,
            LookUp(ECHO_WAIT, "outcome_unknown"),
            id="unknown-after-the-last-attempt-too",
        ),
        pytest.param(
            GraphError(RL, retry_after=120),
            10,
            OpenCircuit(RL, "rate_limited", 120, in_doubt=False),
            id="rate-limit-uses-up-no-attempt",
        ),
        pytest.param(
            GraphError(AUTH),
            100,
            OpenCircuit(AUTH, "authorization", None, in_doubt=False),
            id="dead-token-uses-up-no-attempt",
        ),
        pytest.param(
            GraphError(BLK),
            100,
            OpenCircuit(BLK, "account_restricted", None, in_doubt=False),
            id="restriction-uses-up-no-attempt",
        ),
        pytest.param(GraphError(WIN), 1, Park("window_closed"), id="window-closed"),
        pytest.param(GraphError(USR), 1, GiveUp("person_unavailable"), id="person-unavailable"),
        pytest.param(BAD_MESSAGE, 1, GiveUp(str(BAD_MESSAGE)), id="our-mistake"),
        pytest.param(VAGUE, 1, Retry(1, str(VAGUE)), id="perhaps-the-app"),
        pytest.param(VAGUE, 2, Retry(VERDICT_WAIT, str(VAGUE)), id="perhaps-the-app-last"),
        pytest.param(
            VERSION_ENDED,
            1,
            OpenCircuit(BLK, str(VERSION_ENDED), None, in_doubt=False),
            id="surely-the-app",
        ),
    ],
)
def test_the_first_error_of_a_piece_decides_by_its_class(error, failures, action):
    assert decide(error, failure(error), failures, BACKOFF) == action


@pytest.mark.parametrize(
    ("error", "times", "action"),
    [
        pytest.param(BAD_MESSAGE, 1, Degrade(str(BAD_MESSAGE)), id="our-mistake"),
        pytest.param(VAGUE, 1, Degrade(str(VAGUE)), id="perhaps-the-app"),
        pytest.param(UNHEARD_OF, 1, Degrade(str(UNHEARD_OF)), id="unheard-of"),
        pytest.param(FILE_NOT_FETCHED, 1, Retry(1, str(FILE_NOT_FETCHED)), id="file-1st"),
        pytest.param(FILE_NOT_FETCHED, 2, Degrade(str(FILE_NOT_FETCHED)), id="file-2nd"),
        pytest.param(PERHAPS_BLOCKED, 3, Retry(1, str(PERHAPS_BLOCKED)), id="transient"),
        pytest.param(GraphError(UNK), 1, LookUp(ECHO_WAIT, str(GraphError(UNK))), id="unknown"),
        pytest.param(GraphError(USR), 1, GiveUp(str(GraphError(USR))), id="person-unavailable"),
        pytest.param(GraphError(WIN), 1, Park(str(GraphError(WIN))), id="window-closed"),
        pytest.param(
            GraphError(AUTH),
            1,
            OpenCircuit(AUTH, str(GraphError(AUTH)), None, in_doubt=False),
            id="account-to-blame",
        ),
    ],
)
def test_words_stand_in_for_what_is_refused_without_waiting_for_a_verdict(error, times, action):
    error_class = judge(error, times, span=1.0, account_worked=False)
    failed = Failure(times, error.code, error.subcode, times, 0.0, 1.0, error_class, True)

    assert decide(error, failed, 1, BACKOFF, has_fallback=True) == action


@pytest.mark.parametrize(
    ("error", "attempt", "action"),
    [
        pytest.param(GraphError(T), 1, Retry(1, str(GraphError(T))), id="first"),
        pytest.param(GraphError(T), 2, Degrade(str(GraphError(T))), id="second"),
        pytest.param(
            GraphError(RL, retry_after=9),
            2,
            OpenCircuit(RL, "rate_limited", 9, in_doubt=False),
            id="account-to-blame",
        ),
    ],
)
def test_a_reaction_keeps_the_answer_waiting_for_one_attempt_more(error, attempt, action):
    failed = Failure(attempt, error.code, error.subcode, 1, 0.0, 0.0, error.error_class)

    assert decide(error, failed, 1, BACKOFF, has_fallback=True, is_action=True) == action


def test_a_restricted_account_waits_even_if_words_could_stand_in():
    failed = Failure(1, 100, None, 1, 0.0, 0.0, BLK)

    action = decide(VAGUE, failed, 1, BACKOFF, has_fallback=True)

    assert action == OpenCircuit(BLK, str(VAGUE), None, in_doubt=False)


@pytest.mark.parametrize(
    ("error", "times", "nothing_worked", "account_worked"),
    [
        pytest.param(
            PERHAPS_BLOCKED,
            1,
            Retry(1, "transient code=2"),
            Retry(1, "transient code=2"),
            id="perhaps-the-person-1st",
        ),
        pytest.param(
            PERHAPS_BLOCKED,
            2,
            Retry(1, "transient code=2"),
            Retry(1, "transient code=2"),
            id="perhaps-the-person-2nd",
        ),
        pytest.param(
            PERHAPS_BLOCKED,
            3,
            Retry(1, "transient code=2"),
            GiveUp("transient code=2"),
            id="perhaps-the-person-3rd",
        ),
        pytest.param(
            LINKS_REFUSED,
            2,
            Retry(1, str(LINKS_REFUSED)),
            Retry(1, str(LINKS_REFUSED)),
            id="links-2nd",
        ),
        pytest.param(
            LINKS_REFUSED,
            3,
            OpenCircuit(BLK, str(LINKS_REFUSED), None, in_doubt=False),
            Retry(1, str(LINKS_REFUSED)),
            id="links-3rd",
        ),
        pytest.param(
            FILE_NOT_FETCHED,
            2,
            GiveUp(str(FILE_NOT_FETCHED)),
            GiveUp(str(FILE_NOT_FETCHED)),
            id="file-2nd",
        ),
        pytest.param(
            PERHAPS_FORBIDDEN,
            2,
            OpenCircuit(AUTH, str(PERHAPS_FORBIDDEN), None, in_doubt=True),
            LookUp(ECHO_WAIT, str(PERHAPS_FORBIDDEN)),
            id="perhaps-forbidden-2nd",
        ),
        pytest.param(
            NO_ROLE,
            2,
            OpenCircuit(AUTH, str(NO_ROLE), None, in_doubt=False),
            Retry(1, str(NO_ROLE)),
            id="permission-2nd",
        ),
        pytest.param(
            POLICY,
            2,
            OpenCircuit(BLK, str(POLICY), None, in_doubt=False),
            Retry(1, str(POLICY)),
            id="policy-2nd",
        ),
    ],
)
def test_a_repeated_error_decides_by_whether_the_account_works(
    error, times, nothing_worked, account_worked
):
    alone = failure(error, times)
    among_others = failure(error, times, account_worked=True)

    assert decide(error, alone, 1, BACKOFF) == nothing_worked
    assert decide(error, among_others, 1, BACKOFF) == account_worked


@pytest.mark.parametrize(
    ("error", "works"),
    [
        pytest.param(GraphError(WIN), True, id="window-closed"),
        pytest.param(GraphError(USR), True, id="person-unavailable"),
        pytest.param(BAD_MESSAGE, True, id="bad-request"),
        pytest.param(VAGUE, False, id="perhaps-the-app"),
        pytest.param(UNHEARD_OF, False, id="unheard-of"),
        pytest.param(PERHAPS_BLOCKED, False, id="person-only-by-repetition"),
        pytest.param(FILE_NOT_FETCHED, False, id="bad-request-only-by-repetition"),
        pytest.param(GraphError(UNK), False, id="outcome-unknown"),
        pytest.param(GraphError(RL), False, id="rate-limit"),
        pytest.param(GraphError(AUTH), False, id="dead-token"),
        pytest.param(GraphError(BLK), False, id="restricted"),
    ],
)
def test_only_metas_own_refusal_shows_that_the_account_works(error, works):
    assert shows_that_account_works(error) is works


# --- after a look-up --------------------------------------------------------


@pytest.mark.parametrize(
    ("latest", "failures", "action"),
    [
        pytest.param(None, 1, Retry(0, "it did not arrive"), id="not-seen-to-end"),
        pytest.param(failure(GraphError(UNK)), 1, Retry(0, "it did not arrive"), id="unknown"),
        pytest.param(failure(GraphError(UNK)), 2, Retry(0.5, "it did not arrive"), id="again"),
        pytest.param(
            failure(GraphError(UNK)), 3, GiveUp("gave up: it did not arrive"), id="last-attempt"
        ),
        pytest.param(
            failure(PERHAPS_FORBIDDEN, 2),
            100,
            SendLater(0.0, "it did not arrive"),
            id="account-was-to-blame",
        ),
    ],
)
def test_a_piece_that_did_not_arrive_is_sent_again_when_its_backoff_is_over(
    latest, failures, action
):
    assert decide_not_found(latest, failures, BACKOFF, elapsed=ECHO_WAIT) == action


@pytest.mark.parametrize(
    ("error", "times", "account_worked", "failures", "action"),
    [
        pytest.param(
            GraphError(T), 1, False, 1, Retry(1, "transient", in_doubt=True), id="transient"
        ),
        pytest.param(
            GraphError(T), 1, False, 3, GiveUp("gave up: transient"), id="transient-last-attempt"
        ),
        pytest.param(
            GraphError(RL, retry_after=1000),
            1,
            False,
            100,
            OpenCircuit(RL, "rate_limited", 1000, in_doubt=True),
            id="rate-limit",
        ),
        pytest.param(
            GraphError(BLK),
            1,
            False,
            100,
            OpenCircuit(BLK, "account_restricted", None, in_doubt=True),
            id="restricted",
        ),
        pytest.param(
            NO_ROLE,
            2,
            False,
            1,
            OpenCircuit(AUTH, str(NO_ROLE), None, in_doubt=True),
            id="permission-again-nothing-worked",
        ),
        pytest.param(
            NO_ROLE,
            2,
            True,
            1,
            Retry(1, str(NO_ROLE), in_doubt=True),
            id="permission-again-account-worked",
        ),
    ],
)
def test_an_outcome_that_can_not_be_looked_up_stays_unknown(
    error, times, account_worked, failures, action
):
    failed = failure(error, times, account_worked=account_worked)

    assert decide_look_up_failed(error, failed, failures, BACKOFF) == action


# --- history ----------------------------------------------------------------


def classes(error: GraphError, *calls: tuple[float, float | None]) -> list[ErrorClass]:
    """
    Return the class of *error* at each of the *calls* of one piece.

    A call is when it failed and when another call of the account last worked before, if
    one did.
    """
    history = AttemptHistory()
    return [
        history.record(piece(), error, at, NEVER if worked is None else worked).error_class
        for at, worked in calls
    ]


@pytest.mark.parametrize(
    ("error", "nothing_works", "others_work"),
    [
        pytest.param(GraphError(AUTH, code=10), [AUTH] * 3, [AUTH, T, T], id="permission"),
        pytest.param(POLICY, [BLK] * 3, [BLK, T, T], id="policy"),
        pytest.param(LINKS_REFUSED, [T, T, BLK], [T, T, T], id="links"),
        pytest.param(PERHAPS_FORBIDDEN, [UNK, AUTH, AUTH], [UNK] * 3, id="1/99"),
        pytest.param(PERHAPS_BLOCKED, [T, T, T], [T, T, USR], id="perhaps-the-person"),
        pytest.param(GraphError(USR, code=551), [USR] * 3, [USR] * 3, id="surely-the-person"),
        pytest.param(FILE_NOT_FETCHED, [T, BAD, BAD], [T, BAD, BAD], id="file"),
        pytest.param(GraphError(RL, code=613), [RL] * 3, [RL] * 3, id="limit"),
    ],
)
def test_a_success_in_between_tells_the_piece_from_the_account(error, nothing_works, others_work):
    assert classes(error, (0, None), (60, None), (120, None)) == nothing_works
    assert classes(error, (0, None), (60, 59), (120, 119)) == others_work


@pytest.mark.parametrize(
    ("error", "calls", "seen"),
    [
        pytest.param(
            PERHAPS_BLOCKED,
            [(0, None), (1, 0.5), (4, 3), (13, 12), (40, 39), (59.9, 59), (60, 59)],
            [T, T, T, T, T, T, USR],
            id="the-person-after-a-minute",
        ),
        pytest.param(
            LINKS_REFUSED,
            [(0, None), (1, None), (4, None), (13, None), (59.9, None), (60, None)],
            [T, T, T, T, T, BLK],
            id="the-account-after-a-minute",
        ),
        pytest.param(
            LINKS_REFUSED, [(0, None), (100, None), (101, None)], [T, T, BLK], id="times-count-too"
        ),
        pytest.param(
            PERHAPS_FORBIDDEN, [(0, None), (6, None), (70, None)], [UNK, UNK, AUTH], id="1/99"
        ),
        pytest.param(FILE_NOT_FETCHED, [(0, None), (1, 0.5), (61, 2)], [T, T, BAD], id="file"),
    ],
)
def test_a_repeated_error_means_something_else_only_once_its_failures_span_a_minute(
    error, calls, seen
):
    assert classes(error, *calls) == seen


@pytest.mark.parametrize(
    ("worked", "error_class"),
    [
        pytest.param(-1, AUTH, id="before-the-first-failure"),
        pytest.param(0, AUTH, id="as-the-first-failure-ended"),
        pytest.param(0.5, T, id="since-then"),
    ],
)
def test_a_success_counts_since_the_first_failure(worked, error_class):
    assert classes(GraphError(AUTH, code=10), (0, None), (1, worked))[-1] is error_class


def test_a_success_speaks_for_the_account_for_a_minute():
    calls = [(0, None), (60, 0.5), (60.4, 0.5), (60.6, 0.5), (200, 61.0)]

    assert classes(GraphError(AUTH, code=10), *calls) == [AUTH, T, T, AUTH, T]


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        pytest.param(GraphError(T), 3.0, id="means-the-same-however-often"),
        pytest.param(PERHAPS_BLOCKED, VERDICT_WAIT, id="may-be-the-person"),
        pytest.param(LINKS_REFUSED, VERDICT_WAIT, id="may-be-the-account"),
    ],
)
def test_the_last_attempt_waits_until_it_can_give_a_verdict(error, wait):
    history = AttemptHistory()
    history.record(piece(), error, 0.0, NEVER)
    second = history.record(piece(), error, 1.0, NEVER)

    assert decide(error, second, 2, BACKOFF) == Retry(wait, str(error))


@pytest.mark.parametrize("error", [VAGUE, NO_OBJECT, UNHEARD_OF], ids=["100", "100/33", "unknown"])
@pytest.mark.parametrize(
    ("span", "account_worked", "people", "error_class"),
    [
        pytest.param(0, False, 1, T, id="first"),
        pytest.param(59.9, False, 1, T, id="nobody-else-yet"),
        pytest.param(60, False, 1, BAD, id="nobody-else-within-a-minute"),
        pytest.param(1, True, 1, BAD, id="others-were-sent"),
        pytest.param(0, False, 2, BLK, id="the-second-person-in-a-row"),
        pytest.param(100, False, 2, BLK, id="people-in-a-row-for-long"),
        pytest.param(1, True, 2, BAD, id="two-people-and-others-were-sent"),
    ],
)
def test_a_vague_refusal_is_the_apps_once_different_people_got_it_in_a_row(
    error, span, account_worked, people, error_class
):
    seen = judge(error, 2, span, account_worked=account_worked, people=people)

    assert seen is error_class


def test_a_clear_refusal_is_the_messages_however_many_people_get_one():
    assert judge(BAD_MESSAGE, 1, 0, account_worked=False, people=9) is BAD


def test_another_error_begins_a_new_count():
    history, last_success = AttemptHistory(), 100.0
    sequence = [PERHAPS_BLOCKED, PERHAPS_BLOCKED, GraphError(T), PERHAPS_BLOCKED, PERHAPS_BLOCKED]

    failures = [
        history.record(piece(), error, 60.0 * at, last_success) for at, error in enumerate(sequence)
    ]

    assert [it.times for it in failures] == [1, 2, 1, 1, 2]
    assert [it.at - it.first_at for it in failures] == [0, 60, 0, 0, 60]
    assert {it.error_class for it in failures} == {T}


def test_each_piece_has_a_history_of_its_own():
    history, error = AttemptHistory(), GraphError(AUTH, code=10)
    history.record(piece(1), error, 0.0, NEVER)

    assert history.record(piece(2), error, 2.0, 1.0).error_class is AUTH


def test_a_forgotten_piece_begins_anew():
    history, error = AttemptHistory(), GraphError(AUTH, code=10)
    history.record(piece(), error, 0.0, NEVER)

    history.forget(piece())

    assert history.record(piece(), error, 2.0, 1.0).error_class is AUTH


def test_only_the_latest_attempt_has_a_latest_failure():
    history = AttemptHistory()
    recorded = history.record(piece(attempt=1), GraphError(T), 0.0, NEVER)

    assert history.latest(piece(attempt=1)) == recorded
    assert history.latest(piece(attempt=2)) is None


def test_the_pieces_that_failed_longest_ago_are_forgotten_first():
    history, error = AttemptHistory(), GraphError(T)
    for number in (*range(MAX_REMEMBERED), 0, MAX_REMEMBERED):
        history.record(piece(number), error, 0.0, NEVER)

    known = [history.latest(piece(number)) is not None for number in (0, 1, 2, MAX_REMEMBERED)]

    assert known == [True, False, True, True]
