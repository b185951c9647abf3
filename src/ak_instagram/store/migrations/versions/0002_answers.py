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
    connection = op.get_bind()
    ids = _LISTS[connection.dialect.name]
    # First, since it takes long: from the column on nobody else can use the table.
    asked = connection.exec_driver_sql(
        f"""
        SELECT outbox.id AS piece, asked.ids FROM outbox
        JOIN (
            SELECT turn, {ids} AS ids FROM events
            WHERE turn IN (SELECT turn FROM outbox WHERE status <> 'sent')
            GROUP BY turn
        ) AS asked ON asked.turn = outbox.turn
        WHERE outbox.status <> 'sent'
        """  # noqa: S608 - made of constants
    ).mappings()
    pieces = [dict(row) for row in asked]
    op.add_column("outbox", sa.Column("answers", sa.Text))
    if pieces:
        fill = sa.text("UPDATE outbox SET answers = :ids WHERE id = :piece")
        connection.execute(fill, pieces)
