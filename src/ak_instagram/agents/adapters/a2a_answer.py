"""
A2A's answers: messages, tasks and errors of 1.0 and 0.3 become parts, or the reason for none.

The same things have other names in each: states in capitals or not, `parts` or `content`,
a file as a `url` or as a `file`. All of them are read here, whichever was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from ak_instagram.agents.agent import Handoff, Media, MessageEnd, Part, Text
from ak_instagram.agents.answer_schema import NotInSchema, apart, read_answer
from ak_instagram.agents.complaint import complaint
from ak_instagram.agents.transport import AgentResponse, JsonObject
from ak_instagram.errors import Permanent, Transient

RUNNING = frozenset({"submitted", "working"})
_FAILED = frozenset({"failed", "rejected", "canceled", "cancelled"})  # the last in 0.3's protobuf
_INTERNAL_ERROR = -32603
AT_WORK = "agent still works on an earlier attempt at this turn"
WAITS = Handoff("the A2A agent's task waits for somebody")
_WAITS_FOR_LOGIN = Handoff("the A2A agent waits for an authorization")
# Agno's runs that are paused until somebody approves a tool look like this, too.
RUNS_ON = Handoff("the A2A agent's task has not ended, and 0.3 can't tell what comes of it")


def raise_rpc_error(answer: AgentResponse, document: JsonObject, *, is_look: bool) -> None:
    """Raise the JSON-RPC error that *document* is; only a failed run is worth another attempt."""
    error = document.get("error")
    if not isinstance(error, dict):
        return
    told = {"type": f"JSON-RPC {error.get('code')}", "message": error.get("message")}
    if error.get("code") == _INTERNAL_ERROR and not is_look:
        answer.raise_failure(complaint({"error": told}), "agent answered with an error")
    answer.raise_error({"error": told}, Permanent, "agent answered with an error")


def raise_failure(answer: AgentResponse, task: JsonObject) -> None:
    """
    Raise what the state of *task* means if it is a failure, with the server's words.

    A run that failed may succeed: so Google ADK reports its model's 429.
    """
    state = state_of(task)
    words = _text(_status_message(task), "\n")
    if state == "failed":
        answer.raise_failure(words or state, "agent's task failed")
    if state in _FAILED:
        told = {"error": {"message": words}}
        answer.raise_error(told, Permanent, f"agent's task is {state}")


def task_in(result: JsonObject) -> JsonObject:
    """Return the task that *result* is or has, empty if it is a message or a list."""
    task = result if result.get("kind") == "task" else result.get("task")
    return task if isinstance(task, dict) else {}


def state_of(task: JsonObject) -> str:
    """Return the state of *task* as 0.3 spells it: `input-required`."""
    status = task.get("status")
    state = status.get("state") if isinstance(status, dict) else None
    return str(state or "").removeprefix("TASK_STATE_").lower().replace("_", "-")


def answered(tasks: Sequence[JsonObject], turn_id: str) -> JsonObject | None:
    """
    Return the one of *tasks* that an earlier attempt at the turn left with an answer.

    `Transient` if the agent still works on it: hanging up does not stop an agent.
    """
    for task in tasks:
        if any(message.get("messageId") == turn_id for message in objects(task.get("history"))):
            state = state_of(task)
            if state in RUNNING:
                raise Transient(AT_WORK)
            return None if state in _FAILED else task
    return None


def read_result(
    result: JsonObject, known: Sequence[tuple[Part, ...]] = (), *, asks_person: bool = True
) -> list[Part]:
    """Return the parts in a result: a message or a task; those *known* before are left out."""
    if task := task_in(result):
        return read_task(task, known, asks_person=asks_person)
    message = result if result.get("kind") == "message" else result.get("message")
    if not isinstance(message, dict):
        raise Permanent("agent's answer has neither a task nor a message")
    return list(_read(message, "\n"))


def read_task(
    task: JsonObject, known: Sequence[tuple[Part, ...]] = (), *, asks_person: bool = True
) -> list[Part]:
    """
    Return what *task* says: each artifact a message, then the status's, if it is another one.

    A continued task repeats the artifacts *known* before. What was said on the way counts only
    if there is nothing else. A question is for staff unless it *asks_person*.
    """
    if state_of(task) == "auth-required":
        return [_WAITS_FOR_LOGIN]
    if state_of(task) == "input-required" and not asks_person:
        return [WAITS]
    said = [it for it in messages_in_artifacts(task) if it not in known]
    status = _read(_status_message(task), "\n")
    if status and status not in said:
        said.append(status)
    if not said:
        said = [_read(message, "\n") for message in _words_on_the_way(task)]
    parts: list[Part] = []
    for message in filter(None, said):
        parts += [MessageEnd(), *message] if parts else message
    return parts


def messages_in_artifacts(task: JsonObject) -> list[tuple[Part, ...]]:
    """Return the parts of each artifact; a streamed one's texts are pieces of one text."""
    return [_read(artifact, "") for artifact in objects(task.get("artifacts"))]


def _words_on_the_way(task: JsonObject) -> list[JsonObject]:
    """Return the agent's messages in the history of *task* since the person's last one."""
    since: list[JsonObject] = []
    for message in objects(task.get("history")):
        if str(message.get("role")).removeprefix("ROLE_").lower() == "agent":
            since.append(message)
        else:
            since.clear()
    return since


def _read(holder: JsonObject, between: str) -> tuple[Part, ...]:
    """Return the text, the media and the answer documents of a message or an artifact."""
    text = _text(holder, between)
    said: list[Part] = [Text(text)] if text.strip() else []
    files = filter(None, map(_media, _parts(holder)))
    return tuple(apart([[*said, *files], *map(_document, _parts(holder))]))


def _text(holder: JsonObject, between: str) -> str:
    """Return the texts in *holder* joined, without what ADK marks as thoughts."""
    texts: list[str] = []
    for part in _parts(holder):
        metadata = part.get("metadata")
        is_thought = isinstance(metadata, dict) and metadata.get("adk_thought")
        text = part.get("text")
        if text is None or is_thought:
            continue
        if not isinstance(text, str):
            raise Permanent(f"agent's part has a {type(text).__name__} as `text`, not text")
        texts.append(text)
    return between.join(texts)


def _document(part: JsonObject) -> list[Part]:
    """Return the answer that the data in *part* is; other data is none for the person."""
    data = part.get("data")
    try:
        return read_answer(data) if isinstance(data, dict) else []
    except NotInSchema:
        return []


def _media(part: JsonObject) -> Media | None:
    """Return the file that *part* links to, if it does: one that is in it can't be sent."""
    held = part.get("file")
    file = held if isinstance(held, dict) else {}
    url = part.get("url") or file.get("uri") or file.get("fileWithUri")
    if not isinstance(url, str):
        return None
    major = str(part.get("mediaType") or file.get("mimeType")).partition("/")[0]
    match major:
        case "image" | "audio" | "video":
            return Media(major, url)
    return Media("file", url)


def _status_message(task: JsonObject) -> JsonObject:
    status = task.get("status")
    message = status.get("message") if isinstance(status, dict) else None
    return message if isinstance(message, dict) else {}


def _parts(holder: JsonObject) -> list[JsonObject]:
    """Return the parts in *holder*; a message of 0.3's REST calls them `content`."""
    return objects(holder.get("parts") or holder.get("content"))


def objects(value: object) -> list[JsonObject]:
    """Return the JSON objects in *value* if it is a list, else none."""
    return [it for it in value if isinstance(it, dict)] if isinstance(value, list) else []
