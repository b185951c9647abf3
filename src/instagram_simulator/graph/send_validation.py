"""Validation of sends: the content that the Send API accepts, and refusals of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from instagram_simulator.values import Json, MessageContent

from .templates import MAX_PAYLOAD, check_template, check_text, is_url, refusal

MAX_TEXT_BYTES = 1000
MAX_IMAGES = 10
MAX_QUICK_REPLIES = 13
MAX_TITLE = 20  # of a quick reply; a longer one is cut

MEDIA = frozenset({"image", "audio", "video", "file"})
MESSAGING_TYPES = ("RESPONSE", "UPDATE", "MESSAGE_TAG", "UTILITY")
TAG = "HUMAN_AGENT"
# Refused since 2026-04-27.
RETIRED_TAGS = frozenset({"ACCOUNT_UPDATE", "CONFIRMED_EVENT_UPDATE", "POST_PURCHASE_UPDATE"})

INVALID = 2534015  # the subcode of a message that is empty or too long, or says two things
NO_FILE = 2018008  # … of an address at which there is nothing to fetch
_NOT_SIMULATED = ("folder", "persona_id", "suggestion_action", "thread_control")


def content_of(body: Json) -> MessageContent:
    """Return the content that *body* sends; raise `GraphRefusal` if Meta would not send it."""
    check_kind(body)
    message = body.get("message")
    if not isinstance(message, dict):
        raise refusal("The parameter message is required and must be an object")
    try:
        attachments = attachments_of(message)
        return MessageContent(
            text=text_of(message, attachments),
            attachments=attachments,
            quick_replies=quick_replies_of(message),
            reply_to=body.get("reply_to"),
        )
    except (AttributeError, TypeError):  # an object, list or text where another was expected
        raise refusal("The message is malformed") from None


def check_kind(body: Json) -> None:
    """Raise for a `messaging_type` or a `tag` that there is not, or not any more."""
    for name in _NOT_SIMULATED:
        if name in body:
            raise refusal(f"The simulator does not have the parameter {name}")
    kind, tag = body.get("messaging_type", "RESPONSE"), body.get("tag")
    if kind not in MESSAGING_TYPES:
        one_of = ", ".join(MESSAGING_TYPES)
        raise refusal(f"Param messaging_type must be one of {{{one_of}}}")
    if str(tag) in RETIRED_TAGS:
        raise refusal(f"The message tag {tag} is no longer supported")
    if tag is not None and tag != TAG:
        raise refusal(f"Param tag must be one of {{{TAG}}}")
    if kind == "MESSAGE_TAG" and tag is None:
        raise refusal("The parameter tag is required with the messaging_type MESSAGE_TAG")


def text_of(message: Json, attachments: Sequence[Json]) -> str | None:
    """Return the text of *message*, of at most 1000 bytes, which *attachments* exclude."""
    text = message.get("text")
    if attachments:
        if text is not None:
            raise refusal("A message has either a text or an attachment", INVALID)
        return None
    if not isinstance(text, str) or not text.strip():
        raise refusal("The message must not be empty", INVALID)
    if len(text) > 2 * MAX_TEXT_BYTES:
        raise refusal("Length of param message[text] must be less than or equal to 2000")
    if len(text.encode(errors="surrogatepass")) > MAX_TEXT_BYTES:
        raise refusal("The text must be UTF-8 and 1000 bytes or less", INVALID)
    return text


def attachments_of(message: Json) -> tuple[Json, ...]:
    """Return the attachments, of whichever spelling: Meta's own pages use three."""
    if message.get("attachments") and message.get("attachment"):
        raise refusal("A message has either an attachment or attachments", INVALID)
    given: list[Json] | Json = message.get("attachments") or message.get("attachment") or []
    items = given if isinstance(given, list) else [given]
    if len(items) > MAX_IMAGES:
        raise refusal(f"At most {MAX_IMAGES} images are allowed")
    if len(items) > 1 and any(item.get("type") != "image" for item in items):
        raise refusal("Only images may be sent together")
    for item in items:
        check_attachment(item.get("type"), item.get("payload") or {})
    return tuple(items)


def check_attachment(kind: object, payload: Json) -> None:
    """Raise if an attachment of this *kind* needs something else in its *payload*."""
    if kind in MEDIA:
        if payload.get("attachment_id") is None:
            check_media_url(payload)
    elif kind == "template":
        check_template(payload)
    elif kind == "MEDIA_SHARE":
        if not payload.get("id"):
            raise refusal("A MEDIA_SHARE needs the id of a post")
    elif kind != "like_heart":
        raise refusal(f"The attachment type {kind} is not known")


def check_media_url(payload: Json) -> None:
    """Raise unless *payload* has an address that a file could be fetched from."""
    if "url" not in payload:
        raise refusal("An attachment needs a url or an attachment_id")
    if not is_url(payload["url"]) or _is_nowhere(payload["url"]):
        raise refusal("Failed to fetch the file from the url", NO_FILE)


def _is_nowhere(url: str) -> bool:
    """Whether nothing can be fetched from *url*: no host below `.invalid` is (RFC 6761)."""
    return str(urlsplit(url).hostname).endswith(".invalid")


def quick_replies_of(message: Json) -> tuple[Json, ...]:
    """Return the quick replies with their titles cut, as phones show them."""
    replies: Sequence[Json] = message.get("quick_replies") or []
    if len(replies) > MAX_QUICK_REPLIES:
        raise refusal(f"At most {MAX_QUICK_REPLIES} quick replies are allowed")
    for number, reply in enumerate(replies):
        where = f"message[quick_replies][{number}]"
        if reply.get("content_type") != "text":
            raise refusal(f"Param {where}[content_type] must be one of {{text}}")
        check_text(reply, "title", MAX_PAYLOAD, f"{where}[title]")
        payload = {"payload": str(reply.get("payload") or "")}  # a number is one too
        check_text(payload, "payload", MAX_PAYLOAD, f"{where}[payload]")
    return tuple({**reply, "title": reply["title"][:MAX_TITLE]} for reply in replies)
