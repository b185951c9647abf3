"""LangGraph's answers: the state in which a run ended becomes parts. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from ak_instagram.agents.agent import Handoff, Part, Text
from ak_instagram.agents.answer_schema import (
    CONTENT,
    NotInSchema,
    apart,
    read_answer,
    read_message,
)
from ak_instagram.agents.approvals import APPROVED, DENIED, Decision, approval, call_in_words
from ak_instagram.agents.transport import JsonObject
from ak_instagram.errors import Permanent

STAFF = Handoff("the LangGraph graph waits for somebody's decision")
_QUESTIONS = ("question", "message", "prompt", "query")
_WISHES = frozenset({"messages", "silence", "handoff"})
_TEXTS = ("text", "output_text")


def read_state(
    state: JsonObject,
    turn_id: str,
    known: Collection[str] = (),
    *,
    asks_person: bool = True,
    approval_words: Sequence[str] = (),
) -> list[Part]:
    """
    Return what *state* says since the message of the turn, and then its question, if it waits.

    Messages *known* before the run are left out. Without *asks_person* every question is for
    staff, and so is an approval without *approval_words*. Raises `Permanent` if there are no
    messages to read.
    """
    pending = interrupts_of(state)
    messages = state.get("messages")
    if not isinstance(messages, list):
        if not pending:
            raise Permanent("agent's state has no list of `messages`")
        messages = []
    said = [_text(it) for it in since(messages, turn_id) if it.get("id") not in known]
    parts = apart([Text(text)] for text in said if text.strip())
    if not pending:
        return parts
    asked = question(pending) if asks_person else None
    if approval_words and (approved := approval_of(pending, approval_words)):
        asked = approved
    return [STAFF] if asked is None else apart([parts, asked])


def passed(state: JsonObject, turn_id: str, told: Collection[str]) -> Iterator[tuple[str, str]]:
    """
    Yield id and text of each message of the answer that others follow in a run's *state*.

    Whatever node may rewrite it has done so. Those *told* and those without an id are left out.
    """
    messages = state.get("messages")
    if not isinstance(messages, list) or not messages:
        return
    for message in since(messages, turn_id):
        id_ = message.get("id")
        if isinstance(id_, str) and id_ not in told and message is not messages[-1]:
            yield id_, _text(message)


def since(messages: Sequence[object], turn_id: str) -> list[JsonObject]:
    """Return the model's messages after the one of the turn, else after the person's last one."""
    found = [it for it in messages if isinstance(it, dict)]
    own = [at for at, it in enumerate(found) if it.get("id") == turn_id]
    persons = [at for at, it in enumerate(found) if _type(it) == "human"]
    begin = max(own or persons, default=-1) + 1
    return [it for it in found[begin:] if _type(it) == "ai"]


def message_ids(thread: object) -> frozenset[str]:
    """Return the ids of the messages that a *thread* has."""
    values = thread.get("values") if isinstance(thread, dict) else None
    messages = values.get("messages") if isinstance(values, dict) else None
    listed = messages if isinstance(messages, list) else []
    return frozenset(str(it.get("id")) for it in listed if isinstance(it, dict))


def interrupts_of(holder: object) -> list[object]:
    """Return the values of the interrupts in a run's state or in a thread, by task there."""
    if not isinstance(holder, dict):
        return []
    found = holder.get("__interrupt__")
    if found is None and isinstance(by_task := holder.get("interrupts"), dict):
        found = [each for task in by_task.values() if isinstance(task, list) for each in task]
    return [it.get("value") for it in found or [] if isinstance(it, dict)]


def is_for_person(pending: Sequence[object]) -> bool:
    """Return whether the person can answer what is *pending*."""
    asked = question(pending)
    return asked is not None and not any(isinstance(part, Handoff) for part in asked)


def question(pending: Sequence[object]) -> list[Part] | None:
    """
    Return what is said of the *pending* values, `None` if they are for staff.

    A question is a text, an object with one under a usual name, or what is in the answer schema.
    Everything else, such as a tool call to approve, and several at once, is for staff.
    """
    if len(pending) != 1:
        return None
    [value] = pending
    if isinstance(value, str):
        return [Text(value)] if value.strip() else None
    if not isinstance(value, dict):
        return None
    try:
        if _WISHES & value.keys() and not CONTENT & value.keys():
            return read_answer(value)
        if CONTENT & value.keys():
            return read_message(value) or None
    except NotInSchema:
        pass
    asked = next((value[name] for name in _QUESTIONS if isinstance(value.get(name), str)), None)
    return [Text(asked)] if asked else None


def approval_of(pending: Sequence[object], words: Sequence[str]) -> list[Part]:
    """
    Return the question whether a tool may be called, none if it is another one or several.

    So LangChain's human-in-the-loop middleware waits: with `action_requests`.
    """
    value = pending[0] if len(pending) == 1 else None
    requests = value.get("action_requests") if isinstance(value, dict) else None
    if not isinstance(requests, list) or len(requests) != 1 or not isinstance(requests[0], dict):
        return []
    [request] = requests
    asked = request.get("description") or call_in_words(request.get("name"), request.get("args"))
    choices = list(zip(words, (APPROVED, DENIED), strict=True))
    return approval(asked, {}, choices) if isinstance(asked, str) and asked else []


def decisions_of(decision: Decision) -> JsonObject:
    """Return what the middleware resumes with."""
    if decision.choice == APPROVED:
        return {"decisions": [{"type": "approve"}]}
    return {"decisions": [{"type": "reject", "message": decision.words or "The person refused."}]}


def _type(message: JsonObject) -> str:
    """Return who wrote *message*: `ai`, also for a chunk and for OpenAI's `assistant`."""
    kind = str(message.get("type") or message.get("role")).removesuffix("MessageChunk").lower()
    return {"assistant": "ai", "user": "human"}.get(kind, kind)


def _text(message: JsonObject) -> str:
    """Return the text of *message*, without what is thought or called in it."""
    content = message.get("content")
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        raise Permanent(f"agent's message has a {type(content).__name__} as `content`, not text")
    return "".join(map(_block_text, content))


def _block_text(block: object) -> str:
    if isinstance(block, str):
        return block
    if not isinstance(block, dict):
        raise Permanent(f"agent's message has a {type(block).__name__} in `content`, not text")
    text = block.get("text") if block.get("type") in _TEXTS else None
    return text if isinstance(text, str) else ""
