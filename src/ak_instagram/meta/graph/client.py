"""
The Graph API's client: each call returns a value or raises a `GraphError`.

https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Literal, NamedTuple, TypeAlias, TypeVar

import aiohttp
from aiohttp.abc import AbstractStreamWriter

from ak_instagram import fast_json
from ak_instagram.meta.lenient import JsonObject, as_id, as_object, id_of, iso_millis
from ak_instagram.meta.outgoing import Outgoing, is_action, read_kind, request_body
from ak_instagram.settings.logins import graph_host
from ak_instagram.settings.model import InstagramSettings

from .codes import ErrorClass
from .errors import GraphError, classify, unanswered

Action: TypeAlias = Literal["mark_seen", "typing_on", "typing_off"]
_Value = TypeVar("_Value")

MAX_ANSWER_BYTES = 1 << 20
_HUMAN_AGENT = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
_MERE_WORDS = {"text"}
_ME = {"fields": "user_id,username"}
_NODE = {"fields": "id,username"}  # of Unified Login, where `id` is the only one
_MESSAGES = "messages{id,created_time,from,message,attachments}"

# Raised before a byte of the request was written.
_NEVER_SENT = (
    aiohttp.ClientConnectorError,  # refused, unknown host, TLS
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
)


@dataclass(frozen=True, slots=True)
class Profile:
    """
    An account that a token belongs to.

    *user_id* is the professional account's id, which webhooks carry as `entry.id`;
    *id* is another one, scoped to the app.
    """

    user_id: str
    id: str
    username: str = ""


@dataclass(frozen=True, slots=True)
class NodeUrl:
    """The place of an account of Unified Login: its Graph API and its id there."""

    graph_url: str
    account_id: str


@dataclass(frozen=True, slots=True)
class RecentMessage:
    """
    A message of a conversation, of whichever side.

    *created_at* is in UTC milliseconds. *attachment* is the kind of what it has besides a
    text, as `meta.outgoing` has kinds. Meta tells *text*, *from_id* and *attachment* of the
    newest 20 only; they are empty for others.
    """

    mid: str
    text: str
    from_id: str
    created_at: int
    attachment: str = ""


class GraphAnswer(NamedTuple):
    """The body of a 200 and its *headers*, whose names don't care about case."""

    body: bytes
    headers: Mapping[str, str]


class DeadlinePayload(aiohttp.BytesPayload):
    """
    A body that is not written any more once *until*, on the steady clock, has passed.

    A process that was stopped in the middle of a call may wake up when another has
    long taken over, and time-outs are looked at after what was ready to be written.
    """

    def __init__(self, body: Mapping[str, object], until: float) -> None:
        super().__init__(fast_json.dump(body), content_type="application/json")
        self._until = until

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        """Write the body, if there is still time."""
        if time.monotonic() > self._until:
            raise TimeoutError("the time to send has passed")
        await super().write_with_length(writer, content_length)


