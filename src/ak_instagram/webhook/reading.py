"""Read what an event says from the payload that was kept of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from .content import (
    Attachment,
    Comment,
    Content,
    Echo,
    Edit,
    Message,
    Other,
    Postback,
    Reaction,
    Read,
    Referral,
    Story,
    Unsend,
)
from .kinds import Kind
from .loose import JsonObject, as_flag, as_id, as_list, as_number, as_object, as_text


def read_content(kind: str, payload: str) -> Content:
    """
    Return what an event of *kind* says.

    Never raises: `Other` stands for the kinds that nobody acts on, and for a payload
    that does not say what its kind has to.
    """
    try:
        item = as_object(json.loads(payload))
    except (ValueError, RecursionError):
        return Other()
    read = _READERS.get(kind)
    return read(item) if read else Other()


def _read_spoken(item: JsonObject) -> Content:
    """Return a message or a postback, whichever *item* is."""
    return _read_postback(item) if item.get("message") is None else _read_message(item)


def _read_message(item: JsonObject) -> Content:
    message = as_object(item.get("message"))
    reply_to = as_object(message.get("reply_to"))
    return Message(
        mid=as_id(message.get("mid")),
        text=as_text(message.get("text")) or "",
        attachments=_attachments(message),
        payload=as_text(as_object(message.get("quick_reply")).get("payload")),
        reply_to=as_id(reply_to.get("mid")),
        story=_story(as_object(reply_to.get("story"))),
        referral=_referral(as_object(message.get("referral"))),
        is_unsupported=as_flag(message.get("is_unsupported")),
    )


def _read_postback(item: JsonObject) -> Content:
    postback = as_object(item.get("postback"))
    return Postback(
        mid=as_id(postback.get("mid")),
        title=as_text(postback.get("title")) or "",
        payload=as_text(postback.get("payload")),
    )


def _read_echo(item: JsonObject) -> Content:
    message = as_object(item.get("message"))
    return Echo(
        mid=as_id(message.get("mid")),
        text=as_text(message.get("text")) or "",
        attachments=_attachments(message),
    )


def _read_unsend(item: JsonObject) -> Content:
    mid = as_id(as_object(item.get("message")).get("mid"))
    return Unsend(mid) if mid else Other()


def _read_edit(item: JsonObject) -> Content:
    edit = as_object(item.get("message_edit"))
    mid = as_id(edit.get("mid"))
    if mid is None:
        return Other()
    return Edit(mid, as_text(edit.get("text")) or "", as_number(edit.get("num_edit")) or 1)


def _read_reaction(item: JsonObject) -> Content:
    reaction = as_object(item.get("reaction"))
    return Reaction(
        mid=as_id(reaction.get("mid")),
        action=as_text(reaction.get("action")) or "",
        name=as_text(reaction.get("reaction")),
        emoji=as_text(reaction.get("emoji")),
    )


def _read_seen(item: JsonObject) -> Content:
    return Read(as_id(as_object(item.get("read")).get("mid")))


def _read_referral(item: JsonObject) -> Content:
    return _referral(as_object(item.get("referral"))) or Other()


def _read_comment(change: JsonObject) -> Content:
    value = as_object(change.get("value"))
    return Comment(
        id=as_id(value.get("id")) or as_id(value.get("comment_id")),
        text=as_text(value.get("text")) or "",
        username=as_text(as_object(value.get("from")).get("username")),
        parent_id=as_id(value.get("parent_id")),
        media_id=as_id(as_object(value.get("media")).get("id")),
    )


_READERS: Mapping[str, Callable[[JsonObject], Content]] = {
    Kind.MESSAGE: _read_message,
    Kind.POSTBACK: _read_postback,
    Kind.SELF: _read_spoken,
    Kind.ECHO: _read_echo,
    Kind.UNSEND: _read_unsend,
    Kind.EDIT: _read_edit,
    Kind.REACTION: _read_reaction,
    Kind.READ: _read_seen,
    Kind.REFERRAL: _read_referral,
    Kind.COMMENT: _read_comment,
}


def _attachments(message: JsonObject) -> tuple[Attachment, ...]:
    """Return the attachments, a shared post only once."""
    found = tuple(_each_attachment(message))
    # Meta sends a post as `ig_post` and, until `share` is gone, as that too.
    if any(attachment.kind == "ig_post" for attachment in found):
        return tuple(attachment for attachment in found if attachment.kind != "share")
    return found


def _each_attachment(message: JsonObject) -> Iterator[Attachment]:
    for item in as_list(message.get("attachments")):
        if isinstance(item, dict):
            payload = as_object(item.get("payload"))
            yield Attachment(
                kind=as_text(item.get("type")) or "unknown",
                url=as_text(payload.get("url")) or None,
                title=as_text(payload.get("title")) or None,
            )


def _story(story: JsonObject) -> Story | None:
    if not story:
        return None
    return Story(as_id(story.get("id")), as_text(story.get("url")))


def _referral(referral: JsonObject) -> Referral | None:
    if not referral:
        return None
    ad = as_object(referral.get("ads_context_data"))
    product = as_object(referral.get("product"))
    return Referral(
        ref=as_text(referral.get("ref")),
        source=as_text(referral.get("source")),
        type=as_text(referral.get("type")),
        ad_id=as_id(referral.get("ad_id")),
        ad_title=as_text(ad.get("ad_title")),
        product_id=as_id(product.get("id")) or as_id(ad.get("product_id")),
    )
