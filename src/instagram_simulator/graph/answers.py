"""What the Graph API answers: JSON, errors in Meta's shape, or nothing at all."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from instagram_simulator.values import Json


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a body and headers; *is_dropped* is a line that breaks instead."""

    status: int
    body: bytes
    content_type: str = "application/json; charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    is_dropped: bool = False


class GraphError(Exception):
    """
    The Graph API's refusal of a call.

    Codes and subcodes are Meta's:
    https://developers.facebook.com/documentation/business-messaging/messenger-platform/error-codes
    """

    def __init__(
        self,
        code: int,
        subcode: int | None,
        message: str,
        *,
        status: int = 400,
        is_transient: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.subcode = subcode
        self.status = status
        self.is_transient = is_transient
        self.headers = headers or {}

    def answer(self) -> Answer:
        """Return the error as Meta writes it."""
        error = {
            "message": f"(#{self.code}) {self}",
            "type": "OAuthException",
            "code": self.code,
            "is_transient": self.is_transient,
            "fbtrace_id": "A" + secrets.token_urlsafe(16),
        }
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        return json_answer({"error": error}, self.status, self.headers)


DROPPED = Answer(0, b"", is_dropped=True)
HTML_500 = Answer(500, b"<html><body>Sorry, something went wrong.</body></html>", "text/html")


def json_answer(value: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Return *value* as an answer."""
    return Answer(status, json.dumps(value).encode(), headers=headers or {})