class GraphClient:
    """
    Speaks to the Graph API for any account, over a *session* that others may share.

    Every method raises `GraphError`. No POST is ever made twice: aiohttp repeats only
    idempotent methods on a connection gone stale, and no redirect is followed.

    A token tells Meta whose it is, so that the path is `me`. Those of Unified Login don't:
    *nodes* has the URL of the account, without the version, for each of them.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        graph_url: str,
        api_version: str,
        nodes: Mapping[str, NodeUrl] | None = None,
    ) -> None:
        self._session = session
        self._root = f"{graph_url}/{api_version}"
        self._me = f"{self._root}/me"
        self._nodes = {
            token: f"{node.graph_url}/{api_version}/{node.account_id}"
            for token, node in (nodes or {}).items()
        }

    @classmethod
    def of(cls, settings: InstagramSettings, session: aiohttp.ClientSession) -> GraphClient:
        """Return the client for the accounts of *settings*, whichever login each has."""
        host = graph_host("unified", settings.graph_url)
        nodes = {
            account.access_token: NodeUrl(host, account.account_id or "")
            for account in settings.all_accounts
            if account.is_unified
        }
        graph_url = graph_host("instagram", settings.graph_url)
        return cls(session, graph_url, settings.api_version, nodes)

    def is_unified(self, token: str) -> bool:
        """Whether *token* is one of Unified Login, whose account has no `/me` and one id."""
        return token in self._nodes

    async def send_message(
        self, token: str, recipient: str, message: Outgoing, timeout: float
    ) -> str:
        """
        Send *message* to *recipient*, an IGSID, and return its id; a reaction has none: empty.

        The error is `OUTCOME_UNKNOWN` if Meta may have got it and did not say so; a reaction
        does no harm if it is made again.
        """
        if message.keys() == _MERE_WORDS:
            body: Mapping[str, object] = {"recipient": {"id": recipient}, "message": message}
        elif is_action(message):
            await self._post(token, request_body(recipient, message), timeout, repeatable=True)
            return ""
        else:
            body = request_body(recipient, message)
        answer = await self._post(token, body, timeout, repeatable=False)
        return read_answer(read_message_id, answer.body, repeatable=False)

    async def send_as_person(
        self, token: str, recipient: str, message: Outgoing, timeout: float
    ) -> str:
        """
        Send *message*, which a person wrote, as `send_message` does.

        Meta takes it for some days after the window, from apps with the feature Human Agent.
        """
        if is_action(message):  # which takes no tag
            return await self.send_message(token, recipient, message, timeout)
        body = request_body(recipient, message) | _HUMAN_AGENT
        answer = await self._post(token, body, timeout, repeatable=False)
        return read_answer(read_message_id, answer.body, repeatable=False)

    async def sender_action(
        self, token: str, recipient: str, action: Action, timeout: float
    ) -> None:
        """Show *recipient* that the message was seen, or that somebody is typing."""
        body = {"recipient": {"id": recipient}, "sender_action": action}
        await self._post(token, body, timeout, repeatable=True)

    async def me(self, token: str, timeout: float) -> Profile:
        """Return the account that *token* belongs to."""
        node = self._nodes.get(token)
        if node is not None:
            answer = await self._call("GET", node, token, timeout, params=_NODE)
            return read_answer(read_node, answer.body)
        answer = await self._call("GET", self._me, token, timeout, params=_ME)
        return read_answer(read_profile, answer.body)

    async def recent_messages(
        self, token: str, recipient: str, timeout: float
    ) -> tuple[RecentMessage, ...]:
        """Return the latest messages to and from *recipient*, newest first."""
        query = {"platform": "instagram", "user_id": recipient, "fields": _MESSAGES}
        url = f"{self._nodes.get(token, self._me)}/conversations"
        answer = await self._call("GET", url, token, timeout, params=query)
        return read_answer(read_recent_messages, answer.body)

    async def call(
        self,
        method: str,
        edge: str,
        token: str,
        timeout: float,
        params: Mapping[str, str] | None = None,
        *,
        node: str = "",
        body: Mapping[str, object] | None = None,
    ) -> GraphAnswer:
        """
        Return Meta's answer to a call of the account's *edge*, or of another *node*'s.

        For calls that change nothing by being repeated; an empty *edge* is the node itself.
        A *body* is sent as JSON.
        """
        where = f"{self._root}/{node}" if node else self._nodes.get(token, self._me)
        url = f"{where}/{edge}" if edge else where
        data = None if body is None else DeadlinePayload(body, time.monotonic() + timeout)
        return await self._call(method, url, token, timeout, params=params, data=data)

    async def _post(
        self, token: str, body: Mapping[str, object], timeout: float, *, repeatable: bool
    ) -> GraphAnswer:
        payload = DeadlinePayload(body, time.monotonic() + timeout)
        url = f"{self._nodes.get(token, self._me)}/messages"
        return await self._call("POST", url, token, timeout, data=payload, repeatable=repeatable)

    async def _call(
        self,
        method: str,
        url: str,
        token: str,
        timeout: float,
        *,
        params: Mapping[str, str] | None = None,
        data: DeadlinePayload | Mapping[str, str] | None = None,
        repeatable: bool = True,
    ) -> GraphAnswer:
        """Return a 200; connecting gets half of the *timeout* (s)."""
        call = self._session.request(
            method,
            url,
            params=params,
            data=data,
            headers={"Authorization": f"Bearer {token}"} if token else None,
            timeout=_timeout(timeout),
            allow_redirects=False,
            raise_for_status=False,
        )
        try:
            async with call as response:
                body = await read_capped(response)
        except _NEVER_SENT as exc:
            raise GraphError(ErrorClass.TRANSIENT, f"not sent: {type(exc).__name__}") from exc
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            meaning = f"no answer: {type(exc).__name__}"
            # Its text may quote what came over the line, and with that the token.
            raise GraphError(unanswered(repeatable=repeatable), meaning) from None
        if response.status != HTTPStatus.OK:
            raise classify(response.status, body, response.headers, repeatable=repeatable)
        return GraphAnswer(body, response.headers)


@lru_cache
def _timeout(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds, connect=seconds / 2)


def read_answer(read: Callable[[bytes], _Value], body: bytes, *, repeatable: bool = True) -> _Value:
    """Return what *read* makes of the *body* of a 200."""
    try:
        return read(body)
    except ValueError as exc:
        meaning = f"unreadable answer: {exc}"
        raise GraphError(unanswered(repeatable=repeatable), meaning, status=200) from exc


async def read_capped(response: aiohttp.ClientResponse) -> bytes:
    """Return the body, cut short (and so unreadable) when it is far longer than any answer."""
    body = bytearray()
    while len(body) <= MAX_ANSWER_BYTES and not response.content.at_eof():
        body += await response.content.readany()
    return bytes(body[:MAX_ANSWER_BYTES])


# --- what an answer says, `ValueError` for what can't be read ---------------------


def read_message_id(body: bytes) -> str:
    """Return the id of the message that was sent."""
    message_id = (fast_json.load_object(body) or {}).get("message_id")
    if not isinstance(message_id, str) or not message_id:
        raise ValueError("no message_id")
    return message_id


def read_profile(body: bytes) -> Profile:
    """Return the account that `/me` is; documented inside `data[]`, in fact without."""
    answer = read_object(body)
    wrapped = answer.get("data")
    me = as_object(wrapped[0]) if isinstance(wrapped, list) and wrapped else answer
    user_id = as_id(me.get("user_id"))
    if user_id is None:
        raise ValueError("no user_id")
    return Profile(user_id, as_id(me.get("id")) or user_id, str(me.get("username") or ""))


def read_node(body: bytes) -> Profile:
    """Return the account that a node of Unified Login is; its one id is what webhooks carry."""
    node = read_object(body)
    account_id = as_id(node.get("id"))
    if account_id is None:
        raise ValueError("no id")
    return Profile(account_id, account_id, str(node.get("username") or ""))


def read_recent_messages(body: bytes) -> tuple[RecentMessage, ...]:
    """Return the conversations' messages, newest first."""
    conversations = read_object(body).get("data")
    if not isinstance(conversations, list):
        # This must not look like a conversation in which nothing has arrived.
        raise ValueError("no list of conversations")
    messages = (message for each in conversations for message in messages_in(each))
    return tuple(sorted(messages, key=lambda message: message.created_at, reverse=True))


def messages_in(conversation: object) -> Iterator[RecentMessage]:
    """Yield the messages of one *conversation*, in the order that they are listed in."""
    listed = as_object(as_object(conversation).get("messages")).get("data")
    for message in map(as_object, listed if isinstance(listed, list) else ()):
        text, created_at = message.get("message"), iso_millis(message.get("created_time"))
        if created_at is None:
            raise ValueError("no created_time")
        yield RecentMessage(
            mid=as_id(message.get("id")) or "",
            text=text if isinstance(text, str) else "",
            from_id=id_of(message.get("from")) or "",
            created_at=created_at,
            attachment=read_kind(message),
        )


def read_object(body: bytes) -> JsonObject:
    """Return the object that all answers are."""
    answer = fast_json.load_object(body)
    if answer is None:
        raise ValueError("not a JSON object")
    return answer
