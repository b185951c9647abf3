"""
AG-UI, the Agent User Interaction protocol: a run is posted, and its events are streamed back.

Most servers keep no memory, so the history goes along; those that do, by `threadId`, read the last
message alone. Our tools are offered as the front end's: a call of one is a part of the answer.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

import structlog

from ak_instagram.agents.agent import Attachment, Needs, Part, Turn, attachments_of, prompt
from ak_instagram.agents.approvals import decision
from ak_instagram.agents.failures import may_be_about_pictures
from ak_instagram.agents.transport import AgentResponse, Endpoint, JsonObject, agent_url
from ak_instagram.errors import Permanent, Transient
from ak_instagram.settings.model import AgentSettings

from .events import RunReader, is_last, resumed
from .tools import SCHEMAS

if TYPE_CHECKING:
    import aiohttp

log = structlog.get_logger()

# What Instagram's network serves, and the protocol's word for it; Meta names no type.
_CONTENT = {
    "image": ("image", "image/jpeg"),
    "video": ("video", "video/mp4"),
    "audio": ("audio", "audio/mp4"),
    "file": ("document", "application/pdf"),
}
# Others reach few models, and what a model refuses fails the run.
_CARRIED = frozenset({"image"})
_TOOLS = [
    {"name": name, "description": description, "parameters": dict(parameters)}
    for name, (description, parameters) in SCHEMAS.items()
]


class AgUi:
    """Asks one AG-UI endpoint; the conversation is the thread, and the turn the run."""

    needs = Needs(
        always=(("agent.url", "set the run's endpoint, for example http://localhost:8000/agent"),)
    )

    def __init__(self, settings: AgentSettings, session: aiohttp.ClientSession) -> None:
        self.history = settings.history
        self._endpoint = Endpoint(
            settings, session, agent_url(settings), accept="text/event-stream", asks_model=False
        )
        self._reader = partial(RunReader, settings.paused, settings.approval_words)

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """
        Yield each message's text as it comes, and what our tools were called for.

        A run that fails with pictures before it says anything is asked for once more
        without them.
        """
        has_begun = False
        try:
            async with aclosing(self._ask(turn, shows=True)) as parts:
                async for part in parts:
                    has_begun = True
                    yield part
        except (Permanent, Transient) as exc:
            shows = any(map(is_carried, attachments_of(turn)))
            if has_begun or not (shows and may_be_about_pictures(exc)):
                raise
            log.warning("agent.asked_for_less", left_out="pictures", reason=str(exc))
        else:
            return
        async with aclosing(self._ask(turn, shows=False)) as parts:
            async for part in parts:
                yield part

    async def _ask(self, turn: Turn, shows: bool) -> AsyncGenerator[Part]:
        """Yield the parts of one run."""
        async with self._endpoint.ask(turn.id, request_body(turn, shows), turn) as answer:
            if not answer.is_stream:
                await answer.json()
                raise Permanent("agent answered no event stream: is an AG-UI run at agent.url?")
            reader = self._reader()
            async for event in answer.frames(is_last):
                raise_error(answer, event)
                for part in reader.read(event):
                    yield part


def raise_error(answer: AgentResponse, event: JsonObject) -> None:
    """Raise what a `RUN_ERROR` means, with the server's words."""
    if event.get("type") == "RUN_ERROR":
        told = filter(None, (event.get("code"), event.get("message")))
        answer.raise_failure(": ".join(map(str, told)) or "RUN_ERROR", "agent's run failed")


def request_body(turn: Turn, shows: bool = True) -> JsonObject:
    """
    Return the run's input for *turn*, a single message; pictures are lines unless it *shows*.

    The message's id is the turn's, and so the same when it is tried again.
    """

    def goes_along(attachment: Attachment) -> bool:
        return shows and is_carried(attachment)

    text = prompt(turn, goes_along)
    files = [_content(it) for it in filter(goes_along, attachments_of(turn))]
    past = [
        {"id": f"{turn.id}-{at}", "role": line.role, "content": line.text}
        for at, line in enumerate(turn.history)
    ]
    content = [{"type": "text", "text": text}, *files] if files else text
    payloads = [message.payload for message in turn.messages if message.payload]
    messages: list[JsonObject] = [{"id": turn.id, "role": "user", "content": content}]
    resume: list[JsonObject] = []
    if (decided := decision(turn)) is not None:
        messages, resume = resumed(decided)
        payloads = []
    return {
        "threadId": turn.session,
        "runId": turn.id,
        "state": {},
        "messages": [*past, *messages],
        **({"resume": resume} if resume else {}),
        "tools": _TOOLS,
        "context": [{"description": "payload of what was tapped", "value": it} for it in payloads],
        "forwardedProps": {},
    }


def is_carried(attachment: Attachment) -> bool:
    """Return whether *attachment* is a content part of its own."""
    return attachment.kind in _CARRIED and attachment.source is not None


def _content(attachment: Attachment) -> JsonObject:
    """Return the content part of *attachment*: its bytes if they were fetched, else its URL."""
    kind, media_type = _CONTENT[attachment.kind]
    if attachment.data is not None:
        head, _, value = attachment.data.partition(",")
        media_type = head.removeprefix("data:").removesuffix(";base64")
        source = {"type": "data", "value": value, "mimeType": media_type}
    else:
        source = {"type": "url", "value": attachment.url or "", "mimeType": media_type}
    return {"type": kind, "source": source}
