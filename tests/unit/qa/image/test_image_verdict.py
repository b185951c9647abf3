"""A claim holds or not, in one line; what does not hold yet is looked at again."""

from __future__ import annotations

import pytest

from qa.image.verdict import Failed, NotYet, Verdict, judge, refuse, until


def fails(message: str, kind: type[Failed] = Failed):
    def check() -> str:
        raise kind(message)

    return check


def test_evidence_makes_a_claim_hold():
    assert str(judge("answers", lambda: "within 3 ms")) == "ok    answers: within 3 ms"


def test_a_failure_is_one_line_however_long_its_reason():
    verdict = judge("answers", fails("nothing\n  came"))

    assert not verdict.holds
    assert str(verdict) == "FAIL  answers: nothing came"


def test_a_bug_of_the_check_is_no_verdict():
    with pytest.raises(ZeroDivisionError):
        judge("answers", lambda: str(1 / 0))


def test_problems_are_told_together():
    refuse([])
    with pytest.raises(Failed, match="one; two"):
        refuse(["one", "two"])


def test_what_comes_in_time_is_returned():
    looks = iter([0, 0, 7])

    assert until(lambda: next(looks), 10, "a number") == 7


def test_what_never_comes_is_a_failure_with_the_last_reason():
    with pytest.raises(Failed, match="a number: not within 0 s"):
        until(lambda: 0, 0, "a number")
    with pytest.raises(Failed, match="a number: no answer within 0 s"):
        until(fails("no answer", NotYet), 0, "a number")


def test_what_has_failed_for_good_is_not_waited_for():
    looks = iter([fails("it ended")])

    with pytest.raises(Failed, match="it ended"):
        until(lambda: next(looks)(), 10, "its health")


def test_verdicts_are_values():
    assert judge("answers", lambda: "yes") == Verdict("answers", True, "yes")
