"""Prometheus metrics of the service; labels have few values."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from . import __version__

# The time at which each series began, a family beside each, which nothing here asks for.
disable_created_metrics()  # type: ignore[no-untyped-call] # prometheus_client has no types there

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


def _from_zero(counter: Counter, *values: str) -> Counter:
    """
    Return *counter* with a 0 for each of *values*.

    Prometheus' `increase` sees no rise in a series that begins with its first count, and
    the first is what an alert is about.
    """
    for value in values:
        counter.labels(value)
    return counter


BUILD = Gauge("ak_instagram_build_info", "Always 1; its label is the version", ["version"])
BUILD.labels(__version__).set(1)

WEBHOOKS = _from_zero(
    Counter("ak_instagram_webhooks_total", "Webhook requests by answer", ["status"]),
    *("200", "400", "403", "408", "413", "503"),
)
WEBHOOK_SECONDS = Histogram(
    "ak_instagram_webhook_seconds", "From a webhook's first byte to its answer", buckets=_SECONDS
)
SIGNATURES = _from_zero(
    Counter(
        "ak_instagram_signatures_total",
        "Webhooks by the position of the secret that signed them (0 is the first), or none",
        ["secret"],
    ),
    *("0", "none"),
)
EVENTS = Counter(
    "ak_instagram_events_total",
    "Events received, by what they are to us and by Meta's word for them",
    ["kind", "field"],
)
EVENTS_UNREADABLE = Counter(
    "ak_instagram_events_unreadable_total", "Events that were skipped because they made no sense"
)
EVENTS_STORED = Counter("ak_instagram_events_stored_total", "Events stored for the first time")
EVENTS_DUPLICATE = Counter(
    "ak_instagram_events_duplicate_total", "Events that were known already: Meta sent them again"
)

TURNS = _from_zero(
    Counter("ak_instagram_turns_total", "Turns by how they ended", ["outcome"]),
    *("answered", "silent", "ignored", "retried", "deferred", "dead"),
)
TURN_SECONDS = Histogram(
    "ak_instagram_turn_seconds",
    "From asking the agent to the plan of its answer",
    buckets=_SECONDS,
)
TURNS_ACTIVE = Gauge("ak_instagram_turns_active", "Conversations being worked on now")
DEAD_LETTERS = _from_zero(
    Counter("ak_instagram_dead_letters_total", "Turns and answers given up", ["what"]),
    *("turn", "answer"),
)

DELIVERY_ATTEMPTS = _from_zero(
    Counter(
        "ak_instagram_delivery_attempts_total",
        "Attempts to send a piece, by how they ended",
        ["outcome"],
    ),
    "sent",
    *("transient", "rate_limited", "authorization", "account_restricted"),
    *("window_closed", "person_unavailable", "bad_request", "outcome_unknown"),
)
DELIVERY_SECONDS = Histogram(
    "ak_instagram_delivery_seconds", "One attempt to send a piece", buckets=_SECONDS
)
ACCOUNTS_STOPPED = Gauge(
    "ak_instagram_account_stopped",
    "1 while an account can't send: its token is dead or it is restricted",
    ["account"],
)
SWEEP_FOUND = Counter(
    "ak_instagram_sweep_found_total", "Messages that no webhook had brought, found by looking"
)
SUBSCRIPTIONS_RESTORED = Counter(
    "ak_instagram_subscriptions_restored_total",
    "Times that an account was not subscribed to webhooks any more and was subscribed again",
)
TYPING_FAILURES = Counter(
    "ak_instagram_typing_failures_total", "Typing indicators and seen marks that failed"
)
PARTS_REFUSED = Counter(
    "ak_instagram_parts_refused_total", "Parts of answers that can't be sent", ["part"]
)
JOBS_DEAD = Gauge("ak_instagram_jobs_dead", "Background jobs that ended although none should")

# What waits in the store: replicas that share one show the same. NaN: it does not answer.
OLDEST_DUE = Gauge(
    "ak_instagram_oldest_due_seconds",
    "Since when a conversation could have been worked on and was not, 0 if there is none",
)
CONVERSATIONS_DUE = Gauge(
    "ak_instagram_conversations_due", "Conversations that could be worked on and are not"
)
PIECES_PARKED = Gauge(
    "ak_instagram_pieces_parked", "Pieces that wait until the person writes again"
)
DEAD_LETTERS_KEPT = Gauge(
    "ak_instagram_dead_letters_kept", "Dead letters neither replayed nor discarded", ["what"]
)
CLOCK_DIFFERENCE = Gauge(
    "ak_instagram_clock_difference_seconds",
    "By how much Meta's clock is ahead of the store's, by the freshest of the latest events",
)
NEWEST_EVENT = Gauge(
    "ak_instagram_newest_event_timestamp_seconds",
    "When the newest event was stored, 0 if the store has none",
)
