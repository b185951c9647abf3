"""Echoes of others and the link that led a person here are kept; a silence says who began it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
oldest = "0001"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and its indices, and the columns."""
    op.add_column("conversations", sa.Column("paused_by", sa.Text))
    op.add_column("conversations", sa.Column("referral", sa.Text))
    since = sa.Column("referral_at", sa.BigInteger, nullable=False, server_default="0")
    op.add_column("conversations", since)
    op.create_table(
        "echoes",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("text_key", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("heard_at", sa.BigInteger, nullable=False),
        sa.Column("paused_until", sa.BigInteger, nullable=False),
        sa.Column("paused_before", sa.BigInteger, nullable=False),
    )
    op.create_index("echoes_of_text", "echoes", ["account", "text_key"])
    op.create_index("echoes_heard", "echoes", ["heard_at"])
