"""Requests to delete data are kept until they are done, and what Meta tells about people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
oldest = "0001"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and their indices."""
    op.create_table(
        "deletions",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("done_at", sa.BigInteger),
    )
    is_to_be_done = sa.text("done_at IS NULL")
    op.create_index(
        "deletions_to_be_done",
        "deletions",
        ["asked_at"],
        sqlite_where=is_to_be_done,
        postgresql_where=is_to_be_done,
    )
    op.create_table(
        "profiles",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("contact", sa.Text, primary_key=True),
        sa.Column("profile", sa.Text),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("profiles_asked", "profiles", ["asked_at"])
