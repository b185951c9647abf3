"""A trail of what fails and who falls silent, the operator log, and what the admin API looks up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
oldest = "0001"
down_revision = "0008"
branch_labels = None
depends_on = None

_row_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables and the indices."""
    op.create_table(
        "trail",
        sa.Column("id", _row_id, primary_key=True, autoincrement=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("turn", sa.Text),
        sa.Column("seq", sa.Integer),
        sa.Column("attempt", sa.Integer),
        sa.Column("ms", sa.BigInteger),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("code", sa.BigInteger),
        sa.Column("subcode", sa.BigInteger),
        sa.Column("request_id", sa.Text),
        sa.Column("reason", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("trail_of_conversation", "trail", ["account", "contact", "id"])
    op.create_table(
        "operations",
        sa.Column("id", _row_id, primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("account", sa.Text),
        sa.Column("contact", sa.Text),
        sa.Column("target", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("operations_of_conversation", "operations", ["account", "contact", "id"])
    _partial_index(
        "events_settled",
        "events",
        ["account", "contact", "id"],
        "status <> 'waiting' AND status <> 'counted'",
    )
    _partial_index(
        "conversations_paused",
        "conversations",
        ["paused_until", "account", "contact"],
        "paused_until > 0",
    )


def _partial_index(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
