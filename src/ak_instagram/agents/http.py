"""Any JSON endpoint: the request is a template, the reply is found by a path."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import asdict
from difflib import get_close_matches
from http import HTTPStatus
from typing import TYPE_CHECKING

from ak_instagram.errors import Permanent, SettingsError
from ak_instagram.settings.model import AgentSettings

from .agent import Handoff, MessageEnd, Needs, Part, Silence, Text, Turn, prompt
from .failures import MARKS, failure_in
from .transport import Endpoint, agent_url

if TYPE_CHECKING:
    import aiohttp


class HttpAgent:
    """Posts `agent.request`, filled, and reads the text at `agent.reply`."""

    needs = Needs(
        always=(("agent.url", "set the endpoint, for example http://localhost:9000/ask"),)
    )

    def __init__(self, settings: AgentSettings, session: aiohttp.ClientSession) -> None:
        self._endpoint = Endpoint(settings, session, agent_url(settings))
        self._request = RequestTemplate(settings.request or DEFAULT_REQUEST)
        self._reply = settings.reply
        self.history = settings.history if self._request.wants_history else 0
        if problems := self._request.problems():
            raise SettingsError(problems)

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """Yield what the endpoint replied; `204 No Content` is silence."""
        parts: list[Part] = [Silence()]
        body = self._request.fill(turn)
        async with self._endpoint.ask(turn.id, body, turn) as answer:
            if answer.status != HTTPStatus.NO_CONTENT:
                document = await answer.json()
                if isinstance(document, dict) and not MARKS.isdisjoint(document):
                    answer.raise_failure(failure_in(document), "agent answered with an error")
                parts = read_reply(document, self._reply)
        for part in parts:
            yield part


# --- the request ------------------------------------------------------------

DEFAULT_REQUEST: Mapping[str, object] = {
    "session": "{session}",
    "turn": "{turn}",
    "account": "{account}",
    "agent": "{agent}",
    "text": "{text}",
    "messages": "{messages}",
    "attachments": "{attachments}",
}


_LISTS = frozenset({"messages", "attachments", "history"})
_NAMES = frozenset({"session", "turn", "account", "contact", "agent", "locale", "text"}) | _LISTS
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


_PERSONS = frozenset({"user", "human"})  # `role` or `type` of a message


class RequestTemplate:
    """A checked template, to be filled for each turn."""

    def __init__(self, template: Mapping[str, object]) -> None:
        self._template = template
        self._used = {name for text in _strings_in(template) for name in _PLACEHOLDER.findall(text)}
        # Attachments are lines of text if nothing else has them.
        self._has_attachments = bool(self._used & {"messages", "attachments"})

    @property
    def wants_history(self) -> bool:
        """Whether the request repeats the earlier conversation."""
        return "history" in self._used

    def problems(self) -> list[str]:
        """Return a line for each placeholder that can't be filled."""
        problems: list[str] = []
        for name in sorted(self._used - _NAMES):
            close = get_close_matches(name, _NAMES, n=1)
            all_names = f"there are {', '.join(sorted(_NAMES))}"
            meant = f"did you mean `{{{close[0]}}}`?" if close else all_names
            problems.append(f"agent.request: no placeholder `{{{name}}}`; {meant}")
        return problems + [
            f"agent.request: `{{{name}}}` is a list and must be the whole value"
            for text in _strings_in(self._template)
            for name in _PLACEHOLDER.findall(text)
            if name in _LISTS and text != f"{{{name}}}"
        ]

    def fill(self, turn: Turn) -> object:
        """Return the request for *turn*."""
        messages: list[dict[str, object]] = []
        attachments: list[dict[str, object]] = []
        for message in turn.messages:
            own = list(map(asdict, message.attachments))
            attachments += own
            messages.append(
                {
                    "mid": message.mid,
                    "at": message.at,
                    "text": message.text,
                    "attachments": own,
                    "payload": message.payload,
                    "context": dict(message.context or {}),
                }
            )
        fields: dict[str, object] = {
            "session": turn.session,
            "turn": turn.id,
            "account": turn.account,
            "contact": turn.contact,
            "agent": turn.agent,
            "locale": turn.locale,
            "text": prompt(turn, lambda _: self._has_attachments),
            "messages": messages,
            "attachments": attachments,
            "history": list(map(asdict, turn.history)),
        }
        return _filled(self._template, fields)


def _strings_in(template: object) -> Iterator[str]:
    """Yield every string value in *template*."""
    match template:
        case str():
            yield template
        case Mapping():
            for value in template.values():
                yield from _strings_in(value)
        case list() | tuple():
            for value in template:
                yield from _strings_in(value)


def _filled(template: object, fields: Mapping[str, object]) -> object:
    """
    Return *template* with its placeholders replaced, once: a person's words are never one.

    A placeholder that is a whole text becomes its value, one within a text becomes text.
    """
    match template:
        case str():
            if whole := _PLACEHOLDER.fullmatch(template):
                return fields[whole[1]]
            return _PLACEHOLDER.sub(lambda found: str(fields[found[1]] or ""), template)
        case Mapping():
            return {key: _filled(value, fields) for key, value in template.items()}
        case list() | tuple():
            return [_filled(value, fields) for value in template]
        case _:
            return template


# --- the reply --------------------------------------------------------------


def read_reply(document: object, path: str) -> list[Part]:
    """
    Return the text or texts at *path*, and a handoff if *document* asks for one.

    Each text of a list is a message of its own; null says nothing. `{"silence": true}`
    says nothing either. `{"handoff": "why"}` or `{"handoff": true}` asks for a person,
    after the reply if there is one too.
    """
    wishes = document if isinstance(document, dict) else {}
    if wishes.get("silence") is True:
        return [Silence()]
    reason = wishes.get("handoff")
    asks = reason is True or (isinstance(reason, str) and reason != "")
    # A document that is itself the reply, and asks for a person, has no text beside that.
    reply = None if asks and not path else value_at(document, path, optional=asks)
    parts: list[Part] = []
    for text in reply if isinstance(reply, list) else [reply]:
        if text is None:
            continue
        if not isinstance(text, str):
            raise Permanent(f"agent's answer has a {type(text).__name__} at `{path}`, not text")
        parts += [MessageEnd(), Text(text)] if parts else [Text(text)]
    return [*parts, Handoff(reason if isinstance(reason, str) else "")] if asks else parts


def is_persons(message: object) -> bool:
    """Return whether *message* is one of the person's, as OpenAI and LangChain mark them."""
    return isinstance(message, dict) and (
        message.get("role") in _PERSONS or message.get("type") in _PERSONS
    )


def value_at(document: object, path: str, *, optional: bool) -> object:
    """
    Return what is at the dotted *path*; a number counts into a list, no path is all.

    Nothing there is `None` if it is *optional*, otherwise `Permanent`. Within a message that
    is the person's own there is nothing to say: a list of messages ends with it if the agent
    added none, or stopped to ask.
    """
    found = document
    try:
        for step in path.split(".") if path else []:
            if is_persons(found):
                return None
            found = found[int(step)] if isinstance(found, list) else found[step]  # type: ignore[index]  # TypeError is caught
    except (LookupError, TypeError, ValueError):
        if optional:
            return None
        raise Permanent(f"agent's answer has nothing at `{path}` (agent.reply)") from None
    return found
