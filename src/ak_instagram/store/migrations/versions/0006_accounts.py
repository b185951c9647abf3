"""Accounts have rows: the age of their tokens, and those that were refreshed or connected."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
oldest = "0001"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "accounts",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("username", sa.Text, nullable=False, server_default=""),
        sa.Column("origin", sa.Text),
        sa.Column("sealed", sa.Text),
        sa.Column("first_seen_at", sa.BigInteger, nullable=False),
        sa.Column("issued_at", sa.BigInteger),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("refresh_at", sa.BigInteger),
        sa.Column("lease_until", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("error", sa.Text),
        sa.Column("connected_at", sa.BigInteger),
        sa.Column("disconnected_at", sa.BigInteger),
    )
    op.create_table(
        "logins",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("link", sa.Text),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
