"""
Delivery's decisions: a failed call and the history of its piece become one action.

Meta's codes do not always tell a person or a message from the account, or from a trouble
of Meta's own. The difference shows in whether any call of the account has worked since
the piece failed before, or within a minute:

- One has: the account can send, and is not stopped for this piece again.
- None has: the person is not to blame yet, since perhaps nobody can be reached.

A refusal that does not say whether it is of the message or of the app counts as the
account's once different people got one in a row, with no success between, and as the
message's once the account has worked since, or nobody else got one within a minute.

A piece that is more than words, and has words that can stand in for it, is not waited for:
a refusal of it lets them be sent, and they show whom it was meant for.

What an error means by being repeated takes time as well: a bad minute of Meta's passes.
Tries follow the backoff meanwhile; only the verdict waits.

docs/reliability.md has the decisions as a table, printed from this code.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from ak_instagram.backoff import Backoff
from ak_instagram.meta.graph.codes import STOPPED, WHOLE_ACCOUNT, ErrorClass
from ak_instagram.meta.graph.errors import GraphError
from ak_instagram.store.values import Piece

# Seconds in which the echo of a send usually arrives, and in which Meta shows a message that it
# took: one that is not found earlier may yet have arrived.
ECHO_WAIT = 2.5
# Seconds that failures have to span until the error means what it means by being repeated, and
# for which a success with anybody shows that the account can send.
VERDICT_WAIT = 60.0
PEOPLE = 2  # that get a vague refusal in a row until it is the account's
MAX_REMEMBERED = 10_000  # pieces

# Meta checked the account first, and then refused this message or this person.
_REFUSALS = frozenset(
    {ErrorClass.WINDOW_CLOSED, ErrorClass.PERSON_UNAVAILABLE, ErrorClass.BAD_REQUEST}
)

_DEAD_TOKEN = frozenset({102, 190})

# --- actions ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sent:
    """The piece arrived, as *message_id*."""

    message_id: str


@dataclass(frozen=True, slots=True)
class Retry:
    """
    Try again in *after* seconds, which uses up one of the piece's attempts.

    A piece *in_doubt* may have arrived, so the next attempt is to look for it.
    """

    after: float
    why: str
    in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class LookUp:
    """The piece may have arrived: look for it in *after* seconds; uses up no attempt."""

    after: float
    why: str


@dataclass(frozen=True, slots=True)
class SendLater:
    """The piece did not arrive: send it in *after* seconds; uses up no attempt."""

    after: float
    why: str


@dataclass(frozen=True, slots=True)
class WaitForAccount:
    """The account can't send for *after* seconds; uses up no attempt."""

    after: float
    why: str
    in_doubt: bool


@dataclass(frozen=True, slots=True)
class OpenCircuit:
    """
    Let the whole account wait because of *error_class*; uses up no attempt.

    *retry_after* is for how many seconds Meta asked, if it did. A piece *in_doubt* is
    looked for when the wait is over.
    """

    error_class: ErrorClass
    why: str
    retry_after: float | None
    in_doubt: bool


@dataclass(frozen=True, slots=True)
class Park:
    """The 24 h window is closed: keep the answer until the person writes again."""

    why: str


