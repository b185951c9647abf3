"""
Failures inside a success: agent servers that answer 200 and report an error in the body.

The shapes are those of real servers: Agent Kernel's texts, LangGraph's `__error__`, Agno's
and n8n's `status` and `error`, A2A's `state`, Google ADK's `errorCode`, JSON-RPC's `error`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ak_instagram.errors import Permanent, Transient

from .complaint import complaint

FEW = 3  # attempts at what nobody knows to heal: each asks the model anew, and may be remembered

# No document without any of these members reports a failure.
MARKS = frozenset({"error", "__error__", "errorCode", "status", "result"})
_FAILED = frozenset({"error", "errored", "failed", "failure", "rejected", "cancelled", "canceled"})
# No attempt cures these: somebody has to change a key, a model or a right.
_STAYS = re.compile(
    r"\b(?:401|403|404)\b|credential|api[ _-]?key|unauthori[sz]ed|authentication|permission denied"
    r"|(?:invalid|unknown|no such) model|model .{0,40}not found",
    re.IGNORECASE,
)


def failure_in(document: object) -> str | None:
    """Return the words with which *document* says that the agent failed, `None` if it does not."""
    if not isinstance(document, Mapping):
        return None
    for name in ("__error__", "error"):
        if document.get(name):
            return complaint({"error": document[name]}) or name
    if document.get("errorCode"):
        return f"{document['errorCode']} {document.get('errorMessage') or ''}".strip()
    for holder in (document, document.get("result")):
        status = holder.get("status") if isinstance(holder, Mapping) else None
        if isinstance(status, Mapping):  # A2A's
            status = status.get("state")
        if isinstance(status, str) and status.lower().removeprefix("task_state_") in _FAILED:
            return complaint(document) or status
    return None


def failure(words: str, reason: str) -> Transient | Permanent:
    """
    Return the error for a failure that the agent tells in these *words*, with a *reason*.

    It is `Permanent` if the words say that no attempt can cure it, else worth a few attempts.
    """
    return Permanent(reason) if _STAYS.search(words) else Transient(reason, attempts=FEW)
