"""Any JSON endpoint: the request is a template, the reply is found by a path."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import aiohttp

from ak_instagram.errors import Permanent, SettingsError
from ak_instagram.settings import values

from .address import agent_url
from .contract import Handoff, MessageEnd, Part, Silence, Text, Turn
from .template import DEFAULT_REQUEST, RequestTemplate
from .wire import Endpoint

_NO_CONTENT = 204


class HttpAgent:
    """Posts `agent.request`, filled, and reads the text at `agent.reply`."""

    def __init__(self, settings: values.Agent, session: aiohttp.ClientSession) -> None:
        self._endpoint = Endpoint(settings, session, agent_url(settings))
        self._request = RequestTemplate(settings.request or DEFAULT_REQUEST)
        self._reply = settings.reply
        self.history = settings.history if self._request.wants_history else 0
        if problems := self._request.problems():
            raise SettingsError(problems)

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """Yield what the endpoint replied; `204 No Content` is silence."""
        async with self._endpoint.ask(turn.id, self._request.fill(turn)) as answer:
            if answer.status == _NO_CONTENT:
                yield Silence()
                return
            for part in read_reply(await answer.json(), self._reply):
                yield part


def read_reply(document: object, path: str) -> Iterator[Part]:
    """
    Yield the text or texts at *path*, and a handoff if *document* asks for one.

    `{"silence": true}` says nothing. `{"handoff": "why"}` or `{"handoff": true}` asks
    for a person, after the reply if there is one too.
    """
    wishes = document if isinstance(document, dict) else {}
    if wishes.get("silence") is True:
        yield Silence()
        return
    reason = wishes.get("handoff")
    asked = reason is True or (isinstance(reason, str) and reason != "")
    # A document that is itself the reply, and asks for a person, has no text beside that.
    reply = None if asked and not path else _at(document, path, optional=asked)
    yield from _texts(reply, path)
    if asked:
        yield Handoff(reason if isinstance(reason, str) else "")


def _at(document: object, path: str, *, optional: bool) -> object:
    """Return what is at the dotted *path*; a number counts into a list, no path is all."""
    found = document
    try:
        for step in path.split(".") if path else []:
            found = found[int(step)] if isinstance(found, list) else found[step]  # type: ignore[index]  # TypeError is caught
    except (LookupError, TypeError, ValueError):
        if optional:
            return None
        raise Permanent(f"agent's answer has nothing at `{path}` (agent.reply)") from None
    return found


def _texts(reply: object, path: str) -> Iterator[Part]:
    """Yield *reply*, or each text of a list as a message of its own; null says nothing."""
    replies = reply if isinstance(reply, list) else [reply]
    for number, text in enumerate(text for text in replies if text is not None):
        if not isinstance(text, str):
            raise Permanent(f"agent's answer has a {type(text).__name__} at `{path}`, not text")
        if number:
            yield MessageEnd()
        yield Text(text)
