"""The Graph API and the agent as raw protocols, as fast as they can be."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod

from qa.benchmarks.connection import without_delay
from qa.benchmarks.http1 import ok, take_message
from qa.benchmarks.journal import Arrival, Journal
from qa.benchmarks.webhooks import ACCOUNT

_PROFILE = ok(json.dumps({"user_id": ACCOUNT, "id": ACCOUNT, "username": "shop"}).encode())
_DONE = ok(b'{"recipient_id":"1"}')
_REPLY = ok(b'{"reply":"Yes, it is."}')

_FRAME = b'data: {"reply":"' + b"Yes, it is, and so are the others. " * 10 + b'\\n\\n"}\n\n'
_PARAGRAPH = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"%x\r\n%b\r\n" % (len(_FRAME), _FRAME)
)


class Peer(asyncio.Protocol, ABC):
    """A connection to one of the service's peers, which notes in *journal* what arrives."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Answer without waiting for more to say."""
        self._transport = without_delay(transport)

    def data_received(self, data: bytes) -> None:
        """Take requests and answer them."""
        self._buffer += data
        while (message := take_message(self._buffer)) is not None:
            self._take(*message)

    @abstractmethod
    def _take(self, head: bytes, body: bytes) -> None:
        """Note a request and answer it."""


class Graph(Peer):
    """A connection to the Graph API."""

    def _take(self, head: bytes, body: bytes) -> None:
        call = json.loads(body or b"{}")
        who = call.get("recipient", {}).get("id", "")
        what = call.get("sender_action") or ("message" if "message" in call else "other")
        arrival = self._journal.note(what, who)
        if not self._journal.behaviour.hung:
            self._transport.write(_answer(head, arrival))


class Agent(Peer):
    """A connection to the agent."""

    def _take(self, head: bytes, body: bytes) -> None:
        session = json.loads(body)["session"]
        self._journal.note("agent", session)
        behaviour = self._journal.behaviour
        if behaviour.streams:
            self._journal.note("paragraph", session)
            self._transport.write(_PARAGRAPH)
            return
        if behaviour.hung:
            return
        if behaviour.agent_takes:
            loop = asyncio.get_running_loop()
            loop.call_later(behaviour.agent_takes, self._transport.write, _REPLY)
        else:
            self._transport.write(_REPLY)


def _answer(head: bytes, arrival: Arrival) -> bytes:
    if head.startswith(b"GET"):
        return _PROFILE
    if arrival.what == "message":
        told = {"recipient_id": arrival.who, "message_id": f"m{arrival.who}{arrival.at}"}
        return ok(json.dumps(told).encode())
    return _DONE
