"""Responses of the Graph API: JSON, errors in Meta's shape, and those that a fault makes."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from instagram_simulator.faults import Fault, FaultKind
from instagram_simulator.values import Json


@dataclass(frozen=True, slots=True)
class GraphResponse:
    """A status, a body and headers; *is_dropped* is a line that breaks instead."""

    status: int
    body: bytes
    content_type: str = "application/json; charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    is_dropped: bool = False


# The codes and subcodes whose messages Meta writes without the code in front.
_UNNUMBERED = frozenset({(1, None), (100, 33), (452, None), (2500, None)})


class GraphRefusal(Exception):
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

    def response(self) -> GraphResponse:
        """Return the error as Meta writes it; `type` is a family and no verdict on the token."""
        is_plain = self.code == 190 or (self.code, self.subcode) in _UNNUMBERED
        error = {
            "message": str(self) if is_plain else f"(#{self.code}) {self}",
            "type": "IGApiException" if self.subcode == 33 else "OAuthException",
            "code": self.code,
            "is_transient": self.is_transient,
            "fbtrace_id": "A" + secrets.token_urlsafe(16),
        }
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        return json_response({"error": error}, self.status, self.headers)


DROPPED = GraphResponse(0, b"", is_dropped=True)
HTML_500 = GraphResponse(
    500, b"<html><body>Sorry, something went wrong.</body></html>", "text/html"
)


def json_response(
    value: Json, status: int = 200, headers: Mapping[str, str] | None = None
) -> GraphResponse:
    """Return *value* as a response."""
    return GraphResponse(status, json.dumps(value).encode(), headers=headers or {})


_LIMIT_REACHED = {"X-App-Usage": '{"call_count":100,"total_time":25,"total_cputime":25}'}

# Refusals: nothing is applied.
_REFUSALS: Mapping[FaultKind, Callable[[], GraphResponse]] = {
    FaultKind.SERVER_ERROR: lambda: HTML_500,
    FaultKind.DROPPED: lambda: DROPPED,
    FaultKind.TEMPORARY: GraphRefusal(
        2, None, "Service temporarily unavailable", status=500, is_transient=True
    ).response,
    FaultKind.RATE_LIMITED: GraphRefusal(
        613, 2534040, "Calls to this api have exceeded the rate limit."
    ).response,
    FaultKind.APP_LIMITED: GraphRefusal(
        4, None, "Application request limit reached", is_transient=True, headers=_LIMIT_REACHED
    ).response,
    FaultKind.TOKEN_EXPIRED: GraphRefusal(
        190, 463, "Error validating access token: Session has expired"
    ).response,
    FaultKind.WINDOW_CLOSED: GraphRefusal(
        10, 2534022, "This message is sent outside of allowed window."
    ).response,
    FaultKind.PERSON_UNAVAILABLE: GraphRefusal(
        551, 1545041, "This person isn't available right now."
    ).response,
    FaultKind.RESTRICTED: GraphRefusal(
        368, None, "Temporarily blocked for policies violations"
    ).response,
    FaultKind.UNSUPPORTED: GraphRefusal(
        100, None, "Unsupported request - method type: post"
    ).response,
    FaultKind.NO_CONSENT: GraphRefusal(
        230, None, "User consent is required to access user profile"
    ).response,
    FaultKind.NO_PERSON: GraphRefusal(9010, None, "No matching Instagram user").response,
}

# Lies: it is applied, and this is the response.
_LIES: Mapping[FaultKind, Callable[[], GraphResponse]] = {
    FaultKind.SENT_BUT_ERROR: GraphRefusal(
        1, 1357046, "Received invalid JSON reply", status=500
    ).response,
    FaultKind.SENT_BUT_500: lambda: HTML_500,
    FaultKind.SENT_BUT_DROPPED: lambda: DROPPED,
}

_HANGS = frozenset({FaultKind.HANG, FaultKind.SENT_BUT_HANG})


async def with_fault(
    fault: Fault | None,
    apply: Callable[[], Awaitable[GraphResponse]],
    silence: Callable[[], Awaitable[None]],
) -> GraphResponse:
    """Return the response of *apply*, or of *fault*; a hang lasts as long as *silence*."""
    if fault is None:
        return await apply()
    if refusal := _REFUSALS.get(fault.kind):
        return refusal()
    response = DROPPED if fault.kind is FaultKind.HANG else await apply()
    if fault.kind in _HANGS:
        await silence()
        return DROPPED
    if lie := _LIES.get(fault.kind):
        return lie()
    if fault.kind is not FaultKind.SLOW:
        raise NotImplementedError(f"no Graph call can go wrong by {fault.kind}")
    await asyncio.sleep(fault.seconds)
    return response
