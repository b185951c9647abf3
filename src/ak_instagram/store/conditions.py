"""Conditions that several statements have."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Table, bindparam, exists, text

from .schema import events


def of_conversation(table: Table) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the conditions for the rows of one conversation; `rows.key_of` has their values."""
    return (
        table.c.account == bindparam("of_account"),
        table.c.contact == bindparam("of_contact"),
    )


_unsends = events.alias("unsends")

# An event of which the person has taken the message back, be it before the message came in.
IS_TAKEN_BACK = exists().where(
    _unsends.c.account == events.c.account,
    _unsends.c.contact == events.c.contact,
    _unsends.c.mid == events.c.mid,
    # Word for word, as `schema.IS_UNSEND` has it of the table itself.
    text("unsends.kind = 'unsend'"),
)
