"""
Failures: errors that agent servers report within a success, and the error each of them means.

Such a report has no status of its own. Its words tell which one it would have had, and that
decides whether to ask again, as it does for an answer with that status.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from ak_instagram.errors import Permanent, Transient
from ak_instagram.settings.model import RETRY_STATUSES

from .agent import Turn, prompt
from .complaint import complaint

FEW = 3  # attempts at a turn whose failure nobody can tell the cure of

_NAMES = {
    400: "the request is refused",
    401: "credentials are refused",
    403: "credentials are refused",
    404: "a model or a resource is unknown",
    413: "the request is too long",
    422: "the request is refused",
    429: "a rate limit is reached",
}

_CODE = re.compile(r"\berror code: ([45]\d\d)\b", re.IGNORECASE)
# The words of the models' providers, of their clients and of Agent Kernel; the first that
# matches decides.
_MEANINGS = tuple(
    (status, re.compile(pattern, re.IGNORECASE))
    for status, pattern in (
        (
            413,
            r"context_?length|exceed_context_size|context[ _](?:length|window|size)|"
            r"ContextWindowExceeded|prompt is too long|input is too long",
        ),
        (
            401,
            r"invalid[ _]api[ _]?(?:key|configuration)|incorrect api key|api key not valid|"
            r"x-api-key|auth(?:entication)?[ _]?error|\bunauthori[sz]ed|\bunauthenticated",
        ),
        (403, r"permission_?denied|permission_error|access denied"),
        (404, r"model_?not_?found|not_?found_?error|invalid model|model .{0,60}does not exist"),
        (429, r"rate_?limit|rate limit|too many requests|insufficient_quota|resource_exhausted"),
        (
            503,
            r"overloaded|unavailable|could not connect|connection_?error|server_error|"
            r"internal_?server_?error|timed? ?out",
        ),
        (400, r"invalid_request_error|bad_?request_?error|unprocessable_?entity"),
    )
)

# The text of a model client's exception: no agent says that to a person.
EXCEPTION = re.compile(r"\s*(?:Error: )?(?:Error code: [45]\d\d\b|litellm\.\w+(?:Error)?\b.*:)")


# Statuses with which servers refuse a picture: their model can't see it, or they can't fetch
# it. llama.cpp says 500, vLLM 400, OpenRouter 404.
_NO_PICTURES = frozenset({400, 404, 413, 415, 422, 500, 501})


# … and they refuse tools with the same, and say so.
_ABOUT_TOOLS = re.compile(r"\btools?\b|tool_choice|function[ _-]?call", re.IGNORECASE)
# Statuses with which they refuse one for its length.
_TOO_LONG = frozenset({400, 413})
# What some say with one of these statuses, and a smaller request does not cure: LiteLLM's proxy
# answers 400 to a wrong key and to an unknown model.
_NOT_ABOUT_IT = frozenset({401, 403, 404})


def may_be_about_pictures(exc: Transient | Permanent) -> bool:
    """Return whether a request with pictures that failed by *exc* may pass without them."""
    return exc.status in _NO_PICTURES and meant_status(str(exc)) not in _NOT_ABOUT_IT


def may_be_about_tools(exc: Transient | Permanent) -> bool:
    """Return whether a request with tools that failed by *exc* may pass without them."""
    return exc.status in _NO_PICTURES and bool(_ABOUT_TOOLS.search(str(exc)))


def may_be_about_length(exc: Transient | Permanent) -> bool:
    """Return whether a request that failed by *exc* may pass if it is shorter."""
    return exc.status in _TOO_LONG and meant_status(str(exc)) not in _NOT_ABOUT_IT


def is_transient(status: int, statuses: Collection[str] = RETRY_STATUSES) -> bool:
    """Return whether an answer with *status* may be another one later: *statuses* has those."""
    return str(status) in statuses or f"{status // 100}xx" in statuses


def is_too_long(words: str) -> bool:
    """Return whether *words* say that a request does not fit the model's context."""
    return bool(_MEANINGS[0][1].search(words))


def meant_status(words: str) -> int | None:
    """Return the HTTP status that an error's *words* mean, `None` if they don't tell."""
    if code := _CODE.search(words):
        return int(code[1])
    return next((status for status, known in _MEANINGS if known.search(words)), None)


def failure(words: str, text: str, quote: str) -> Transient | Permanent:
    """
    Return the error that *words* mean: *text*, its kind, and the *quote* of them for the log.

    One that they don't tell is `Transient`, for `FEW` attempts.
    """
    status = meant_status(words)
    unavailable = "something is unavailable"
    kind = "of an unknown kind" if status is None else _NAMES.get(status, unavailable)
    reason = f"{text} ({kind})" + (f": the server says: {quote}" if quote else "")
    if status is None:
        return Transient(reason, attempts=FEW)
    return (Transient if is_transient(status) else Permanent)(reason, status=status)


