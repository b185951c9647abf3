"""
AG-UI's events: the stream of one run becomes parts, or the reason for none. Pure.

https://docs.ag-ui.com/concepts/events
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ak_instagram import fast_json
from ak_instagram.agents.adapters.a2a_answer import objects
from ak_instagram.agents.agent import Handoff, MessageEnd, Part, QuickReplies, Text
from ak_instagram.agents.answer_schema import NotInSchema, read_answer, read_message
from ak_instagram.agents.approvals import APPROVED, DENIED, Decision, approval
from ak_instagram.agents.failures import FEW
from ak_instagram.agents.transport import JsonObject
from ak_instagram.errors import Permanent, Transient

from .tools import SCHEMAS, parts_of

_WAITS = Handoff("the AG-UI run waits for somebody's decision")
# A structured output of Pydantic AI's is a call of this tool, and nowhere else.
_STRUCTURED = "final_result"


@dataclass(slots=True)
class _Call:
    """A tool call whose arguments are coming in."""

    id: str
    name: str
    arguments: str = ""
    is_answered: bool = False


class RunReader:
    """
    Reads the events of one run in their order.

    *paused* and *approval_words* are as in the settings: who decides about a run that waits.
    """

    def __init__(
        self, paused: str = "handoff", approval_words: tuple[str, ...] = ("Yes", "No")
    ) -> None:
        self._paused = paused
        self._words = approval_words
        self._has_said = False
        self._is_between = False  # a message has ended since something was said
        self._before = ""  # what the message before said
        self._held = ""  # the begin of a message that may turn out to repeat that
        self._is_repeating = False
        self._text = ""
        self._aside: list[Part] = []  # the words of subagents
        self._ignored: set[str] = set()  # messages that are not the agent's to the person
        self._message = ""
        self._calls: dict[str, _Call] = {}
        self._call = ""
        self._snapshot: list[str] = []

    def read(self, event: JsonObject) -> Iterator[Part]:
        """Yield the parts that *event* completes."""
        match event.get("type"):
            case "TEXT_MESSAGE_START":
                yield from self._begin(event)
            case "TEXT_MESSAGE_CONTENT":
                yield from self._say(event)
            case "TEXT_MESSAGE_CHUNK":
                if event.get("messageId") not in (None, self._message):
                    yield from self._begin(event)
                if event.get("delta") is not None:
                    yield from self._say(event)
            case "TOOL_CALL_START":
                self._begin_call(event)
            case "TOOL_CALL_ARGS":
                self._extend_call(event)
            case "TOOL_CALL_CHUNK":
                if event.get("toolCallName"):
                    self._begin_call(event)
                self._extend_call(event)
            case "TOOL_CALL_RESULT":
                self._answer_call(event)
            case "MESSAGES_SNAPSHOT":
                self._snapshot = _said_in(event)
            case "RUN_FINISHED":
                yield from self._finish(event)

    # --- texts ----------------------------------------------------------------

    def _begin(self, event: JsonObject) -> Iterator[Part]:
        """
        Begin a message, which ends the one before.

        A message's own end says too little: servers send it before an error, too.
        """
        yield from self._end_message()
        self._message = str(event.get("messageId"))
        if event.get("role") not in (None, "assistant"):
            self._ignored.add(self._message)

    def _end_message(self) -> Iterator[Part]:
        """End the message, and leave it out if it repeats the one before word for word."""
        if self._held and self._held != self._before:
            yield from self._out(self._held)
        self._before = self._text + self._held or self._before
        self._text = self._held = ""
        self._is_repeating = bool(self._before)
        self._is_between = self._has_said

    def _say(self, event: JsonObject) -> Iterator[Part]:
        delta = event.get("delta")
        if not isinstance(delta, str):
            raise Permanent(f"agent's message has a {type(delta).__name__} as `delta`, not text")
        if str(event.get("messageId", self._message)) in self._ignored or not delta:
            return
        if event.get("subagentRunId"):
            self._aside.append(Text(delta))
            return
        if self._is_repeating:
            self._held += delta
            if self._before.startswith(self._held):
                return
            delta, self._held, self._is_repeating = self._held, "", False
        yield from self._out(delta)

    def _out(self, text: str) -> Iterator[Part]:
        if self._is_between:
            yield MessageEnd()
        self._is_between = False
        self._has_said = True
        self._text += text
        for call in self._calls.values():  # whoever goes on has got what was called for
            call.is_answered = True
        yield Text(text)

    # --- tools ----------------------------------------------------------------

    def _begin_call(self, event: JsonObject) -> None:
        self._call = str(event.get("toolCallId"))
        self._calls[self._call] = _Call(self._call, str(event.get("toolCallName")))

    def _extend_call(self, event: JsonObject) -> None:
        delta = event.get("delta")
        call = self._calls.get(str(event.get("toolCallId") or self._call))
        if call is not None and isinstance(delta, str):
            call.arguments += delta

    def _answer_call(self, event: JsonObject) -> None:
        if call := self._calls.get(str(event.get("toolCallId"))):
            call.is_answered = True

    def _called(self) -> Iterator[list[Part]]:
        """Yield a message for each call of ours; others are between the agent and its server."""
        for call in self._calls.values():
            if call.name in SCHEMAS:
                yield parts_of(call.name, call.arguments)
            elif call.name == _STRUCTURED and not self._has_said:
                yield structured(call.arguments)

    # --- the end --------------------------------------------------------------

    def _finish(self, event: JsonObject) -> Iterator[Part]:
        outcome = event.get("outcome")
        kind = outcome.get("type") if isinstance(outcome, dict) else outcome
        if kind == "cancelled":
            raise Transient("agent's run was cancelled", attempts=FEW)
        yield from self._end_message()
        messages = list(self._called())
        if not self._has_said and not any(messages):
            messages = [[Text(it)] for it in self._snapshot] or [self._aside]
        pending = outcome.get("interrupts") if isinstance(outcome, dict) else None
        if kind == "interrupt":
            messages += self._waiting(objects(pending))
        elif left := [it for it in self._calls.values() if self._is_left(it)]:
            # Servers without interrupts end a run that waits for an approval like this.
            messages += self._waiting([{"toolCallId": it.id} for it in left])
        for parts in filter(None, messages):
            if self._has_said and not isinstance(parts[0], Handoff | QuickReplies):
                yield MessageEnd()
            self._has_said = True
            yield from parts

    def _is_left(self, call: _Call) -> bool:
        """Return whether *call* is for neither us nor the server, which did not answer it."""
        is_ours = call.name in SCHEMAS or call.name == _STRUCTURED
        return not (call.is_answered or is_ours)

    def _waiting(self, pending: list[JsonObject]) -> list[list[Part]]:
        """Return what is said of the interrupts that are *pending*: several are for staff."""
        asked: list[Part] = []
        if len(pending) == 1 and self._paused != "handoff":
            [interrupt] = pending
            message = interrupt.get("message")
            words = message if isinstance(message, str) and message.strip() else ""
            if not interrupt.get("toolCallId"):
                asked = [Text(words)] if words else []
            elif self._paused == "approve":
                asked = self._approval(interrupt, words)
        return [asked or [_WAITS]]

    def _approval(self, interrupt: JsonObject, words: str) -> list[Part]:
        """Return the question whether a tool may be called; what was said last may be it."""
        call = self._calls.get(str(interrupt.get("toolCallId")))
        if call is None or not (words or self._before):
            return []
        token = {"call": call.id, "name": call.name, "args": call.arguments}
        if interrupt.get("id"):
            token["interrupt"] = str(interrupt["id"])
        choices = list(zip(self._words, (APPROVED, DENIED), strict=True))
        asked = approval(words, token, choices)
        return asked if words else asked[1:]


def is_last(event: JsonObject) -> bool:
    """Return whether the stream ends with *event*."""
    return event.get("type") in ("RUN_FINISHED", "RUN_ERROR")


def resumed(decision: Decision) -> tuple[list[JsonObject], list[JsonObject]]:
    """
    Return the messages, and the entries of `resume`, that go on after *decision*.

    A server without interrupts gets the tool's result instead, as Agno's reads it.
    """
    token, is_approved = decision.token, decision.choice == APPROVED
    id_ = str(token.get("call"))
    function = {"name": token.get("name"), "arguments": token.get("args")}
    call = {"id": id_, "type": "function", "function": function}
    messages: list[JsonObject] = [{"id": f"{id_}-call", "role": "assistant", "toolCalls": [call]}]
    if interrupt := token.get("interrupt"):
        payload = {"approved": is_approved}
        return messages, [{"interruptId": interrupt, "status": "resolved", "payload": payload}]
    content = fast_json.dump({"accepted": is_approved}).decode()
    messages.append({"id": f"{id_}-result", "role": "tool", "toolCallId": id_, "content": content})
    return messages, []


def structured(arguments: str) -> list[Part]:
    """Return what a structured output says: an answer or a message of the answer schema."""
    found = fast_json.load_object(arguments) or {}
    found = response if isinstance(response := found.get("response"), dict) else found
    try:
        if found.keys() & {"messages", "silence", "handoff"}:
            return read_answer(found)
        return read_message(found)
    except NotInSchema as exc:
        raise Permanent(f"agent's structured output is not in the answer schema: {exc}") from None


def _said_in(event: JsonObject) -> list[str]:
    """Return the texts of the assistant's messages after the person's last one in a snapshot."""
    messages = event.get("messages")
    said: list[str] = []
    for message in messages if isinstance(messages, list) else []:
        if not isinstance(message, dict):
            continue
        content = message.get("content")
        if message.get("role") == "user":
            said.clear()
        elif message.get("role") == "assistant" and isinstance(content, str) and content.strip():
            said.append(content)
    return said
