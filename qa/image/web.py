"""One HTTP request over the loopback."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from qa.image.verdict import Failed, NotYet

_WITHIN = 10.0  # seconds for one answer
# The loopback is asked, whatever proxy the environment names for the rest of the world.
_OPENER = build_opener(ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: str

    def json(self) -> Any:  # noqa: ANN401 - JSON
        """Return the body as JSON; raise `Failed` if the answer was an error."""
        if self.status >= 400:
            raise Failed(f"the answer was {self.status}: {self.body[:200]}")
        return json.loads(self.body)


def ask(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
    """Return what *url* answers: to a GET, or to a POST of *body*; raise `NotYet` if nothing."""
    request = Request(url, body, dict(headers or {}))  # noqa: S310 - http, and ours
    try:
        with _OPENER.open(request, timeout=_WITHIN) as response:
            return Answer(response.status, response.read().decode())
    except HTTPError as exc:
        with exc:
            return Answer(exc.code, exc.read().decode())
    except (OSError, HTTPException) as exc:
        raise NotYet(f"{url} does not answer: {exc}") from exc


def post_json(url: str, value: object) -> Answer:
    """Return what *url* answers to a POST of *value*."""
    return ask(url, json.dumps(value).encode(), {"Content-Type": "application/json"})
