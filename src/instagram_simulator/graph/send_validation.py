"""Validation of sends: the content that the Send API accepts, and refusals of the rest."""

from __future__ import annotations

from collections.abc import Sequence

from instagram_simulator.values import Json, MessageContent

from .responses import GraphRefusal

MAX_TEXT_BYTES = 1000
MAX_IMAGES = 10
MAX_QUICK_REPLIES = 13
MAX_TITLE = 20
MAX_ELEMENTS = 10
MAX_BUTTONS = 3
MAX_BUTTON_TEXT = 640

_INVALID = 2534015  # the subcode of a message that is empty or too long
_MEDIA = frozenset({"image", "audio", "video", "file"})
_BUTTONS = frozenset({"web_url", "postback"})


def content_of(body: Json) -> MessageContent:
    """Return the content that *body* sends; raise `GraphRefusal` if Meta would not send it."""
    message = body.get("message")
    if not isinstance(message, dict):
        raise refusal("The parameter message is required")
    try:
        attachments = attachments_of(message)
        return MessageContent(
            text=text_of(message, is_required=not attachments),
            attachments=attachments,
            quick_replies=quick_replies_of(message),
            reply_to=body.get("reply_to"),
        )
    except (AttributeError, TypeError):  # an object, list or text where another was expected
        raise refusal("The message is malformed") from None


def text_of(message: Json, *, is_required: bool) -> str | None:
    """Return the text of *message*, of at most 1000 bytes."""
    text = message.get("text")
    if text is None and not is_required:
        return None
    if not isinstance(text, str) or not text.strip():
        raise refusal("The message must not be empty", subcode=_INVALID)
    if len(text) > 2 * MAX_TEXT_BYTES:
        raise refusal("Length of param message[text] must be less than or equal to 2000")
    if len(text.encode(errors="surrogatepass")) > MAX_TEXT_BYTES:
        raise refusal("The text must be UTF-8 and 1000 bytes or less", subcode=_INVALID)
    return text


def attachments_of(message: Json) -> tuple[Json, ...]:
    """Return the attachments, of whichever spelling: Meta's own pages use three."""
    given: list[Json] | Json = message.get("attachments") or message.get("attachment") or []
    items = given if isinstance(given, list) else [given]
    if len(items) > MAX_IMAGES:
        raise refusal("At most 10 images are allowed")
    if len(items) > 1 and any(item.get("type") != "image" for item in items):
        raise refusal("Only images may be sent together")
    for item in items:
        check_attachment(item.get("type"), item.get("payload", {}))
    return tuple(items)


def check_attachment(kind: object, payload: Json) -> None:
    """Raise if an attachment of this *kind* needs something else in its *payload*."""
    if kind in _MEDIA and not ("url" in payload or "attachment_id" in payload):
        raise refusal("An attachment needs a url")
    if kind == "template":
        check_template(payload)
    elif kind not in _MEDIA and kind not in ("like_heart", "MEDIA_SHARE"):
        raise refusal("Unknown attachment type")


def check_template(payload: Json) -> None:
    """Raise if the template is neither a button nor a generic one, or breaks its limits."""
    match payload.get("template_type"):
        case "button":
            text = payload.get("text")
            if not isinstance(text, str) or not 0 < len(text) <= MAX_BUTTON_TEXT:
                raise refusal("A button template needs a text of at most 640 characters")
            check_buttons(payload.get("buttons", []), at_least=1)
        case "generic":
            check_elements(payload.get("elements", []))
        case _:
            raise refusal("Unknown template_type")


def check_elements(elements: Sequence[Json]) -> None:
    """Raise if a generic template may not have these *elements*."""
    if not 1 <= len(elements) <= MAX_ELEMENTS:
        raise refusal("A generic template has 1 to 10 elements")
    for element in elements:
        if not element.get("title") or len(element) < 2:
            raise refusal("An element needs a title and something besides")
        check_buttons(element.get("buttons", []), at_least=0)


def check_buttons(buttons: Sequence[Json], *, at_least: int) -> None:
    """Raise if these are too few, too many or unknown *buttons*."""
    if not at_least <= len(buttons) <= MAX_BUTTONS:
        raise refusal("At most 3 buttons are allowed")
    if any(button.get("type") not in _BUTTONS for button in buttons):
        raise refusal("A button is a web_url or a postback")


def quick_replies_of(message: Json) -> tuple[Json, ...]:
    """Return the quick replies with their titles cut, as phones show them."""
    replies: Sequence[Json] = message.get("quick_replies", [])
    if len(replies) > MAX_QUICK_REPLIES:
        raise refusal("At most 13 quick replies are allowed")
    if any(reply.get("content_type") != "text" for reply in replies):
        raise refusal("Quick replies of this type are not available")
    return tuple({**reply, "title": str(reply.get("title"))[:MAX_TITLE]} for reply in replies)


def refusal(message: str, subcode: int | None = None) -> GraphRefusal:
    """Return Meta's refusal of a parameter."""
    return GraphRefusal(100, subcode, message)
