"""Signed text messages as Meta posts them, made before anything is measured."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import lru_cache

from ak_instagram.webhook.signature import sign
from instagram_simulator.ids import item_number, message_id
from qa.benchmarks.http1 import request

ACCOUNT = "17841400000000001"
APP_SECRET = "a-secret-of-the-benchmark"
PATH = "/instagram/webhook"
BODY_BYTES = 400

_THREAD = "340282366841710301244276000000000000001"
_FIRST_SAID = 1_760_000_000_000_000  # µs
_APART = 150  # µs
_SCATTER = 0x9E3779B97F4A7C15  # odd: each number has an item of its own


@dataclass(frozen=True, slots=True)
class Messages:
    """
    *count* messages with distinct mids, numbered on from *first*, in so many *conversations*.

    Their people are so many numbers *apart*.
    """

    count: int
    conversations: int
    first: int = 0
    apart: int = 1

    def contact(self, index: int) -> str:
        """Return who says message *index*, counted from 0."""
        return contact_of(self.first + index % self.conversations * self.apart)

    def mid(self, index: int) -> str:
        """Return the id of message *index*, counted from 0."""
        return mid_of(self.first + index)

    def requests(self) -> list[bytes]:
        """Return the whole HTTP requests."""
        now = time.time_ns() // 1_000_000
        return [
            signed_request(body_of(self.mid(index), self.contact(index), now))
            for index in range(self.count)
        ]


@lru_cache(maxsize=1)
def prepared(messages: Messages) -> list[bytes]:
    """Return the requests of *messages*, made once for runs that post the same."""
    return messages.requests()


def contact_of(number: int) -> str:
    """Return the id of the person with *number*."""
    return str(10**15 + number)


def mid_of(number: int) -> str:
    """Return the id, in the form of Meta's, of the message with *number*: they rise with time."""
    item = item_number(_FIRST_SAID + number * _APART, number * _SCATTER % (1 << 64))
    return message_id(ACCOUNT, _THREAD, item)


def body_of(mid: str, contact: str, now: int) -> bytes:
    """Return the webhook of a message, its text as long as makes `BODY_BYTES` of it."""
    room = BODY_BYTES - len(_body(mid, contact, now, text=""))
    return _body(mid, contact, now, text="Is it?".ljust(room, "?"))


def signed_request(body: bytes) -> bytes:
    """Return the POST that delivers *body*."""
    return request(PATH, body, {"X-Hub-Signature-256": sign(APP_SECRET, body)})


def _body(mid: str, contact: str, now: int, text: str) -> bytes:
    message = {"mid": mid, "text": text}
    messaging = {
        "sender": {"id": contact},
        "recipient": {"id": ACCOUNT},
        "timestamp": now,
        "message": message,
    }
    entry = {"time": now, "id": ACCOUNT, "messaging": [messaging]}
    return json.dumps({"object": "instagram", "entry": [entry]}, separators=(",", ":")).encode()
