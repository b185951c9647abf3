"""
The messenger profile: ice breakers and persistent menu, as Meta has them. Pure but for the calls.

Its calls raise `GraphError`. A setting has one entry for each locale, in the form in which it is
read and written: `{"locale": "default", "call_to_actions": […]}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import unified_diff
from typing import Any, TypeAlias

from ak_instagram.meta.lenient import as_list, as_object, as_text

from .client import GraphClient, read_answer, read_object

SETTINGS = ("ice_breakers", "persistent_menu")
TIMEOUT = 10.0  # seconds that one call may take
_EDGE = "messenger_profile"
_PLATFORM = {"platform": "instagram"}
_MEMBERS = ("type", "question", "title", "url", "payload")  # of an entry; Meta may add others

# What each setting has for each locale.
MessengerProfile: TypeAlias = Mapping[str, Sequence[Mapping[str, Any]]]


async def fetch(graph: GraphClient, token: str) -> MessengerProfile:
    """Return what the account of *token* has; a setting that it has not is not there."""
    query = {**_PLATFORM, "fields": ",".join(SETTINGS)}
    answer = await graph.call("GET", _EDGE, token, TIMEOUT, query)
    return read_answer(read_messenger_profile, answer.body)


async def write(graph: GraphClient, token: str, profile: MessengerProfile) -> None:
    """Give the account the settings in *profile*; others stay as they are."""
    await graph.call("POST", _EDGE, token, TIMEOUT, body={**_PLATFORM, **profile})


async def delete(graph: GraphClient, token: str, settings: Sequence[str]) -> None:
    """Take *settings* away from the account."""
    query = {**_PLATFORM, "fields": ",".join(settings)}
    await graph.call("DELETE", _EDGE, token, TIMEOUT, query)


def read_messenger_profile(body: bytes) -> MessengerProfile:
    """Return the settings in Meta's answer, of each entry what can be declared."""
    listed = read_object(body).get("data")
    if not isinstance(listed, list):
        raise ValueError("no list of settings")
    whole = {name: it for each in map(as_object, listed) for name, it in each.items()}
    return {name: list(map(_locale, as_list(whole[name]))) for name in SETTINGS if whole.get(name)}


def _locale(value: object) -> dict[str, Any]:
    entry = as_object(value)
    return {
        "call_to_actions": [
            {name: as_text(it[name]) for name in _MEMBERS if name in it}
            for it in map(as_object, as_list(entry.get("call_to_actions")))
        ],
        "locale": as_text(entry.get("locale")) or "default",
    }


def shown(profile: MessengerProfile) -> list[str]:
    """Return *profile* as lines for people, in an order that does not depend on Meta's."""
    return [line for name in SETTINGS if name in profile for line in _lines(name, profile[name])]


def _lines(name: str, locales: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for each in sorted(locales, key=lambda it: str(it["locale"])):
        yield f"{name.replace('_', ' ')}, {each['locale']}:"
        for entry in each["call_to_actions"]:
            said = entry.get("question") or entry.get("title")
            yield f"  {said} → {entry.get('url') or entry.get('payload')}"


def difference(has: MessengerProfile, wants: MessengerProfile) -> list[str]:
    """Return what would change, as lines with + and -; none if nothing would."""
    before = shown({name: it for name, it in has.items() if name in wants})
    changes = list(unified_diff(before, shown(wants), n=99, lineterm=""))
    return changes[3:]  # without the head, which names files
