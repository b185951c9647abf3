"""Reading: where the reply is in an answer, and what else in it decides. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from ak_instagram import fast_json
from ak_instagram.agents.agent import Handoff, MessageEnd, Part, Silence, Text, Turn
from ak_instagram.agents.answer_schema import (
    CONTENT,
    NotInSchema,
    apart,
    read_message,
)
from ak_instagram.agents.body import Body, is_cut
from ak_instagram.agents.failures import MARKS, failure_in, is_from_person
from ak_instagram.errors import Permanent, Transient

from .paths import NOTHING, WHOLE, Condition, Path

OF_DOCUMENTS = ("answer", "silence", "handoff", "later", "never")
OF_FRAMES = ("skip", "next", "end")
_UNTYPED = "application/octet-stream"  # as aiohttp calls what has no type
_STARTING = "n8n is starting up"  # with 200 to everything, for as long as its database migrates
_STREAMED = ("data:", "event:", "id:", "retry:", ":")  # lines of server-sent events

OUTCOMES = (*OF_DOCUMENTS, *OF_FRAMES)
"""What a condition may make of an answer; the last three are for one frame of a stream."""


@dataclass(frozen=True, slots=True)
class OutcomeRule:
    """What becomes of an answer of which the condition is true."""

    when: Condition
    outcome: str


@dataclass(frozen=True, slots=True)
class Reading:
    """
    How the JSON of an answer is read: the first of *paths* that has something is the reply.

    The first of *rules* whose condition is true decides what that is worth.
    """

    paths: tuple[Path, ...]
    rules: tuple[OutcomeRule, ...] = ()

    def rule(self, document: object) -> OutcomeRule | None:
        """Return the rule that decides about *document*, a whole answer or a stream's frame."""
        return next((it for it in self.rules if it.when.holds(document)), None)

    @property
    def expects_end(self) -> bool:
        """Whether a stream without a frame that ends it was cut off."""
        return any(it.outcome == "end" for it in self.rules)

    def is_last(self, frame: object) -> bool:
        """Return whether a stream ends with *frame*."""
        rule = self.rule(frame)
        return rule is not None and rule.outcome == "end"

    def failure(self, document: object) -> str | None:
        """Return the words of the failure that *document* is by its shape, if no rule decides."""
        if isinstance(document, str) or self.rule(document) is not None:
            return None
        if isinstance(document, dict) and not MARKS & document.keys():
            return None
        return failure_in(document)

    def parts(self, document: object, turn: Turn) -> list[Part]:
        """
        Return what a whole *document* answers to *turn*; a bare text is the reply.

        Raises `Transient` or `Permanent` if a rule says so, and `Permanent` if there is no
        reply in it.
        """
        if isinstance(document, str):
            return [Text(document)]
        if (decided := decided_by(self.rule(document))) is not None:
            return decided
        wishes = document if isinstance(document, dict) else {}
        if wishes.get("silence") is True:
            return [Silence()]
        reason = wishes.get("handoff")
        asks = reason is True or (isinstance(reason, str) and reason != "")
        parts = self._reply(document, turn, optional=asks)
        return [*parts, Handoff(reason if isinstance(reason, str) else "")] if asks else parts

    def parts_of_frame(self, frame: object) -> list[Part]:
        """Return what one *frame* of a stream adds; texts run on until a message ends."""
        rule = self.rule(frame)
        outcome = rule.outcome if rule else "answer"
        if rule and outcome not in ("answer", *OF_FRAMES):
            return decided_by(rule) or []
        parts: list[Part] = []
        if outcome != "skip":
            path, found = self._found(frame)
            parts = [] if found in (NOTHING, None) else replies(found, path)
        return [*parts, MessageEnd()] if outcome == "next" else parts

    def _found(self, document: object) -> tuple[Path, object]:
        """Return the first path that has something with it, else the first that leads anywhere."""
        anything: tuple[Path, object] | None = None
        for path in self.paths:
            found = path.find(document)
            if found not in (NOTHING, None, "", []):
                return path, found
            if found is not NOTHING and anything is None:
                anything = path, found
        return anything or (self.paths[0], NOTHING)

    def _reply(self, document: object, turn: Turn, *, optional: bool) -> list[Part]:
        path, found = self._found(document)
        # Only a path of several steps leads into a list of messages.
        if len(path.steps) > 1 and is_from_person(document, path.text, turn):
            return []
        if isinstance(document, dict):
            if found is NOTHING and is_answer(document):
                found = document
            # One that is itself the reply, and asks for a person, has no text beside that.
            is_bare = found is NOTHING or (found is document and not is_message(document))
            if optional and is_bare:
                return []
        if found is NOTHING:
            names = "`, `".join(it.text for it in self.paths)
            raise Permanent(f"agent's answer has nothing at `{names}` (agent.reply)")
        return replies(found, path)


