"""What an agent's HTTP status means: an answer, try again later, or give up."""

from __future__ import annotations

from ak_instagram.errors import Permanent, Transient

MAX_RETRY_AFTER = 3600.0
"""No agent makes a person wait longer than this many seconds for the next try."""

# Statuses below 500 that say "not now" rather than "not so".
_TRANSIENT = frozenset({408, 425, 429})

_ADVICE = {
    401: ": check agent.api_key",
    403: ": check agent.api_key",
    404: ": check agent.url and agent.model",
    405: ": check agent.url",
}
_REDIRECTED = ": redirects are not followed, set agent.url to the final address"


def check_status(status: int, retry_after: float | None = None) -> None:
    """
    Raise what *status* means unless it is a success.

    The text names the status and nothing of the body, which may repeat what the
    person wrote.
    """
    if 200 <= status < 300:
        return
    if status in _TRANSIENT or status >= 500:
        raise Transient(f"agent answered {status}", retry_after)
    advice = _REDIRECTED if 300 <= status < 400 else _ADVICE.get(status, "")
    raise Permanent(f"agent answered {status}{advice}")
