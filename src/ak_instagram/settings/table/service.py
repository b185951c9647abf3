"""The service itself: its store, server, conversations, sending and logs."""

from __future__ import annotations

from ak_instagram.settings import kinds
from ak_instagram.settings.checks import above_zero, at_least, between, credential, store_url
from ak_instagram.settings.keys import Key

SERVICE: tuple[Key, ...] = (
    Key(
        "store.url",
        kinds.TEXT,
        "Where events are kept: a SQLite file, or postgresql://… for several replicas.",
        default="sqlite:///data/ak-instagram.db",
        check=store_url,
        secret=True,
    ),
    Key(
        "store.retention",
        kinds.NUMBER,
        "Days that messages and answers are kept, at least 2; the keys against duplicates are "
        "kept for 7 or more.",
        default=7.0,
        check=at_least(2, "Meta repeats webhooks for up to 36 hours"),
    ),
    Key("server.host", kinds.TEXT, "The address to listen on.", default="0.0.0.0"),  # noqa: S104 - a container is reached from outside
    Key(
        "server.port",
        kinds.INTEGER,
        "The port to listen on; 0 takes a free one.",
        default=8000,
        check=between(0, 65535),
    ),
    Key(
        "server.drain",
        kinds.NUMBER,
        "Seconds that a shutdown may take to finish what is under way.",
        default=25.0,
        check=at_least(0),
    ),
    Key(
        "admin.token",
        kinds.TEXT,
        "Reserved for an admin API: has no effect in this version.",
        check=credential,
        secret=True,
        example="a-long-random-text",
    ),
    Key(
        "conversation.debounce",
        kinds.NUMBER,
        "Seconds of quiet that end a burst of messages; 2 waits for people who type short lines.",
        default=0.0,
        check=at_least(0),
    ),
    Key(
        "conversation.concurrency",
        kinds.INTEGER,
        "How many conversations one process answers at once.",
        default=500,
        check=at_least(1),
    ),
    Key(
        "conversation.lease",
        kinds.NUMBER,
        "Seconds that a worker keeps a conversation after it last renewed the lease, at least 5.",
        default=30.0,
        check=at_least(5, "a third of it passes between two renewals; a pause would lose it"),
    ),
    Key(
        "conversation.attempts",
        kinds.INTEGER,
        "Tries of a turn before it is a dead letter.",
        default=8,
        check=at_least(1),
    ),
    Key(
        "conversation.takeover_pause",
        kinds.NUMBER,
        "Seconds of silence after a person answered from the Instagram app.",
        default=43200.0,
        check=at_least(0),
    ),
    Key(
        "sender.attempts",
        kinds.INTEGER,
        "Tries of one piece of an answer.",
        default=8,
        check=at_least(1),
    ),
    Key(
        "sender.rate",
        kinds.NUMBER,
        "Pieces sent a second, for each account.",
        default=100.0,
        check=above_zero,
    ),
    Key(
        "logs.level",
        kinds.choice("debug", "info", "warning", "error"),
        "The lowest level that is logged.",
        default="info",
    ),
    Key(
        "logs.format",
        kinds.choice("auto", "json", "console"),
        "`auto` is colours on a terminal and JSON lines elsewhere.",
        default="auto",
    ),
)
