"""What the Send API accepts, decided without touching anything."""

from __future__ import annotations

from collections.abc import Sequence

from instagram_simulator.values import Content, Json

from .answers import GraphError

MAX_TEXT_BYTES = 1000
MAX_IMAGES = 10
MAX_QUICK_REPLIES = 13
MAX_TITLE = 20
MAX_ELEMENTS = 10
MAX_BUTTONS = 3
MAX_BUTTON_TEXT = 640

_MEDIA = frozenset({"image", "audio", "video", "file"})
_BUTTONS = frozenset({"web_url", "postback"})


def content_of(body: Json) -> Content:
    """Return what *body* wants to send; raise `GraphError` if Meta would not send it."""
    message = body.get("message")
    if not isinstance(message, dict):
        raise _bad("The parameter message is required")
    try:
        return _content(body, message)
    except (AttributeError, TypeError):  # an object, list or text where another was expected
        raise _bad("The message is malformed") from None


def _content(body: Json, message: Json) -> Content:
    attachments = _attachments(message)
    text = _text(message.get("text"), is_required=not attachments)
    return Content(
        text=text,
        attachments=attachments,
        quick_replies=_quick_replies(message.get("quick_replies", [])),
        reply_to=body.get("reply_to"),
    )


def _text(text: object, *, is_required: bool) -> str | None:
    if text is None and not is_required:
        return None
    if not isinstance(text, str) or not text.strip():
        raise _invalid("The message must not be empty")
    if len(text) > 2 * MAX_TEXT_BYTES:
        raise _bad("Length of param message[text] must be less than or equal to 2000")
    if len(text.encode(errors="surrogatepass")) > MAX_TEXT_BYTES:
        raise _invalid("The text must be UTF-8 and 1000 bytes or less")
    return text


def _attachments(message: Json) -> tuple[Json, ...]:
    """Return the attachments, of whichever spelling: Meta's own pages use three."""
    given: list[Json] | Json = message.get("attachments") or message.get("attachment") or []
    items = given if isinstance(given, list) else [given]
    if len(items) > MAX_IMAGES:
        raise _bad("At most 10 images are allowed")
    if len(items) > 1 and any(item.get("type") != "image" for item in items):
        raise _bad("Only images may be sent together")
    for item in items:
        _check_attachment(item)
    return tuple(items)


def _check_attachment(item: Json) -> None:
    _check_payload(item.get("type"), item.get("payload", {}))


def _check_payload(kind: object, payload: Json) -> None:
    if kind in _MEDIA and not ("url" in payload or "attachment_id" in payload):
        raise _bad("An attachment needs a url")
    if kind == "template":
        _check_template(payload)
    elif kind not in _MEDIA and kind not in ("like_heart", "MEDIA_SHARE"):
        raise _bad("Unknown attachment type")


def _check_template(payload: Json) -> None:
    match payload.get("template_type"):
        case "button":
            _check_button_text(payload.get("text"))
            _check_buttons(payload.get("buttons", []), at_least=1)
        case "generic":
            _check_elements(payload.get("elements", []))
        case _:
            raise _bad("Unknown template_type")


def _check_button_text(text: object) -> None:
    if not isinstance(text, str) or not 0 < len(text) <= MAX_BUTTON_TEXT:
        raise _bad("A button template needs a text of at most 640 characters")


def _check_elements(elements: Sequence[Json]) -> None:
    if not 1 <= len(elements) <= MAX_ELEMENTS:
        raise _bad("A generic template has 1 to 10 elements")
    for element in elements:
        if not element.get("title") or len(element) < 2:
            raise _bad("An element needs a title and something besides")
        _check_buttons(element.get("buttons", []), at_least=0)


def _check_buttons(buttons: Sequence[Json], *, at_least: int) -> None:
    if not at_least <= len(buttons) <= MAX_BUTTONS:
        raise _bad("At most 3 buttons are allowed")
    if any(button.get("type") not in _BUTTONS for button in buttons):
        raise _bad("A button is a web_url or a postback")


def _quick_replies(replies: Sequence[Json]) -> tuple[Json, ...]:
    """Return the quick replies with their titles cut, as phones show them."""
    if len(replies) > MAX_QUICK_REPLIES:
        raise _bad("At most 13 quick replies are allowed")
    if any(reply.get("content_type") != "text" for reply in replies):
        raise _bad("Quick replies of this type are not available")
    return tuple({**reply, "title": str(reply.get("title"))[:MAX_TITLE]} for reply in replies)


def _bad(message: str) -> GraphError:
    return GraphError(100, None, message)


def _invalid(message: str) -> GraphError:
    return GraphError(100, 2534015, message)
