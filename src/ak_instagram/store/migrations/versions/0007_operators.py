"""Operators stop sending, are notified, and tell people of the machine; ads open a window."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
oldest = "0001"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and their indices, and the columns."""
    for name in ("ad_window_closes_at", "spoke_at"):
        column = sa.Column(name, sa.BigInteger, nullable=False, server_default="0")
        op.add_column("conversations", column)
    op.add_column("outbox", sa.Column("kind", sa.Text))
    op.create_table(
        "stops",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("since", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "notifications",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    )
    is_due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "notifications_due",
        "notifications",
        ["due_at"],
        sqlite_where=is_due,
        postgresql_where=is_due,
    )
    op.create_index("notifications_told", "notifications", ["at"])
