"""What an event says, once its JSON has been read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ak_instagram import fast_json

from .events import Kind
from .lenient import JsonObject, as_flag, as_id, as_list, as_number, as_object, as_text


@dataclass(frozen=True, slots=True)
class Attachment:
    """
    Something that is not text.

    *kind* is Meta's word for it (`image`, `audio`, `ig_post`, …). *url* is a signed
    link that expires; `None` when Meta sends none, as for view-once media.
    """

    kind: str
    url: str | None = field(default=None, repr=False)
    title: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Story:
    """The story that a message answers."""

    id: str | None
    url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Referral:
    """What led the person here: a link, an ad or a product of a shop."""

    ref: str | None = None
    source: str | None = None
    type: str | None = None
    ad_id: str | None = None
    ad_title: str | None = None
    product_id: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """
    What a person wrote.

    *payload* is that of a tapped quick reply. *reply_to* is the mid of a quoted
    message. *is_unsupported* marks what Meta does not hand over, such as a GIF: there
    is neither text nor attachment then.
    """

    mid: str | None
    text: str = field(default="", repr=False)
    attachments: tuple[Attachment, ...] = ()
    payload: str | None = None
    reply_to: str | None = None
    story: Story | None = None
    referral: Referral | None = None
    is_unsupported: bool = False


@dataclass(frozen=True, slots=True)
class Postback:
    """A tap: *title* is what the person saw, *payload* what the button stands for."""

    mid: str | None
    title: str = field(default="", repr=False)
    payload: str | None = None


@dataclass(frozen=True, slots=True)
class Unsend:
    """The message *mid* was taken back."""

    mid: str


@dataclass(frozen=True, slots=True)
class Edit:
    """The message *mid* now reads *text*; *num_edit* is 1 for its first edit."""

    mid: str
    text: str = field(repr=False)
    num_edit: int


@dataclass(frozen=True, slots=True)
class Other:
    """Nothing that anyone acts on, or nothing that could be read."""


Content: TypeAlias = Message | Postback | Unsend | Edit | Other


def read_content(kind: str, payload: str) -> Content:
    """
    Return what an event of *kind*, which waits for an answer, says.

    Never raises: `Other` stands for every other kind, and for a payload that does not say
    what its kind has to.
    """
    read, item = _READERS.get(kind), _load(payload)
    return Other() if read is None or item is None else read(item)


def read_echo_text(payload: str) -> str | None:
    """Return what the account said, empty without a text, `None` if it can't be read."""
    item = _load(payload)
    return None if item is None else as_text(as_object(item.get("message")).get("text")) or ""


def _load(payload: str) -> JsonObject | None:
    """Return the object that *payload* is, `None` if it can't be read."""
    try:
        return as_object(fast_json.load(payload))
    except (ValueError, RecursionError):
        return None


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


def _read_unsend(item: JsonObject) -> Content:
    mid = as_id(as_object(item.get("message")).get("mid"))
    return Unsend(mid) if mid else Other()


def _read_edit(item: JsonObject) -> Content:
    edit = as_object(item.get("message_edit"))
    mid = as_id(edit.get("mid"))
    if mid is None:
        return Other()
    return Edit(mid, as_text(edit.get("text")) or "", as_number(edit.get("num_edit")) or 1)


_READERS: Mapping[str, Callable[[JsonObject], Content]] = {
    Kind.MESSAGE: _read_message,
    Kind.POSTBACK: _read_postback,
    Kind.UNSEND: _read_unsend,
    Kind.EDIT: _read_edit,
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
