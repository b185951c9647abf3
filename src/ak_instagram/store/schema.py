"""The tables, in both dialects; times are UTC milliseconds, payloads are JSON as text."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Computed,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    bindparam,
    exists,
    text,
)

# SQLite numbers rows by itself only in a column that is called INTEGER.
RowId = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()

# One row: the oldest revision whose code can work on this schema (see `migrations`).
compatibility = Table("schema_compatibility", metadata, Column("oldest", Text, nullable=False))

# The conditions of partial indices. A query has to have them word for word, not as
# parameters, or the database does not know that the index has what it asks for.
IS_WAITING = text("status = 'waiting'")
IS_DEAD = text("status = 'dead'")
IS_UNSEND = text("kind = 'unsend'")
SAYS_SOMETHING = text("payload IS NOT NULL AND status <> 'waiting'")
IS_NOT_SENT = text("status <> 'sent'")
IS_OPEN = text("status <> 'sent' AND status IN ('planned', 'sending', 'parked')")
IS_CLAIMABLE = text("claimable_at IS NOT NULL")
IS_LEASED = text("lease_owner IS NOT NULL")
IS_BLOCKED = text("waits_for = 'account'")
IS_KNOWN_TO_META = text("message_id IS NOT NULL")
IS_TO_BE_TOLD = text("due_at IS NOT NULL")
IS_SETTLED = text("status <> 'waiting' AND status <> 'counted'")
IS_PAUSED = text("paused_until > 0")
IS_AWAITED = text("status = 'awaited'")
IS_TO_BE_DONE = text("done_at IS NULL")

events = Table(
    "events",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("account", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("mid", Text),
    Column("at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("payload", Text),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("turn", Text),
    # An id must never come back: what is above the highest id is what just came in.
    sqlite_autoincrement=True,
)

# The worker's view: small however many answered events are kept.
Index(
    "events_waiting",
    events.c.account,
    events.c.contact,
    events.c.at,
    events.c.id,
    sqlite_where=IS_WAITING,
    postgresql_where=IS_WAITING,
)

# Has a message been taken back, even before it came in?
Index(
    "events_unsends",
    events.c.account,
    events.c.contact,
    events.c.mid,
    sqlite_where=IS_UNSEND,
    postgresql_where=IS_UNSEND,
)
Index(
    "events_dead",
    events.c.turn,
    sqlite_where=IS_DEAD,
    postgresql_where=IS_DEAD,
)

# What retention has still to wipe.
Index(
    "events_said",
    events.c.id,
    sqlite_where=SAYS_SOMETHING,
    postgresql_where=SAYS_SOMETHING,
)

# One conversation's past. Webhooks write nothing into it: a message joins once it is settled.
Index(
    "events_settled",
    events.c.account,
    events.c.contact,
    events.c.id,
    sqlite_where=IS_SETTLED,
    postgresql_where=IS_SETTLED,
)

conversations = Table(
    "conversations",
    metadata,
    Column("account", Text, primary_key=True),
    Column("contact", Text, primary_key=True),
    # When there is work; NULL when there is none.
    Column("due_at", BigInteger),
    # The latest end of the burst that is being waited for; NULL outside a burst.
    Column("burst_ends", BigInteger),
    # A failed try may not be repeated before; new messages don't hasten it.
    Column("not_before", BigInteger, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("lease_owner", Text),
    Column("lease_until", BigInteger, nullable=False, server_default="0"),
    Column("fence", BigInteger, nullable=False, server_default="0"),
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("window_closes_at", BigInteger, nullable=False, server_default="0"),
    # A person answers until then, and the bot is silent.
    Column("paused_until", BigInteger, nullable=False, server_default="0"),
    # Who began that, as `values.Silencer` has it; NULL if a version did that does not say.
    Column("paused_by", Text),
    # The link or ad by which the person came back, as Meta sent it, until the next turn.
    Column("referral", Text),
    Column("referral_at", BigInteger, nullable=False, server_default="0"),
    # Until then Meta may take an answer to somebody who came by an ad, 24 h or not.
    Column("ad_window_closes_at", BigInteger, nullable=False, server_default="0"),
    # When the bot last answered; 0 if the person has not been told, or is to be told anew,
    # that a machine answers. Kept up while `conversation.disclosure` is set.
    Column("spoke_at", BigInteger, nullable=False, server_default="0"),
    # The turn whose answer goes out while it is being written, as `verbs.writing` has it.
    Column("writing", Text),
    # 'account' while the whole account is blocked: its healing hastens the next try.
    Column("waits_for", Text),
    # One column, so that one index finds what can be claimed now.
    Column(
        "claimable_at",
        BigInteger,
        Computed("CASE WHEN lease_until > due_at THEN lease_until ELSE due_at END", persisted=True),
    ),
    # The rows lie in the key itself: finding one reads one page and not two.
    sqlite_with_rowid=False,
)

Index(
    "conversations_claimable",
    conversations.c.claimable_at,
    sqlite_where=IS_CLAIMABLE,
    postgresql_where=IS_CLAIMABLE,
)
Index(
    "conversations_leased",
    conversations.c.lease_owner,
    sqlite_where=IS_LEASED,
    postgresql_where=IS_LEASED,
)

Index(
    "conversations_blocked",
    conversations.c.waits_for,
    conversations.c.account,
    sqlite_where=IS_BLOCKED,
    postgresql_where=IS_BLOCKED,
)

# Where the bot was silenced; written when that happens.
Index(
    "conversations_paused",
    conversations.c.paused_until,
    conversations.c.account,
    conversations.c.contact,
    sqlite_where=IS_PAUSED,
    postgresql_where=IS_PAUSED,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("account", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("turn", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("payload", Text),
    # A digest of the text: an echo of it settles a send of unknown outcome.
    Column("text_key", Text),
    Column("status", Text, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("message_id", Text),
    Column("error", Text),
    Column("planned_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    # The ids of the turn's events, joined by commas: an index of all events' turns would cost
    # every message something. NULL if a version planned it that does not say.
    Column("answers", Text),
    # As `values.PieceKind` has it; NULL for a piece of an answer.
    Column("kind", Text),
    sqlite_autoincrement=True,
)

# What is to be sent, and what an echo may yet show to have been.
Index(
    "outbox_not_sent",
    outbox.c.account,
    outbox.c.contact,
    outbox.c.id,
    sqlite_where=IS_NOT_SENT,
    postgresql_where=IS_NOT_SENT,
)

Index(
    "outbox_sent",
    outbox.c.account,
    outbox.c.contact,
    outbox.c.id,
    sqlite_where=IS_KNOWN_TO_META,
    postgresql_where=IS_KNOWN_TO_META,
)
Index("outbox_message_id", outbox.c.message_id)
Index(
    "outbox_dead",
    outbox.c.turn,
    sqlite_where=IS_DEAD,
    postgresql_where=IS_DEAD,
)

transcript = Table(
    "transcript",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("account", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("turn", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

Index(
    "transcript_of_conversation",
    transcript.c.account,
    transcript.c.contact,
    transcript.c.epoch,
    transcript.c.id,
)

# What was said for the account lately, not by the service; kept for some minutes.
echoes = Table(
    "echoes",
    metadata,
    Column("key", Text, primary_key=True),  # the event's
    Column("account", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("text_key", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("heard_at", BigInteger, nullable=False),
    # The silence that it caused, 0 if it was taken for no person's, and the one before it.
    Column("paused_until", BigInteger, nullable=False),
    Column("paused_before", BigInteger, nullable=False),
)
Index("echoes_of_text", echoes.c.account, echoes.c.text_key)
Index("echoes_heard", echoes.c.heard_at)

# The accounts whose sending an operator has stopped; '*' is all of them.
stops = Table(
    "stops",
    metadata,
    Column("account", Text, primary_key=True),
    Column("since", BigInteger, nullable=False),
)

# What `notify.url` is told, and lately was.
notifications = Table(
    "notifications",
    metadata,
    Column("id", Text, primary_key=True),
    Column("event", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    # When it is to be tried (again); NULL once it was told, or given up.
    Column("due_at", BigInteger),
    Column("tries", Integer, nullable=False, server_default="0"),
)
Index(
    "notifications_due",
    notifications.c.due_at,
    sqlite_where=IS_TO_BE_TOLD,
    postgresql_where=IS_TO_BE_TOLD,
)
Index("notifications_told", notifications.c.at)
# What no other table tells of a conversation's past: calls that failed, and who took over.
trail = Table(
    "trail",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("account", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("what", Text, nullable=False),
    Column("turn", Text),
    Column("seq", Integer),
    Column("attempt", Integer),
    Column("ms", BigInteger),
    Column("outcome", Text, nullable=False),
    Column("code", BigInteger),
    Column("subcode", BigInteger),
    Column("request_id", Text),
    Column("reason", Text),
    sqlite_autoincrement=True,
)
Index("trail_of_conversation", trail.c.account, trail.c.contact, trail.c.id)

# The operator log: who changed what, and when.
operations = Table(
    "operations",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("account", Text),
    Column("contact", Text),
    Column("target", Text),
    sqlite_autoincrement=True,
)
Index("operations_of_conversation", operations.c.account, operations.c.contact, operations.c.id)
# How far an account's conversations have been looked through for messages without a webhook.
sweeps = Table(
    "sweeps",
    metadata,
    Column("account", Text, primary_key=True),
    # When the service first knew the account: what is older is none of its business.
    Column("first_seen", BigInteger, nullable=False),
    # Nobody begins a round before; it moves on while a round is under way.
    Column("next_at", BigInteger, nullable=False, server_default="0"),
    # What changed before has been looked at, 0 if nothing has.
    Column("swept_until", BigInteger, nullable=False, server_default="0"),
    # A round that did not come to its end: when it began, and the page to go on with.
    Column("round_began", BigInteger, nullable=False, server_default="0"),
    Column("cursor", Text),
)

# What is known of each account's token; its own, if it is not the settings' one.
accounts = Table(
    "accounts",
    metadata,
    Column("account", Text, primary_key=True),
    Column("username", Text, nullable=False, server_default=""),
    # A digest of the settings' token that this began with; NULL if the account was connected.
    Column("origin", Text),
    # A token that took the other's place, encrypted; NULL while the settings' one is used.
    Column("sealed", Text),
    Column("first_seen_at", BigInteger, nullable=False),
    # NULL while nobody knows.
    Column("issued_at", BigInteger),
    Column("expires_at", BigInteger),
    # When it is to be refreshed, NULL for never; a replica that does so has a lease.
    Column("refresh_at", BigInteger),
    Column("lease_until", BigInteger, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("error", Text),
    Column("connected_at", BigInteger),
    Column("disconnected_at", BigInteger),
)

# Links to connect an account, and logins begun with them: each is good once.
logins = Table(
    "logins",
    metadata,
    Column("digest", Text, primary_key=True),
    # The digest of the link that a login was begun with; NULL for a link.
    Column("link", Text),
    Column("expires_at", BigInteger, nullable=False),
)


# Turns whose answer an agent posts, one a conversation at a time; empty for other agents.
callbacks = Table(
    "callbacks",
    metadata,
    Column("turn", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("contact", Text, nullable=False),
    # The ids of the turn's events, joined by commas.
    Column("events", Text, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    # When the answer is overdue; NULL while nobody has taken the turn.
    Column("until", BigInteger),
    # What was posted, until the turn is settled.
    Column("body", Text),
    # 'awaited', then 'answered', or 'gone' if nobody waits for it any more.
    Column("status", Text, nullable=False),
)
Index(
    "callbacks_awaited",
    callbacks.c.account,
    callbacks.c.contact,
    unique=True,
    sqlite_where=IS_AWAITED,
    postgresql_where=IS_AWAITED,
)
Index("callbacks_asked", callbacks.c.asked_at)

# Requests to delete data, by the code with which Meta's user can look after theirs.
deletions = Table(
    "deletions",
    metadata,
    Column("code", Text, primary_key=True),
    # The account whose data it is, else whom Meta named; both empty once it is done.
    Column("account", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("done_at", BigInteger),
)
Index(
    "deletions_to_be_done",
    deletions.c.asked_at,
    sqlite_where=IS_TO_BE_DONE,
    postgresql_where=IS_TO_BE_DONE,
)

# What Meta tells about people, as JSON; NULL if it does not.
profiles = Table(
    "profiles",
    metadata,
    Column("account", Text, primary_key=True),
    Column("contact", Text, primary_key=True),
    Column("profile", Text),
    Column("asked_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index("profiles_asked", profiles.c.asked_at)


def in_conversation(table: Table) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the conditions for the rows of one conversation, named by `account` and `contact`."""
    return table.c.account == bindparam("account"), table.c.contact == bindparam("contact")


_unsends = events.alias("unsends")

# An event of which the person has taken the message back, be it before the message came in.
IS_TAKEN_BACK = exists().where(
    _unsends.c.account == events.c.account,
    _unsends.c.contact == events.c.contact,
    _unsends.c.mid == events.c.mid,
    # Word for word, as `schema.IS_UNSEND` has it of the table itself.
    text("unsends.kind = 'unsend'"),
)
