"""
A2A, the Agent2Agent protocol, 1.0 and 0.3, over JSON-RPC or REST as the agent's card says.

The server keeps the conversation by `contextId`. Servers of 1.0 list its tasks, and so each
turn begins with a look: whether an earlier attempt was answered after all, and whether a
task waits for what the person says now. Nothing of that is kept here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlencode, urlsplit

from ak_instagram.agents.agent import Attachment, Needs, Part, Turn, attachments_of, prompt
from ak_instagram.agents.transport import Endpoint, JsonObject, agent_url
from ak_instagram.errors import Permanent, Transient
from ak_instagram.settings.model import AgentSettings

from .a2a_answer import (
    AT_WORK,
    RUNNING,
    RUNS_ON,
    WAITS,
    answered,
    messages_in_artifacts,
    objects,
    raise_failure,
    raise_rpc_error,
    read_result,
    read_task,
    state_of,
    task_in,
)

if TYPE_CHECKING:
    import aiohttp

CARD = "/.well-known/agent-card.json"
ACCEPT = "application/json, application/a2a+json"  # the latter is REST's
TASKS = 3  # the newest of a context that are looked at

# What Instagram's network serves; Meta names no type.
_MEDIA_TYPES = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "audio": "audio/mp4",
    "file": "application/pdf",
}


@dataclass(frozen=True, slots=True)
class Interface:
    """One of the interfaces on an agent's card: where it is and how it is spoken to."""

    url: str
    is_rest: bool
    is_v1: bool
    tenant: str = ""
    input_modes: tuple[str, ...] = ()

    def carries(self, attachment: Attachment) -> bool:
        """Return whether the agent declares that it takes what *attachment* is, by its URL."""
        kind = _MEDIA_TYPES.get(attachment.kind, "")
        accepted = {kind, f"{kind.partition('/')[0]}/*", "*/*"}
        return bool(kind and attachment.source) and not accepted.isdisjoint(self.input_modes)


class A2A:
    """Asks the agent behind a card; one blocking request a turn, after the look."""

    history = 0
    needs = Needs(
        always=(("agent.url", "set the agent's root, for example http://localhost:9999"),)
    )

    def __init__(self, settings: AgentSettings, session: aiohttp.ClientSession) -> None:
        """The card is below `agent.url`, or at it if its path ends in `.json`."""
        is_card = urlsplit(settings.url or "").path.endswith(".json")
        self._card_url = agent_url(settings, "" if is_card else CARD)
        self._endpoint = partial(Endpoint, settings, session, accept=ACCEPT)
        self._asks_person = settings.paused != "handoff"
        # As the card said, until something fails. It is no part of any conversation.
        self._interface: Interface | None = None

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """Yield the answer's messages: those of artifacts, then of the status, else the words."""
        try:
            parts = await self._ask(turn)
        except (Transient, Permanent):
            self._interface = None
            raise
        for part in parts:
            yield part

    async def _ask(self, turn: Turn) -> list[Part]:
        interface = self._interface  # another turn's failure may take it away meanwhile
        if interface is None:
            async with self._endpoint(self._card_url).ask(turn.id, None, turn, "GET") as answer:
                card = await answer.json()
            interface = self._interface = choose_interface(card, self._card_url)
        tasks = await self._look(interface, turn) if interface.is_v1 else []
        if (earlier := answered(tasks, turn.id)) is not None:
            return read_task(earlier, asks_person=self._asks_person)
        waiting = next((it for it in tasks[:1] if state_of(it) == "input-required"), {})
        if waiting and not self._asks_person:
            return [WAITS]
        body = send_body(turn, interface, waiting.get("id"))
        result = await self._call(interface, turn, "send", body)
        known = messages_in_artifacts(waiting)
        parts = read_result(result, known, asks_person=self._asks_person)
        if not parts and state_of(task_in(result)) in RUNNING:
            if interface.is_v1:  # a later attempt finds what comes of it
                raise Transient(AT_WORK)
            return [RUNS_ON]
        return parts

    async def _look(self, interface: Interface, turn: Turn) -> list[JsonObject]:
        """Return the newest tasks of the conversation, none if the server does not tell."""
        params = {"contextId": turn.session, "pageSize": TASKS, "includeArtifacts": True}
        try:
            found = await self._call(interface, turn, "list", params)
        except Permanent:
            return []
        return objects(found.get("tasks"))

    async def _call(
        self,
        interface: Interface,
        turn: Turn,
        operation: Literal["send", "list"],
        params: JsonObject,
    ) -> JsonObject:
        """Return the operation's result; raise what an error in it, or a failed task, means."""
        version = {"A2A-Version": "1.0"} if interface.is_v1 else {}
        if interface.is_rest:
            path = f"/{quote(interface.tenant)}" if interface.tenant else ""
            path += "" if interface.is_v1 else "/v1"
            if operation == "list":
                query = urlencode({**params, "includeArtifacts": "true"})
                url, body, method = f"{interface.url}{path}/tasks?{query}", None, "GET"
            else:
                url, body, method = f"{interface.url}{path}/message:send", params, "POST"
        else:
            body = rpc_body(interface, turn.id, operation, params)
            url, method = interface.url, "POST"
        endpoint = self._endpoint(url, headers=version)
        async with endpoint.ask(turn.id, body, turn, method) as answer:
            document = await answer.json()
            raise_rpc_error(answer, document, is_look=operation == "list")
            result = document if interface.is_rest else document.get("result")
            if not isinstance(result, dict):
                raise Permanent("agent's answer has no `result`")
            raise_failure(answer, task_in(result))
            return result


