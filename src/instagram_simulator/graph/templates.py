"""
Templates: cards and buttons, held to what they need and to their limits.

https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api/generic-template
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from instagram_simulator.values import Json

from .responses import GraphRefusal

MAX_ELEMENTS = 10
MAX_BUTTONS = 3
MAX_TEMPLATE_TEXT = 640
MAX_CARD_TEXT = 80  # of a title, and of a subtitle
MAX_BUTTON_TITLE = 20
MAX_PAYLOAD = 1000


def check_template(payload: Json) -> None:
    """Raise if the template is neither a button nor a generic one, or breaks its limits."""
    match payload.get("template_type"):
        case "button":
            check_text(payload, "text", MAX_TEMPLATE_TEXT, "message[attachment][payload][text]")
            check_buttons(payload.get("buttons", []), at_least=1)
        case "generic":
            check_elements(payload.get("elements", []))
        case kind:
            raise refusal(f"The template_type {kind} is not one of {{generic, button}}")


def check_elements(elements: Sequence[Json]) -> None:
    """Raise if a generic template may not have these *elements*."""
    if not isinstance(elements, list) or not 1 <= len(elements) <= MAX_ELEMENTS:
        raise refusal(f"A generic template has 1 to {MAX_ELEMENTS} elements")
    for number, element in enumerate(elements):
        where = f"elements[{number}]"
        check_text(element, "title", MAX_CARD_TEXT, f"{where}[title]")
        if not any(element.get(name) for name in element.keys() - {"title"}):
            raise refusal(f"Param {where} needs at least one property besides its title")
        if element.get("subtitle") is not None:
            check_text(element, "subtitle", MAX_CARD_TEXT, f"{where}[subtitle]")
        if element.get("image_url") is not None:
            check_url(element["image_url"], f"{where}[image_url]")
        if element.get("default_action") is not None:
            check_default_action(element["default_action"], f"{where}[default_action]")
        check_buttons(element.get("buttons") or [], at_least=0)


def check_default_action(action: Json, where: str) -> None:
    """Raise unless *action* opens an address and has no title: it is a tap on the card."""
    if action.get("type") != "web_url" or "title" in action:
        raise refusal(f"Param {where} must be a web_url without a title")
    check_url(action.get("url"), f"{where}[url]")


def check_buttons(buttons: Sequence[Json], *, at_least: int) -> None:
    """Raise if these are too few or too many *buttons*, or one lacks what it needs."""
    if not isinstance(buttons, list) or not at_least <= len(buttons) <= MAX_BUTTONS:
        raise refusal(f"There must be {at_least} to {MAX_BUTTONS} buttons")
    for number, button in enumerate(buttons):
        check_button(button, f"buttons[{number}]", MAX_BUTTON_TITLE)


def check_button(button: Json, where: str, longest_title: int) -> None:
    """Raise unless *button* opens an address or sends a payload, and has a title."""
    match button.get("type"):
        case "web_url":
            check_url(button.get("url"), f"{where}[url]")
        case "postback":
            check_text(button, "payload", MAX_PAYLOAD, f"{where}[payload]")
        case _:
            raise refusal(f"Param {where}[type] must be one of {{web_url, postback}}")
    check_text(button, "title", longest_title, f"{where}[title]")


def check_text(members: Json, name: str, limit: int, where: str) -> None:
    """Raise unless the member *name* is a text of 1 to *limit* characters; *where* names it."""
    text = members.get(name)
    if not isinstance(text, str) or not text.strip():
        raise refusal(f"Param {where} must be a non-empty string")
    if len(text) > limit:
        raise refusal(f"Length of param {where} must be less than or equal to {limit}")


def check_url(url: object, where: str) -> None:
    """Raise unless *url* is an address that a phone can open."""
    if not is_url(url):
        raise refusal(f"Param {where} must be a valid URL")


def is_url(url: object) -> bool:
    """Whether *url* is an absolute address of the web."""
    if not isinstance(url, str) or url != "".join(url.split()):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def refusal(message: str, subcode: int | None = None) -> GraphRefusal:
    """Return Meta's refusal of a parameter."""
    return GraphRefusal(100, subcode, message)
