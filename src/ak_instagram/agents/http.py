"""Any JSON endpoint: the request is a template, the reply is found by a path."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import asdict
from difflib import get_close_matches

import aiohttp

from ak_instagram.errors import Permanent, SettingsError
from ak_instagram.settings.model import AgentSettings

from .agent import Handoff, MessageEnd, Needs, Part, Silence, Text, Turn, UserMessage
from .prompt import attachments_of, prompt
from .transport import Endpoint, agent_url

DEFAULT_REQUEST: Mapping[str, object] = {
    "session": "{session}",
    "turn": "{turn}",
    "account": "{account}",
    "agent": "{agent}",
    "text": "{text}",
    "messages": "{messages}",
    "attachments": "{attachments}",
}

_LISTS: dict[str, Callable[[Turn], object]] = {
    "messages": lambda turn: [_message(message) for message in turn.messages],
    "attachments": lambda turn: [asdict(attachment) for attachment in attachments_of(turn)],
    "history": lambda turn: [{"role": it.role, "text": it.text} for it in turn.history],
}
_SCALARS: dict[str, Callable[[Turn], object]] = {
    "session": lambda turn: turn.session,
    "turn": lambda turn: turn.id,
    "account": lambda turn: turn.account,
    "contact": lambda turn: turn.contact,
    "agent": lambda turn: turn.agent,
    "locale": lambda turn: turn.locale,
}
_VALUES = _SCALARS | _LISTS
_NAMES = {"text", *_VALUES}
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


class RequestTemplate:
    """A checked template, to be filled for each turn."""

    def __init__(self, template: Mapping[str, object]) -> None:
        self._template = template
        self._used = {name for text in _strings(template) for name in _PLACEHOLDER.findall(text)}

    @property
    def wants_history(self) -> bool:
        """Whether the request repeats the earlier conversation."""
        return "history" in self._used

    def problems(self) -> list[str]:
        """Return a line for each placeholder that can't be filled."""
        unknown = sorted(self._used - _NAMES)
        return [_unknown(name) for name in unknown] + [
            f"agent.request: `{{{name}}}` is a list and must be the whole value"
            for text in _strings(self._template)
            for name in _PLACEHOLDER.findall(text)
            if name in _LISTS and text != f"{{{name}}}"
        ]

    def fill(self, turn: Turn) -> object:
        """Return the request for *turn*."""
        return _filled(self._template, {name: self._value(name, turn) for name in self._used})

    def _value(self, name: str, turn: Turn) -> object:
        """Return what stands for *name*; attachments are lines of text if nothing else has them."""
        if name == "text":
            elsewhere = bool(self._used & {"messages", "attachments"})
            return prompt(turn, lambda _: elsewhere)
        return _VALUES[name](turn)


def _filled(template: object, fields: Mapping[str, object]) -> object:
    """Return *template* with its placeholders replaced, once: what a person wrote is never one."""
    match template:
        case str():
            return _filled_text(template, fields)
        case Mapping():
            return {key: _filled(value, fields) for key, value in template.items()}
        case list() | tuple():
            return [_filled(value, fields) for value in template]
        case _:
            return template


def _filled_text(text: str, fields: Mapping[str, object]) -> object:
    """Return the value if a placeholder is all of *text*, else the text with it inside."""
    if whole := _PLACEHOLDER.fullmatch(text):
        return fields[whole[1]]
    return _PLACEHOLDER.sub(lambda found: str(fields[found[1]] or ""), text)


def _message(message: UserMessage) -> dict[str, object]:
    """Return *message* as JSON."""
    return {
        "mid": message.mid,
        "at": message.at,
        "text": message.text,
        "attachments": [asdict(attachment) for attachment in message.attachments],
        "payload": message.payload,
        "context": dict(message.context or {}),
    }


def _strings(template: object) -> Iterator[str]:
    """Yield every string value in *template*."""
    match template:
        case str():
            yield template
        case Mapping():
            for value in template.values():
                yield from _strings(value)
        case list() | tuple():
            for value in template:
                yield from _strings(value)


def _unknown(name: str) -> str:
    """Return the problem with a placeholder that doesn't exist, and what it may have meant."""
    close = get_close_matches(name, _NAMES, n=1)
    meant = f"did you mean `{{{close[0]}}}`?" if close else f"there are {', '.join(sorted(_NAMES))}"
    return f"agent.request: no placeholder `{{{name}}}`; {meant}"


_NO_CONTENT = 204


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
