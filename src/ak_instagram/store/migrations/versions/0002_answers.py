"""A piece says which events it answers, so that nobody has to look through all events for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
oldest = "0001"
down_revision = "0001"
branch_labels = None
depends_on = None

_LISTS = {
    "sqlite": "group_concat(id)",
    "postgresql": "string_agg(CAST(id AS text), ',')",
}


def upgrade() -> None:
    """Add the column, and fill it for the pieces that an unsend can still concern."""
    op.add_column("outbox", sa.Column("answers", sa.Text))
    ids = _LISTS[op.get_bind().dialect.name]
    op.execute(
        f"""
        UPDATE outbox SET answers = asked.ids
        FROM (
            SELECT turn, {ids} AS ids FROM events
            WHERE turn IN (SELECT turn FROM outbox WHERE status <> 'sent')
            GROUP BY turn
        ) AS asked
        WHERE outbox.turn = asked.turn AND outbox.status <> 'sent'
        """  # noqa: S608 - made of constants
    )
