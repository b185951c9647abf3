"""Sweeps: the store keeps how far each account's conversations have been looked through."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
oldest = "0001"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "sweeps",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("first_seen", sa.BigInteger, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("swept_until", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("round_began", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("cursor", sa.Text),
    )
