"""A conversation tells which turn's answer goes out while it is still being written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
oldest = "0001"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column."""
    op.add_column("conversations", sa.Column("writing", sa.Text))
