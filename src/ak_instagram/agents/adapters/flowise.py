"""Flowise: a chatflow or agentflow behind its prediction address, asked for whole answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from ak_instagram.agents.agent import (
    Attachment,
    Handoff,
    Needs,
    Part,
    Text,
    Turn,
    attachments_of,
    prompt,
)
from ak_instagram.agents.answer_schema import NotInSchema, read_answer, read_message
from ak_instagram.agents.approvals import approval, decision
from ak_instagram.agents.failures import failure_in
from ak_instagram.agents.transport import Endpoint, JsonObject, agent_url
from ak_instagram.errors import Permanent
from ak_instagram.settings.model import AgentSettings

if TYPE_CHECKING:
    import aiohttp

MAX_BODY = 8 * 1024 * 1024  # bytes; an agentflow's answer has each node's whole memory
_ADVICE = {404: "agent.url ends in /api/v1/prediction/ and the id of a flow"}
_CHOICES = ("proceed", "reject")
_WAITS = Handoff("the Flowise flow waits for somebody's decision")


class Flowise:
    """Asks a flow, which keeps the conversation under `overrideConfig.sessionId`."""

    history = 0
    needs = Needs(
        always=(("agent.url", "set the flow's address, http://localhost:3000/api/v1/prediction/…"),)
    )

    def __init__(self, settings: AgentSettings, session: aiohttp.ClientSession) -> None:
        self._endpoint = Endpoint(
            settings, session, agent_url(settings), advice=_ADVICE, max_body=MAX_BODY
        )
        self._choices = list(zip(settings.approval_words, _CHOICES, strict=True))
        self._approves = settings.paused == "approve"

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """Yield the flow's answer, or a handoff if it waits for a decision."""
        async with self._endpoint.ask(turn.id, request_body(turn), turn) as answer:
            document = await answer.json()
            answer.raise_failure(failure_in(document), "agent answered with an error")
            asked = approval_in(document, self._choices) if self._approves else []
            for part in asked or read_prediction(document):
                yield part


def request_body(turn: Turn) -> JsonObject:
    """
    Return the prediction request for *turn*.

    Pictures are lines of the question too: a flow that takes no uploads passes over them. A tap
    that decides what a flow waits for goes on with it, in the chat in which it asked.
    """
    if (decided := decision(turn)) is not None:
        resumed = {"type": decided.choice, "startNodeId": decided.token.get("node")}
        return {
            "question": decided.words or decided.choice,
            "streaming": False,
            "chatId": decided.token.get("chat"),
            "overrideConfig": {"sessionId": turn.session},
            "humanInput": {**resumed, "feedback": decided.words},
        }
    pictures = [it for it in attachments_of(turn) if it.kind == "image" and it.source]
    uploads = [_upload(number, it) for number, it in enumerate(pictures, start=1)]
    return {
        "question": prompt(turn),
        "streaming": False,
        "overrideConfig": {"sessionId": turn.session},
        **({"uploads": uploads} if uploads else {}),
    }


def _upload(number: int, picture: Attachment) -> JsonObject:
    """Return a *picture* as an upload: its data if they were fetched, else its link."""
    if picture.data is None:
        name = {"name": f"image-{number}.jpg", "mime": "image/jpeg"}
        return {"type": "url", **name, "data": picture.url}
    mime = picture.data.removeprefix("data:").partition(";")[0]
    name = {"name": f"image-{number}.{mime.partition('/')[2]}", "mime": mime}
    return {"type": "file", **name, "data": picture.data}


def approval_in(document: JsonObject, choices: Sequence[tuple[str, str]]) -> list[Part]:
    """Return the question for a decision that *document* is, none if a tap can't decide it."""
    action, text = document.get("action"), document.get("text")
    data = action.get("data") if isinstance(action, dict) else None
    node = data.get("nodeId") if isinstance(data, dict) else None
    if not node or not isinstance(text, str) or not text.strip():
        return []
    return approval(text, {"node": node, "chat": document.get("chatId")}, choices)


def read_prediction(document: JsonObject) -> list[Part]:
    """
    Return what a flow answers: its text, or what its `json` has of the answer schema.

    What comes with an `action` is a question for staff, and is not said.
    """
    if document.get("action"):
        return [_WAITS]
    text, structured = document.get("text"), document.get("json")
    if isinstance(structured, dict) and not text:
        try:
            is_whole = "messages" in structured
            return read_answer(structured) if is_whole else read_message(structured)
        except NotInSchema as exc:
            raise Permanent(f"agent's `json` is not in the answer schema: {exc}") from None
    if not isinstance(text, str):
        raise Permanent("agent's answer has no text in `text`")
    return [Text(text)]
