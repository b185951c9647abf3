"""
Changes that operators make, each with its line in the operator log, in one transaction.

The command line, the admin API and the console all come here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import bindparam, update

from ak_instagram.store.database import Tx
from ak_instagram.store.schema import conversations, in_conversation
from ak_instagram.store.statement import Statement
from ak_instagram.store.values import Silencer
from ak_instagram.store.verbs import takeover
from ak_instagram.store.verbs.people import data
from ak_instagram.store.verbs.people.data import Erased

from . import dead_letters, log, stops
from .dead_letters import DeadLetter, Filter

_c = conversations.c
_HASTEN = Statement(
    update(conversations)
    .where(*in_conversation(conversations), _c.due_at.is_not(None), _c.waits_for.is_(None))
    .values(due_at=bindparam("now"), not_before=0)
)
_NEW_SESSION = Statement(
    update(conversations).where(*in_conversation(conversations)).values(epoch=_c.epoch + 1)
)

MAX_LETTERS = 2_000  # that are listed or changed at once: webhooks wait for it too


def pause(tx: Tx, who: str, account: str, contact: str, duration_ms: int) -> int | None:
    """
    Silence the bot for *duration_ms* at least; return until when (UTC ms) it is silent.

    `None` if the conversation is not known. What was not sent yet is dropped.
    """
    if not takeover.is_known(tx, account, contact):
        return None
    until = takeover.pause(tx, account, contact, tx.now + duration_ms, Silencer.COMMAND)
    takeover.drop(tx, account, contact, Silencer.COMMAND)
    log.write(tx, who, "conversation.pause", account, contact)
    return until


def resume(tx: Tx, who: str, account: str, contact: str) -> bool | None:
    """Let the bot speak; return whether it was silent, `None` if nobody knows the conversation."""
    if not takeover.is_known(tx, account, contact):
        return None
    was_silent = takeover.resume(tx, account, contact)
    log.write(tx, who, "conversation.resume", account, contact)
    return was_silent


def retry(tx: Tx, who: str, account: str, contact: str) -> bool | None:
    """
    Let what waits be tried now rather than after its backoff; return whether anything waits.

    `None` if nobody knows the conversation. What waits for its account is left to that.
    """
    if not takeover.is_known(tx, account, contact):
        return None
    key = {"account": account, "contact": contact}
    is_done = _HASTEN.run(tx, **key, now=tx.now) > 0
    if is_done:
        log.write(tx, who, "conversation.retry", account, contact)
        tx.due_in.append(0)
    return is_done


def reset(tx: Tx, who: str, account: str, contact: str) -> bool | None:
    """Let the agent begin a new session with the person; `None` if nobody knows them."""
    if not takeover.is_known(tx, account, contact):
        return None
    _NEW_SESSION.run(tx, account=account, contact=contact)
    log.write(tx, who, "conversation.reset", account, contact)
    return True


def stop_sending(tx: Tx, who: str, account: str) -> bool:
    """Stop all sending of *account*, or of `ALL_ACCOUNTS`; return whether it went on until now."""
    is_new = stops.stop(tx, account)
    if is_new:
        log.write(tx, who, "sending.stop", account)
    return is_new


def resume_sending(tx: Tx, who: str, account: str) -> bool:
    """End what `stop_sending` did for *account*; return whether it was stopped."""
    was_stopped = stops.resume(tx, account)
    if was_stopped:
        log.write(tx, who, "sending.resume", account)
    return was_stopped


def export(
    tx: Tx, who: str, contact: str, account: str | None
) -> dict[str, list[dict[str, object]]]:
    """Return all that is stored about *contact*, as `data.export` does."""
    rows = data.export(tx, contact, account)
    if rows:
        log.write(tx, who, "person.export", account, contact)
    return rows


def erase(tx: Tx, who: str, contact: str, account: str | None) -> Erased:
    """Erase what is stored about *contact*, as `data.erase` does; the log says only that."""
    erased = data.erase(tx, [contact], account)
    if erased.rows:
        log.write(tx, who, "person.erase", account)
    return erased


def replay(tx: Tx, who: str, letter: DeadLetter) -> bool:
    """Try *letter* again, as `dead_letters.replay` does; return whether anything can be tried."""
    return _change(tx, who, "dead_letter.replay", letter, dead_letters.replay)


def discard(tx: Tx, who: str, letter: DeadLetter) -> bool:
    """Let *letter* go for good; return whether there was anything to let go."""
    return _change(tx, who, "dead_letter.discard", letter, dead_letters.discard)


def find_letter(tx: Tx, turn: str) -> DeadLetter | None:
    """Return the dead letter called *turn*, if there is one."""
    return next(iter(dead_letters.find(tx, Filter(turn=turn, limit=1))), None)


def find_letters(tx: Tx, wanted: Filter, reason: str | None = None) -> list[DeadLetter]:
    """Return at most `MAX_LETTERS` of those *wanted*, oldest first; of *reason* if that is set."""
    found = dead_letters.find(tx, replace(wanted, limit=MAX_LETTERS))
    return [it for it in found if reason is None or it.reason == reason]


def _change(
    tx: Tx, who: str, what: str, letter: DeadLetter, change: Callable[[Tx, str], bool]
) -> bool:
    is_done = change(tx, letter.turn)
    if is_done:
        log.write(tx, who, what, letter.account, letter.contact, letter.turn)
    return is_done
