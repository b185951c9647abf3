"""The errors that cross rooms, each named by what its catcher should do."""

from __future__ import annotations


class WebhookRejected(Exception):
    """Answer *status* (an HTTP 4xx) and store nothing."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class StoreUnavailable(Exception):
    """The store can't take or give anything now; answer 503 and let Meta try again."""


class StoreInUse(Exception):
    """Another process works on the same SQLite file; end with what it says."""


class LeaseLost(Exception):
    """Another worker may hold the conversation now; drop the work and store nothing of it."""


class Transient(Exception):
    """
    It may work later: try again with backoff.

    *retry_after* is what the other side asked for, in seconds, or `None`. *attempts* bounds
    how often it is tried in all, `None` for as often as the settings say. *status* is the
    HTTP status that told it, if one did.
    """

    def __init__(
        self,
        reason: str,
        retry_after: float | None = None,
        *,
        attempts: int | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.attempts = attempts
        self.status = status


class Permanent(Exception):
    """
    It will not work however often it is tried: a dead letter.

    *status* is the HTTP status that told it, if one did.
    """

    def __init__(self, reason: str, *, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


class Deferred(Exception):
    """
    The agent has taken the turn and will post its answer: let the conversation wait.

    If nothing has come after *seconds*, the turn is overdue.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the agent answers within {seconds:g} s")
        self.seconds = seconds


class SettingsError(Exception):
    """The settings can't be used; *problems* has one line for each reason, with its fix."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
