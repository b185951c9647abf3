"""
Ice breakers and persistent menu: read as people declare them, checked by Meta's limits.

What comes out has the form of Meta's `messenger_profile`, so that it can be compared and sent as
it is. https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api/ice-breakers
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from .value_types import ValueType, read_mappings

MAX_QUESTIONS = 4
MAX_QUESTION = 80  # characters
MAX_ENTRIES = 20
MAX_TITLE = 30  # characters
MAX_PAYLOAD = 1000  # characters
DEFAULT = "default"  # the locale of everybody who has no other

_LOCALE = re.compile(r"default|[a-z]{2,3}_[A-Z]{2}")


def read_ice_breakers(raw: object) -> tuple[dict[str, Any], ...]:
    """Return the questions of each locale; raise a `ValueError` that says what they must be."""
    return _per_locale(raw, "questions", MAX_QUESTIONS, _question)


def read_menu(raw: object) -> tuple[dict[str, Any], ...]:
    """Return the entries of each locale; raise a `ValueError` that says what they must be."""
    return _per_locale(raw, "entries", MAX_ENTRIES, _entry)


def _per_locale(
    raw: object, items: str, most: int, read: Callable[[Mapping[str, Any]], dict[str, str]]
) -> tuple[dict[str, Any], ...]:
    found: dict[str, dict[str, Any]] = {}
    for each in read_mappings(raw):
        locale = each.get("locale", DEFAULT)
        _only(each, {"locale", items}, f"of a locale: {items}")
        if not isinstance(locale, str) or not _LOCALE.fullmatch(locale):
            raise ValueError("must have locales such as default, de_DE")
        if locale in found:
            raise ValueError(f"must have each locale once, and {locale} is there twice")
        listed = each.get(items)
        if not isinstance(listed, list) or not 1 <= len(listed) <= most:
            raise ValueError(f"must have 1 to {most} {items} for {locale}")
        calls = [read(_object(item, items)) for item in listed]
        found[locale] = {"call_to_actions": calls, "locale": locale}
    if found and DEFAULT not in found:
        raise ValueError("must have the locale default, for everybody who has no other")
    return tuple(found.values())


def _question(item: Mapping[str, Any]) -> dict[str, str]:
    _only(item, {"question", "payload"}, "of a question: question, payload")
    question = _text(item, "question", MAX_QUESTION)
    return {"question": question, "payload": _payload(item, question)}


def _entry(item: Mapping[str, Any]) -> dict[str, str]:
    _only(item, {"title", "payload", "url"}, "of an entry: title and payload or url")
    title = _text(item, "title", MAX_TITLE)
    if "url" not in item:
        return {"type": "postback", "title": title, "payload": _payload(item, title)}
    url = item["url"]
    if "payload" in item:
        raise ValueError(f"must have a payload or a url for {title!r}, not both")
    if not isinstance(url, str) or urlsplit(url).scheme != "https" or not urlsplit(url).hostname:
        raise ValueError(f"must have a url with https:// for {title!r}")
    return {"type": "web_url", "title": title, "url": url}


def _payload(item: Mapping[str, Any], text: str) -> str:
    """Return the payload of *item*: its *text* if it has none of its own."""
    return _text(item, "payload", MAX_PAYLOAD) if "payload" in item else text


def _text(item: Mapping[str, Any], name: str, most: int) -> str:
    value = item.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"must have text for {name}: put it in quotes")
    if len(value.strip()) > most:
        raise ValueError(f"must have at most {most} characters in {name}: {value.strip()[:20]!r}…")
    return value.strip()


def _object(item: object, items: str) -> Mapping[str, Any]:
    if isinstance(item, dict):
        return item
    raise ValueError(f"must have objects as {items}")


def _only(item: Mapping[str, Any], known: set[str], what: str) -> None:
    if unknown := sorted(map(str, item.keys() - known)):
        raise ValueError(f"must have only the keys {what}; there is {', '.join(unknown)}")


ICE_BREAKERS = ValueType("list of questions", read_ice_breakers)
MENU = ValueType("list of entries", read_menu)
