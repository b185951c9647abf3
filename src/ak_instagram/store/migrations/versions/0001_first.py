"""The first schema: events, conversations, outbox, transcript."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
oldest = "0001"
down_revision = None
branch_labels = None
depends_on = None

_row_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables and their indices."""
    op.create_table("schema_compatibility", sa.Column("oldest", sa.Text, nullable=False))
    _events()
    _conversations()
    _outbox()
    _transcript()


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", _row_id, primary_key=True, autoincrement=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("mid", sa.Text),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("turn", sa.Text),
        sqlite_autoincrement=True,
    )
    _partial_index(
        "events_waiting", "events", ["account", "contact", "at", "id"], "status = 'waiting'"
    )

    _partial_index("events_unsends", "events", ["account", "contact", "mid"], "kind = 'unsend'")
    _partial_index("events_said", "events", ["id"], "payload IS NOT NULL AND status <> 'waiting'")
    _partial_index("events_dead", "events", ["turn"], "status = 'dead'")


def _conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("contact", sa.Text, primary_key=True),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("burst_ends", sa.BigInteger),
        sa.Column("not_before", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_until", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("fence", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("epoch", sa.Integer, nullable=False, server_default="0"),
        sa.Column("window_closes_at", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("paused_until", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("waits_for", sa.Text),
        sa.Column(
            "claimable_at",
            sa.BigInteger,
            sa.Computed(
                "CASE WHEN lease_until > due_at THEN lease_until ELSE due_at END", persisted=True
            ),
        ),
        sqlite_with_rowid=False,
    )
    _partial_index(
        "conversations_claimable", "conversations", ["claimable_at"], "claimable_at IS NOT NULL"
    )
    _partial_index(
        "conversations_blocked",
        "conversations",
        ["waits_for", "account"],
        "waits_for = 'account'",
    )
    _partial_index(
        "conversations_leased", "conversations", ["lease_owner"], "lease_owner IS NOT NULL"
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", _row_id, primary_key=True, autoincrement=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("turn", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("payload", sa.Text),
        sa.Column("text_key", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("message_id", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("planned_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    _partial_index("outbox_not_sent", "outbox", ["account", "contact", "id"], "status <> 'sent'")
    _partial_index("outbox_sent", "outbox", ["account", "contact", "id"], "message_id IS NOT NULL")
    op.create_index("outbox_message_id", "outbox", ["message_id"])
    _partial_index("outbox_dead", "outbox", ["turn"], "status = 'dead'")


def _transcript() -> None:
    op.create_table(
        "transcript",
        sa.Column("id", _row_id, primary_key=True, autoincrement=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("contact", sa.Text, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("turn", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "transcript_of_conversation", "transcript", ["account", "contact", "epoch", "id"]
    )


def _partial_index(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
