"""
Writing: an answer goes out while its agent still writes it, and a crash ends it as it is.

With the first of its messages its events are answered, so that the agent is never asked again
for what was said. From then on the conversation says which turn is being written, and under
which fence: whoever claims it with a higher one finds an answer that was cut off.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import structlog
from sqlalchemy import bindparam, delete, update

from ak_instagram import metrics
from ak_instagram.meta.events import Kind
from ak_instagram.store.database import Tx
from ak_instagram.store.schema import conversations, events, in_conversation, transcript
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import Claim, EventStatus, StoredEvent, TurnResult

from .claims import ClaimedRow

log = structlog.get_logger()

CUT_OFF = "the service ended while the agent wrote: the rest of the answer is lost"
_SAYS = frozenset({Kind.MESSAGE, Kind.POSTBACK})

_MARK = Statement(
    update(conversations)
    .where(*in_conversation(conversations))
    .values(writing=bindparam("writing"))
)
_KILL = Statement(
    # What the person took back meanwhile stays so.
    update(events)
    .where(events.c.id == bindparam("id"), events.c.status == EventStatus.ANSWERED.value)
    .values(status=EventStatus.DEAD.value, reason=bindparam("reason"))
)
_FORGET_SAID = Statement(
    delete(transcript).where(
        *in_conversation(transcript),
        transcript.c.turn == bindparam("turn"),
        transcript.c.role == "assistant",
    )
)


class Writing(NamedTuple):
    """The turn that is being written, the ids of the *events* it answers, and under which fence."""

    fence: int
    turn: str
    events: tuple[int, ...]

    @classmethod
    def read(cls, text: str) -> Writing:
        """Return what `text` wrote."""
        fence, turn, ids = text.split(" ")
        return cls(int(fence), turn, tuple(map(int, filter(None, ids.split(",")))))

    def text(self) -> str:
        """Return it as the conversation has it."""
        return f"{self.fence} {self.turn} {','.join(map(str, self.events))}"


def begin(tx: Tx, row: ClaimedRow, result: TurnResult) -> ClaimedRow:
    """Note that the answer of *result* goes on, and return the row as it is then."""
    ids = tuple(id_ for id_, end in result.events.items() if end is EventStatus.ANSWERED)
    writing = Writing(row.fence, result.turn, ids).text()
    _MARK.run(tx, account=row.account, contact=row.contact, writing=writing)
    return row._replace(writing=writing)


def end(tx: Tx, row: ClaimedRow) -> ClaimedRow:
    """Note that no answer is being written any more, and return the row as it is then."""
    _MARK.run(tx, account=row.account, contact=row.contact, writing=None)
    return row._replace(writing=None)


def give_up(tx: Tx, ids: Collection[int], reason: str | None) -> None:
    """Make the events *ids*, which were answered in part, dead letters with their *reason*."""
    _KILL.run_many(tx, [{"id": id_, "reason": reason} for id_ in ids])


def cut_off(tx: Tx, row: ClaimedRow) -> ClaimedRow:
    """End the answer whose writer is gone: what was planned of it stands, the rest is dead."""
    assert row.writing is not None
    give_up(tx, Writing.read(row.writing).events, CUT_OFF)
    metrics.DEAD_LETTERS.labels("turn").inc()
    log.error("answer.cut_off", contact=row.contact, reason=CUT_OFF)
    return end(tx, row)


def is_taken_back(claim: Claim, row: ClaimedRow, unsent_mids: Collection[str | None]) -> bool:
    """Return whether the person has taken back all that the answer being written is to."""
    answered = Writing.read(row.writing or "0  ").events
    said = [it for it in claim.events if it.id in answered and _says_something(it)]
    return bool(said) and all(it.mid in unsent_mids for it in said)


def forget_said(tx: Tx, row: ClaimedRow, turn: str) -> None:
    """Delete the line of what the agent has said in *turn* so far: a longer one takes its place."""
    _FORGET_SAID.run(tx, account=row.account, contact=row.contact, turn=turn)


def _says_something(event: StoredEvent) -> bool:
    return event.kind in _SAYS and not event.is_unsent
