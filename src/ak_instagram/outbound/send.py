"""
Sending unasked: one message of the answer schema goes the way of an answer.

It becomes pieces of the outbox, so that it goes out behind what waits, once, with a ledger, and
its echo is known as the bot's own. Instagram lets an account write to people who have written to
it, and for so long: whoever may not be written to now is refused here, with a sentence that says
until when they could be.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from ak_instagram.agents.answer_schema import NotInSchema, read_message
from ak_instagram.agents.answers import clean
from ak_instagram.meta.outgoing import Outgoing, words_of
from ak_instagram.reply.plan import plan_answer
from ak_instagram.store.database import Tx
from ak_instagram.store.values import ALL_ACCOUNTS, PERSON_WINDOW, WINDOW
from ak_instagram.store.verbs.operators import log, outgoing, stops
from ak_instagram.store.verbs.operators.outgoing import WritableState

MAX_TEXT = 65_536  # bytes of UTF-8, as many as an answer may have by default

_NOT_KNOWN = (
    "no conversation with {} is known: an account may write only to people who have written to it"
)


class Unsendable(ValueError):
    """What is to be sent is no message, or one that can't be sent; the text says why."""


class SendRefused(Exception):
    """Instagram does not let this be sent now, or nobody knows the person; the text says why."""


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """
    A message that is ready to be sent.

    *messages* are what it makes, as `meta.outgoing` has them, *said* is what the transcript
    has of it. A person wrote it if *by_person*.
    """

    messages: tuple[Outgoing, ...]
    said: str
    by_person: bool = False


@dataclass(frozen=True, slots=True)
class Queued:
    """
    A message that was taken: its *turn* in the outbox, of so many *pieces*.

    The window of its conversation closes at *closes_at* (UTC ms). *is_repeat*: it was taken
    before, under the same key. What may keep it from going out at once is *waits_for*, in
    words, empty if nothing does.
    """

    turn: str
    account: str
    pieces: int
    closes_at: int
    is_repeat: bool = False
    waits_for: str = ""


def compose(message: object, *, by_person: bool = False) -> OutgoingMessage:
    """
    Return *message*, a text or one message of the answer schema, such that it can be sent.

    Markdown in a text is read as an agent's is. Raises `Unsendable`.
    """
    try:
        parts = clean(read_message(message, "the message"))
    except NotInSchema as exc:
        raise Unsendable(str(exc)) from None
    plan = plan_answer(parts)
    if plan.refused:
        raise Unsendable("; ".join(f"{part}: {reason}" for part, reason in plan.refused))
    if not plan.messages:
        raise Unsendable("there is nothing to send")
    words = "\n".join(filter(None, map(words_of, plan.messages)))
    if len(words.encode()) > MAX_TEXT:
        raise Unsendable(f"the text has more than {MAX_TEXT} bytes")
    return OutgoingMessage(plan.messages, words or "[attachment]", by_person)


def send(
    tx: Tx,
    who: str,
    contact: str,
    message: OutgoingMessage,
    account: str | None = None,
    key: str = "",
) -> Queued:
    """
    Have *message* sent to *contact*, an IGSID, by the process that works on the store.

    *who* wants it is in the operator log, as `changes` writes it. Without an *account* it is
    the one that the person has written to. With a *key*, the same key sends once. Raises
    `SendRefused`.
    """
    account = account or _account_of(tx, contact)
    state = outgoing.state_of(tx, account, contact)
    if state is None:
        raise SendRefused(_NOT_KNOWN.format(contact))
    turn = f"out-{_digest(account, contact, key) if key else uuid.uuid4().hex}"
    waits_for = _waits_for(tx, account)
    closes_at = max(state.window_closes_at, state.ad_window_closes_at)
    if key and outgoing.is_planned(tx, account, contact, turn):
        return Queued(turn, account, len(message.messages), closes_at, True, waits_for)
    if closes_at <= tx.now:
        closes_at = _closes_for_person(state, tx.now, by_person=message.by_person)
    outgoing.plan(
        tx,
        account,
        contact,
        turn,
        message.messages,
        said=message.said,
        epoch=state.epoch,
        by_person=message.by_person,
    )
    log.write(tx, who, "message.send", account, contact, turn)
    return Queued(turn, account, len(message.messages), closes_at, waits_for=waits_for)


def _account_of(tx: Tx, contact: str) -> str:
    """Return the one account that *contact* has written to."""
    match outgoing.accounts_of(tx, contact):
        case [account]:
            return account
        case []:
            raise SendRefused(_NOT_KNOWN.format(contact))
        case _:
            raise SendRefused(f"{contact} has conversations with several accounts: name one")


def _closes_for_person(state: WritableState, now: int, *, by_person: bool) -> int:
    """Return when the window closes (UTC ms) for a person who writes after the bot's is over."""
    if not state.window_closes_at:
        raise SendRefused("the person has not written yet: there is no window to answer in")
    since = f"the window is closed since {moment(state.window_closes_at)}"
    until = state.window_closes_at - WINDOW + PERSON_WINDOW
    if now >= until:
        raise SendRefused(f"{since}: it opens again when the person writes")
    if not by_person:
        raise SendRefused(
            f"{since}: it opens again when the person writes; until {moment(until)} it is open to"
            " what a person writes, with Meta's feature Human Agent"
        )
    return until


def _waits_for(tx: Tx, account: str) -> str:
    """Return what keeps *account* from sending now, empty if an operator has stopped nothing."""
    held = stops.stopped(tx).keys() & {account, ALL_ACCOUNTS}
    return "sending is stopped: it goes out on `resume`" if held else ""


def _digest(*names: str) -> str:
    return hashlib.blake2b("/".join(names).encode(), digest_size=16).hexdigest()


def moment(at: int) -> str:
    """Return *at* (UTC ms) as people and programs read it."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds")
