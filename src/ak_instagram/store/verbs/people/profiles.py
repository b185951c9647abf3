"""Profiles of people as Meta tells them, kept for a while so that it is seldom asked."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import bindparam, select, text

from ak_instagram.store.database import Tx
from ak_instagram.store.schema import in_conversation, profiles
from ak_instagram.store.statement import Statement

_p = profiles.c
_FIND = Statement(select(_p.profile, _p.asked_at).where(*in_conversation(profiles)))
# Not of somebody who has been erased meanwhile.
_KEEP = Statement(
    text(
        """
    INSERT INTO profiles (account, contact, profile, asked_at)
    SELECT account, contact, :profile, :now FROM conversations
    WHERE account = :account AND contact = :contact
    ON CONFLICT (account, contact) DO UPDATE
    SET profile = excluded.profile, asked_at = excluded.asked_at
    """
    ).bindparams(bindparam("profile"), bindparam("now"))
)


class KeptProfile(NamedTuple):
    """A *profile* (JSON), `None` if Meta does not tell; it was asked for *age* ms ago."""

    profile: str | None
    age: int


def find(tx: Tx, account: str, contact: str) -> KeptProfile | None:
    """Return what is kept of the person *contact*, `None` if Meta has not been asked lately."""
    row = _FIND.row(tx, account=account, contact=contact)
    return None if row is None else KeptProfile(row[0], max(tx.now - row[1], 0))


def keep(tx: Tx, account: str, contact: str, profile: str | None) -> None:
    """Keep what Meta told just now, if anything is stored about the person."""
    _KEEP.run(tx, account=account, contact=contact, profile=profile, now=tx.now)