# --- failures in JSON that nobody described -------------------------------------

_FAILED = frozenset({"error", "failed", "failure"})
_ENDED = _FAILED | {"rejected", "canceled", "cancelled"}  # of a task or a run, not of an order
_NO_CODE = frozenset({"", "0", "ok", "none", "null", "success"})


# Without one of these an object reports no failure.
MARKS = frozenset({"error", "__error__", "errorCode", "status", "state", "result", "task"})


def failure_in(document: object) -> str | None:
    """
    Return the words of the failure that a JSON *document* reports, `None` if it reports none.

    Known are JSON-RPC's, OpenAI's and n8n's `error`, LangGraph's `__error__`, Google ADK's
    `errorCode`, also in a list of events, and `status` or `state` of a run or of an A2A task.
    """
    if isinstance(document, list):
        events = (it for it in document if isinstance(it, dict) and "invocationId" in it)
        return next(filter(None, map(_coded, events)), None)
    if not isinstance(document, dict):
        return None
    if isinstance(raised := document.get("__error__"), dict):
        return f"{raised.get('error', '')}: {raised.get('message', '')}"
    if error := document.get("error"):
        return complaint({"error": error}) or "error"
    return _coded(document) or _failed_run(document)


def _coded(document: Mapping[str, object]) -> str | None:
    """Return `errorCode` and its message, if there is one."""
    code = document.get("errorCode")
    if not isinstance(code, (str, int)) or str(code).strip().casefold() in _NO_CODE:
        return None
    return f"{code}: {document.get('errorMessage') or ''}"


def _failed_run(document: Mapping[str, object]) -> str | None:
    """Return what a run says of its failure, here, in its `result` or in the `task` there."""
    found: object = document
    for name in ("result", "task"):
        if isinstance(found, dict) and isinstance(found.get(name), dict):
            found = found[name]
    for run in (document, found):
        assert isinstance(run, Mapping)
        status = run.get("status")
        is_run = isinstance(status, dict) or "run_id" in run
        state = status.get("state") if isinstance(status, dict) else run.get("state") or status
        name = state.casefold().removeprefix("task_state_") if isinstance(state, str) else ""
        if name in (_ENDED if is_run else _FAILED):
            return f"{state}: {_words_of(run, status)}"
    return None


def _words_of(run: Mapping[str, object], status: object) -> str:
    """Return the first text in which *run* tells why it failed, empty if it has none."""
    told = [run.get(name) for name in ("error", "message", "content", "detail")]
    message = status.get("message") if isinstance(status, dict) else None
    parts = message.get("parts") if isinstance(message, dict) else None
    if isinstance(parts, list):
        told += [part.get("text") for part in parts if isinstance(part, dict)]
    return next((text for text in told if isinstance(text, str)), "")


# --- the person's own words -----------------------------------------------------

_PERSON = frozenset({"user", "human", "humanmessage"})


def is_from_person(document: object, path: str, turn: Turn) -> bool:
    """
    Return whether the dotted *path* leads to a message of the person's.

    A list on the way has messages, told apart by `role`, `type`, `author` or `sender`; one that
    has none of these, and the text of a message of *turn* or of all of it, is the person's too.
    """
    found, is_named, is_listed = document, False, False
    for step in path.split(".") if path else []:
        if isinstance(found, list):
            try:
                found = found[int(step)]
            except (ValueError, IndexError):
                return False
            is_listed = isinstance(found, dict)
        elif isinstance(found, dict):
            found = found.get(step)
        if isinstance(found, dict) and (names := _authors(found)):
            is_named = True
            if names & _PERSON:
                return True
    if not is_listed or is_named or not isinstance(found, str):
        return False
    return found.strip() in {prompt(turn).strip(), *(it.text.strip() for it in turn.messages)}


def is_persons_message(item: object) -> bool:
    """Return whether *item* is a message that says itself that the person wrote it."""
    return isinstance(item, dict) and bool(_authors(item) & _PERSON)


def _authors(message: Mapping[str, object]) -> set[str]:
    """Return the names that say who wrote *message*, in lower case."""
    names = [message.get(key) for key in ("role", "type", "author", "sender")]
    if isinstance(kind := message.get("id"), list):  # LangChain's serialized form
        names += kind[-1:]
    return {name.casefold() for name in names if isinstance(name, str)}