@dataclass(frozen=True, slots=True)
class Degrade:
    """Send in its place what stands in for the piece; uses up no attempt of that."""

    why: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Make the rest of the answer a dead letter."""

    why: str


Action: TypeAlias = (
    Sent | Retry | LookUp | SendLater | WaitForAccount | OpenCircuit | Park | Degrade | GiveUp
)

# --- history ----------------------------------------------------------------


class Failure(NamedTuple):
    """
    A failed call for a piece, judged by the calls before it.

    The piece was at this *attempt*. Its calls have ended with this *code* and *subcode*
    for so many *times* in a row, from *first_at* to *at* (steady clock), which makes the
    error one of *error_class*. It *may_change* by being repeated.
    """

    attempt: int
    code: int | None
    subcode: int | None
    times: int
    first_at: float
    at: float
    error_class: ErrorClass
    may_change: bool = False


class AttemptHistory:
    """
    The latest failure of each piece, as far as this process has seen it.

    After a restart, or in another replica, counting begins anew: an error then takes a
    few more attempts until it means something else.
    """

    def __init__(self) -> None:
        self._latest = OrderedDict[int, Failure]()

    def record(
        self, piece: Piece, error: GraphError, now: float, last_success: float, people: int = 1
    ) -> Failure:
        """
        Record that a call for *piece* ended with *error* just *now*; return the judged failure.

        *last_success* is when the latest call of the account that worked began. So many
        *people* got a vague refusal since then.
        """
        known = self._latest.pop(piece.id, None)
        is_repeated = known and (known.code, known.subcode) == (error.code, error.subcode)
        times, first_at = (known.times + 1, known.first_at) if known and is_repeated else (1, now)
        account_worked = known is not None and last_success > max(
            known.first_at, min(known.at, now - VERDICT_WAIT)
        )
        span = now - first_at
        error_class = judge(error, times, span, account_worked=account_worked, people=people)
        failure = Failure(
            piece.attempt,
            error.code,
            error.subcode,
            times,
            first_at,
            now,
            error_class,
            error.may_change and span < VERDICT_WAIT,
        )
        self._latest[piece.id] = failure
        if len(self._latest) > MAX_REMEMBERED:
            self._latest.popitem(last=False)
        return failure

    def latest(self, piece: Piece) -> Failure | None:
        """Return how the latest attempt at *piece* failed; `None` if it was not seen to end."""
        known = self._latest.get(piece.id)
        return known if known is not None and known.attempt == piece.attempt else None

    def forget(self, piece: Piece) -> None:
        """Forget how *piece* failed: it was sent, or given up."""
        self._latest.pop(piece.id, None)


def judge(
    error: GraphError, times: int, span: float, *, account_worked: bool, people: int = 1
) -> ErrorClass:
    """
    Return the class of an *error* that ended so many calls for a piece in a row.

    They span so many seconds. *account_worked*: some call of the account did after the
    first of them, since the one before the latest or in the last `VERDICT_WAIT` seconds.
    So many *people* got a vague refusal with no success between.
    """
    if error.is_vague and not account_worked:
        if people >= PEOPLE:
            return ErrorClass.ACCOUNT_RESTRICTED
        return error.error_class if span >= VERDICT_WAIT else ErrorClass.TRANSIENT
    error_class = error.class_after(times) if span >= VERDICT_WAIT else error.error_class
    if account_worked and error_class in STOPPED:
        return ErrorClass.TRANSIENT if error.error_class in STOPPED else error.error_class
    if not account_worked and error_class is ErrorClass.PERSON_UNAVAILABLE:
        return error.error_class
    return error_class


# --- decisions --------------------------------------------------------------


def decide(
    error: GraphError,
    failure: Failure,
    failures: int,
    backoff: Backoff,
    *,
    has_fallback: bool = False,
    is_action: bool = False,
) -> Action:
    """
    Return what becomes of a piece whose send has ended with *error*.

    *failure* is the error as the piece's history has it, *failures* counts the failed
    attempts since the conversation's last progress, this one included. A piece that
    *has_fallback* waits for no verdict on a refusal: the words in its place give it. A
    reaction *is_action*, and keeps what follows it waiting for one more attempt only.
    """
    is_refusal = error.class_after(failure.times) is ErrorClass.BAD_REQUEST
    if has_fallback and is_refusal and failure.error_class not in WHOLE_ACCOUNT:
        return Degrade(str(error))
    if is_action and failure.error_class is ErrorClass.TRANSIENT and failure.attempt > 1:
        return Degrade(str(error))
    match failure.error_class:
        case ErrorClass.TRANSIENT:
            return try_again(str(error), failures, backoff, failure, error.retry_after or 0.0)
        case ErrorClass.OUTCOME_UNKNOWN:
            return LookUp(max(ECHO_WAIT, error.retry_after or 0.0), str(error))
        case ErrorClass.WINDOW_CLOSED:
            return Park(str(error))
        case ErrorClass.PERSON_UNAVAILABLE | ErrorClass.BAD_REQUEST:
            return GiveUp(str(error))
        case error_class:
            # Meta may have done what it reports to have failed, even if the account is to blame.
            in_doubt = error.error_class is ErrorClass.OUTCOME_UNKNOWN
            return OpenCircuit(error_class, str(error), error.retry_after, in_doubt)


def try_again(
    why: str,
    failures: int,
    backoff: Backoff,
    latest: Failure | None,
    at_least: float = 0.0,
    *,
    in_doubt: bool = False,
) -> Retry | GiveUp:
    """
    Return another attempt in *at_least* so many seconds, or none after the last.

    The last one waits long enough to give a verdict on an error such as the *latest*.
    """
    wait = backoff.wait_or_give_up(failures)
    if wait is None:
        return GiveUp(f"gave up: {why}")
    if failures + 1 >= backoff.max_attempts and latest is not None and latest.may_change:
        at_least = max(at_least, VERDICT_WAIT)
    return Retry(max(wait, at_least), why, in_doubt)


def is_about_tag(error: GraphError) -> bool:
    """
    Return whether *error*, of a message that is tagged as a person's, may be about the tag.

    It says nothing of the account then, which must not stop for it: the tag needs a feature
    of its own, and Meta does not document how it refuses the tag to an app without that.
    """
    is_dead_token = error.code in _DEAD_TOKEN
    return error.is_vague or (error.error_class is ErrorClass.AUTHORIZATION and not is_dead_token)


def shows_that_account_works(error: GraphError) -> bool:
    """
    Return whether *error* proves that Meta listens to the account.

    Only Meta's own word does; a class that an error has by being repeated is a guess.
    """
    return error.error_class in _REFUSALS and not error.is_vague