# --- the card ---------------------------------------------------------------


def choose_interface(card: JsonObject, card_url: str) -> Interface:
    """
    Return the interface to use: 1.x before 0.3, otherwise the first one that is spoken here.

    Of its URL only the path is taken. The rest is *card_url*'s: an agent behind a proxy or in
    a container often does not know its own address, and a card must not send the key elsewhere.
    Raises `Permanent` if there is none.
    """
    modes = tuple(it for it in card.get("defaultInputModes") or () if isinstance(it, str))
    interfaces = sorted(_interfaces(card), key=lambda it: not it[1].startswith("1."))
    for interface, version, binding in interfaces:
        is_rest = binding == "HTTP+JSON"
        path = urlsplit(str(interface.get("url"))).path
        path = path.rstrip("/") if is_rest else path
        return Interface(
            url=urlsplit(card_url)._replace(path=path, query="").geturl(),
            is_rest=is_rest,
            is_v1=version.startswith("1."),
            tenant=str(interface.get("tenant") or ""),
            input_modes=modes,
        )
    raise Permanent(
        "agent's card has no interface of A2A 1.x or 0.3 over JSONRPC or HTTP+JSON:"
        " is there an agent at agent.url?"
    )


def _interfaces(card: JsonObject) -> Iterator[tuple[JsonObject, str, str]]:
    """Yield each interface that is spoken here, with its version and its binding."""
    top = {"url": card.get("url"), "transport": card.get("preferredTransport") or "JSONRPC"}
    of_03 = [top, *objects(card.get("additionalInterfaces"))] if card.get("url") else []
    for it in objects(card.get("supportedInterfaces")) or of_03:
        version = str(it.get("protocolVersion") or card.get("protocolVersion") or "0.3")
        binding = str(it.get("protocolBinding") or it.get("transport"))
        if version.startswith(("1.", "0.3")) and binding in {"JSONRPC", "HTTP+JSON"}:
            yield it, version, binding


# --- the request ------------------------------------------------------------


def send_body(turn: Turn, interface: Interface, task_id: object) -> JsonObject:
    """
    Return the parameters that send *turn*, as a new task or into the one that waits.

    `messageId` is the turn's id: by it a later attempt finds what became of this one.
    """
    text = prompt(turn, interface.carries)
    carried = filter(interface.carries, attachments_of(turn))
    is_proto = interface.is_v1 or interface.is_rest
    parts: list[JsonObject] = [{"text": text}, *(_file_part(it, interface) for it in carried)]
    if not is_proto:
        parts[0]["kind"] = "text"
    payloads = [message.payload for message in turn.messages if message.payload]
    message = {
        "messageId": turn.id,
        "contextId": turn.session,
        "taskId": task_id,
        "role": "ROLE_USER" if is_proto else "user",
        "parts" if interface.is_v1 or not is_proto else "content": parts,
        "metadata": {"payloads": payloads} if payloads else None,
        "kind": None if is_proto else "message",
    }
    waits = {"returnImmediately": False} if interface.is_v1 else {"blocking": True}
    return {
        "message": {field: value for field, value in message.items() if value},
        "configuration": waits,
    }


def _file_part(attachment: Attachment, interface: Interface) -> JsonObject:
    """Return the part that is *attachment*: its bytes if they were fetched, else its URL."""
    media_type, content = _MEDIA_TYPES[attachment.kind], attachment.url
    by_url, by_bytes = {True: ("fileWithUri", "fileWithBytes"), False: ("uri", "bytes")}[
        interface.is_rest
    ]
    if interface.is_v1:
        by_url, by_bytes = "url", "raw"
    name = by_url
    if attachment.data is not None:
        head, _, content = attachment.data.partition(",")
        media_type, name = head.removeprefix("data:").removesuffix(";base64"), by_bytes
    if interface.is_v1:
        return {name: content, "mediaType": media_type}
    kind = {} if interface.is_rest else {"kind": "file"}
    return {**kind, "file": {name: content, "mimeType": media_type}}


def rpc_body(
    interface: Interface, turn_id: str, operation: Literal["send", "list"], params: JsonObject
) -> JsonObject:
    """Return the JSON-RPC request of *operation*; the list of tasks is 1.x's alone."""
    send = "SendMessage" if interface.is_v1 else "message/send"
    tenant = {"tenant": interface.tenant} if interface.tenant else {}
    return {
        "jsonrpc": "2.0",
        "id": turn_id,
        "method": send if operation == "send" else "ListTasks",
        "params": {**tenant, **params},
    }