def document_of(body: Body) -> object:
    """
    Return the JSON that *body* is; a bare text, and nothing at all, is a string.

    Raises `Transient` or `Permanent` for what is neither, as `Body.json` does.
    """
    text = body.text()
    if text.strip().startswith(_STARTING):
        raise Transient(f"agent answered {body.status}: it is starting up")
    is_plain = body.content_type.startswith("text/") or body.content_type == _UNTYPED
    try:
        document = fast_json.load(text)
    except ValueError:
        if not text.strip():
            return ""
        return text if is_plain and is_prose(text) else body.json()
    is_scalar = not isinstance(document, str | list | dict)
    return text if is_plain and is_scalar else document


def is_prose(text: str) -> bool:
    """Return whether *text* may be words for a person: no page, no JSON, no stream, no bytes."""
    begin = text.lstrip()
    return not (begin.startswith(("<", "{", *_STREAMED)) or "\ufffd" in text or is_cut(text))


def decided_by(rule: OutcomeRule | None) -> list[Part] | None:
    """Return the parts that *rule* alone makes, `None` if it leaves that to the reply."""
    told = f"agent's answer has `{rule.when.text}`" if rule else ""
    match rule.outcome if rule else None:
        case "silence":
            return [Silence()]
        case "handoff":
            return [Handoff(told)]
        case "later":
            raise Transient(f"{told}, which is to be asked again (agent.outcomes)")
        case "never":
            raise Permanent(f"{told}, which is final (agent.outcomes)")
    return None


def replies(found: object, path: Path) -> list[Part]:
    """
    Return the messages that were *found* at *path*: texts, or objects of the answer schema.

    Raises `Permanent` for anything else.
    """
    if isinstance(found, dict) and is_answer(found):
        found = found["messages"]
    try:
        if not isinstance(found, list):
            return read_message(found)
        return apart(read_message(it, f"item {at} there") for at, it in enumerate(found))
    except NotInSchema as exc:
        raise Permanent(f"agent's answer has no reply at `{path.text}`: {exc}") from None


def is_answer(document: Mapping[str, object]) -> bool:
    """Return whether *document* has the list of messages of the answer schema."""
    messages = document.get("messages")
    return isinstance(messages, list) and all(
        isinstance(it, str) or (isinstance(it, dict) and is_message(it)) for it in messages
    )


def is_message(document: Mapping[str, object]) -> bool:
    """Return whether *document* is an answer or a message of the answer schema."""
    return bool(CONTENT & document.keys()) or "messages" in document


# --- from the settings ------------------------------------------------------


def compile_reading(
    reply: str, outcomes: Mapping[str, str], *, is_stream: bool, problems: list[str]
) -> Reading:
    """
    Return the reading that `agent.reply` and `agent.outcomes` describe.

    What can't be read of them goes to *problems*, a line each.
    """
    paths: list[Path] = []
    texts = reply.split(",") if reply.strip() else [WHOLE]
    for text in texts:
        try:
            if not text.strip():
                raise ValueError("has nothing between two commas: take one of them out")
            paths.append(Path.parse(text))
        except ValueError as reason:
            problems.append(f"agent.reply: {reason}")
    rules: list[OutcomeRule] = []
    known = OUTCOMES if is_stream else OF_DOCUMENTS
    for text, outcome in outcomes.items():
        if outcome not in known:
            close = get_close_matches(outcome, known, n=1)
            fix = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
            problems.append(f"agent.outcomes: `{outcome}` is no outcome; {fix}")
        try:
            rules.append(OutcomeRule(Condition.parse(text), outcome))
        except ValueError as reason:
            problems.append(f"agent.outcomes: {reason}")
    return Reading(tuple(paths), tuple(rules))
