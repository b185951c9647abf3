"""Turns whose answer an agent posts are kept while it is awaited: any replica can take it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
oldest = "0001"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and its indices."""
    op.create_table(
        "callbacks",
        sa.Column("turn", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("events", sa.Text, nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger),
        sa.Column("body", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
    )
    is_awaited = sa.text("status = 'awaited'")
    op.create_index(
        "callbacks_awaited",
        "callbacks",
        ["account", "contact"],
        unique=True,
        sqlite_where=is_awaited,
        postgresql_where=is_awaited,
    )
    op.create_index("callbacks_asked", "callbacks", ["asked_at"])
