"""
Logins: a link lets one account be connected, and each login begun with it comes back once.

Only digests are kept: nobody can log in with what the store has.
"""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, or_, select

from ak_instagram.store.database import Tx
from ak_instagram.store.schema import logins
from ak_instagram.store.statement import Statement

_l = logins.c
_is_open = _l.expires_at > bindparam("now")

_ADD = Statement(
    insert(logins).values(
        digest=bindparam("digest"), link=bindparam("link"), expires_at=bindparam("expires_at")
    )
)
# Locked: of two who come back with logins of one link, the second finds it used.
_OPEN_LINK = Statement(
    select(_l.digest)
    .where(_l.digest == bindparam("of"), _l.link.is_(None), _is_open)
    .with_for_update()
)
_SPEND = Statement(
    delete(logins)
    .where(_l.digest == bindparam("of"), _l.link.is_not(None), _is_open)
    .returning(_l.link)
)
_USE_LINK = Statement(
    delete(logins)
    .where(_l.digest == bindparam("of"), _l.link.is_(None), _is_open)
    .returning(_l.digest)
)
_FORGET = Statement(
    delete(logins).where(or_(_l.link == bindparam("of"), _l.expires_at <= bindparam("now")))
)


def add_link(tx: Tx, digest: str, lasts_ms: int) -> None:
    """Keep a link whose secret has *digest*; forget those that are over."""
    _FORGET.run(tx, of="", now=tx.now)
    _ADD.run(tx, digest=digest, link=None, expires_at=tx.now + lasts_ms)


def begin(tx: Tx, link: str, digest: str, lasts_ms: int) -> bool:
    """Begin a login with *link*, known by *digest*; return whether the link is still good."""
    if _OPEN_LINK.row(tx, of=link, now=tx.now) is None:
        return False
    _ADD.run(tx, digest=digest, link=link, expires_at=tx.now + lasts_ms)
    return True


def spend(tx: Tx, digest: str) -> str | None:
    """Take the login back that began as *digest*; return its link, `None` if either is over."""
    link: str | None = _SPEND.value(tx, of=digest, now=tx.now)
    if link is None or _OPEN_LINK.row(tx, of=link, now=tx.now) is None:
        return None
    return link


def use_link(tx: Tx, link: str) -> bool:
    """Use *link* up, and all that was begun with it; return whether it was still good."""
    used = _USE_LINK.row(tx, of=link, now=tx.now) is not None
    _FORGET.run(tx, of=link, now=tx.now)
    return used
