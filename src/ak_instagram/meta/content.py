"""The content of an event, read from the JSON that was kept of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from ak_instagram import fast_json

from .events import Kind
from .lenient import FLAG_SET, JsonObject, as_id, as_list, as_number, as_object, as_text, id_of


@dataclass(frozen=True, slots=True)
class Attachment:
    """
    Something in a message that is not text.

    *kind* is Meta's word for it (`image`, `audio`, `ig_post`, …), and `product` for one of a
    shop. *url* is a signed link that expires; `None` when Meta sends none, as for view-once
    media. *id* is Meta's, of a post, story or product; *price* is a product's as the shop
    writes it. *data* is what is at the URL, as a `data:` URL, if it was fetched.
    """

    kind: str
    url: str | None = field(default=None, repr=False)
    title: str | None = field(default=None, repr=False)
    id: str | None = None
    price: str | None = field(default=None, repr=False)
    data: str | None = field(default=None, repr=False)

    @property
    def source(self) -> str | None:
        """The URL to show a model: one with the data in it, if that was fetched."""
        return self.data or self.url

    @property
    def label(self) -> str:
        """The attachment in one line: `[image] https://…`, or `[ephemeral]` without a URL."""
        words = [f"[{self.kind}]", self.title, self.price, self.url]
        if self.id and (self.kind in _NAMED_BY_ID or not self.url):
            words.append(f"id {self.id}")
        return " ".join(" ".join(filter(None, words)).split())

    @classmethod
    def read(cls, item: JsonObject) -> Attachment:
        """Return one *item* of a message's attachments; a link's may be beside its payload."""
        payload = as_object(item.get("payload"))
        return cls(
            kind=as_text(item.get("type")) or "unknown",
            url=_first(as_text, payload, *_URLS) or as_text(item.get("url")) or None,
            title=as_text(payload.get("title")) or as_text(item.get("title")) or None,
            id=_first(as_id, payload, *_IDS),
        )

    @classmethod
    def read_product(cls, element: JsonObject) -> Attachment:
        """Return one *element* of a shared product; its subtitle is the price."""
        return cls(
            kind="product",
            url=_first(as_text, element, "url", "image_url"),
            title=as_text(element.get("title")) or None,
            id=_first(as_id, element, "retailer_id", "id"),
            price=as_text(element.get("subtitle")) or None,
        )

    @classmethod
    def read_all(cls, items: object) -> tuple[Attachment, ...]:
        """Return those of *items* that make sense, a shared post only once."""
        found: list[Attachment] = []
        for item in as_list(items):
            if not isinstance(item, dict):
                continue
            product = as_object(as_object(item.get("payload")).get("product"))
            elements = [it for it in as_list(product.get("elements")) if isinstance(it, dict)]
            found += map(cls.read_product, elements) if elements else [cls.read(item)]
        # Meta sends a post as `ig_post` and, until `share` is gone, as that too; sometimes
        # only that has the link.
        if any(each.kind == "ig_post" for each in found):
            shares = iter([each.url for each in found if each.kind == "share" and each.url])
            return tuple(
                replace(each, url=next(shares, None)) if each.url is None else each
                for each in found
                if each.kind != "share"
            )
        return tuple(found)


_NAMED_BY_ID = frozenset({"product", "ig_story"})  # a link says less of these
_URLS = ("url", "story_media_url")
_IDS = ("ig_post_media_id", "story_media_id", "reel_video_id", "id", "booking_id")


def _first(read: Callable[[object], str | None], holder: JsonObject, *names: str) -> str | None:
    """Return the first of *holder*'s members *names* that says something, as *read* has it."""
    return next((text for name in names if (text := read(holder.get(name)))), None)


@dataclass(frozen=True, slots=True)
class Story:
    """The story that a message answers."""

    id: str | None
    url: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, story: object) -> Story | None:
        """Return *story* as the JSON of a message has it, `None` if there is none."""
        if not isinstance(story, dict) or not story:
            return None
        return cls(as_id(story.get("id")), as_text(story.get("url")))


@dataclass(frozen=True, slots=True)
class Referral:
    """A link, an ad or a product of a shop that led the person here."""

    ref: str | None = None
    source: str | None = None
    type: str | None = None
    ad_id: str | None = None
    ad_title: str | None = None
    product_id: str | None = None

    @classmethod
    def read(cls, referral: object) -> Referral | None:
        """Return *referral* as the JSON of a message has it, `None` if there is none."""
        if not isinstance(referral, dict) or not referral:
            return None
        ad = as_object(referral.get("ads_context_data"))
        return cls(
            ref=as_text(referral.get("ref")),
            source=as_text(referral.get("source")),
            type=as_text(referral.get("type")),
            ad_id=as_id(referral.get("ad_id")),
            ad_title=as_text(ad.get("ad_title")),
            product_id=id_of(referral.get("product")) or as_id(ad.get("product_id")),
        )


@dataclass(frozen=True, slots=True)
class Message:
    """
    A message that a person wrote.

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

    @classmethod
    def read(cls, item: JsonObject) -> Message:
        """Return the message in *item*, of `messaging[]`."""
        message = as_object(item.get("message"))
        mid, text = as_id(message.get("mid")), as_text(message.get("text")) or ""
        if message.keys() <= {"mid", "text"} and "referral" not in item:  # as nearly all are
            return cls(mid, text)
        reply_to = as_object(message.get("reply_to"))
        return cls(
            mid,
            text,
            attachments=Attachment.read_all(message.get("attachments")),
            payload=as_text(as_object(message.get("quick_reply")).get("payload")),
            reply_to=as_id(reply_to.get("mid")),
            story=Story.read(reply_to.get("story")),
            referral=Referral.read(message.get("referral") or item.get("referral")),
            is_unsupported=message.get("is_unsupported") in FLAG_SET,
        )


@dataclass(frozen=True, slots=True)
class Postback:
    """
    A tap: *title* is what the person saw, *payload* what the button stands for.

    *referral* is what led the person to it.
    """

    mid: str | None
    title: str = field(default="", repr=False)
    payload: str | None = None
    referral: Referral | None = None

    @classmethod
    def read(cls, item: JsonObject) -> Postback:
        """Return the tap in *item*, of `messaging[]`."""
        postback = as_object(item.get("postback"))
        return cls(
            mid=as_id(postback.get("mid")),
            title=as_text(postback.get("title")) or "",
            payload=as_text(postback.get("payload")),
            referral=Referral.read(postback.get("referral") or item.get("referral")),
        )


@dataclass(frozen=True, slots=True)
class Unsend:
    """The message *mid* was taken back."""

    mid: str

    @classmethod
    def read(cls, item: JsonObject) -> Unsend | Other:
        """Return the unsend in *item*, of `messaging[]`."""
        mid = as_id(as_object(item.get("message")).get("mid"))
        return cls(mid) if mid else Other()


@dataclass(frozen=True, slots=True)
class Edit:
    """The message *mid* now reads *text*; *num_edit* is 1 for its first edit."""

    mid: str
    text: str = field(repr=False)
    num_edit: int

    @classmethod
    def read(cls, item: JsonObject) -> Edit | Other:
        """Return the edit in *item*, of `messaging[]`."""
        edit = as_object(item.get("message_edit"))
        mid, text = as_id(edit.get("mid")), as_text(edit.get("text")) or ""
        return cls(mid, text, as_number(edit.get("num_edit")) or 1) if mid else Other()


@dataclass(frozen=True, slots=True)
class Other:
    """Nothing that anyone acts on, or nothing that could be read."""


Content: TypeAlias = Message | Postback | Unsend | Edit | Referral | Other

_READERS: Mapping[str, Callable[[JsonObject], Content]] = {
    Kind.MESSAGE: Message.read,
    Kind.POSTBACK: Postback.read,
    Kind.UNSEND: Unsend.read,
    Kind.EDIT: Edit.read,
    Kind.REFERRAL: lambda item: Referral.read(item.get("referral")) or Other(),
}


def read_content(kind: str, payload: str) -> Content:
    """
    Return what an event of *kind*, which waits for an answer or a message, says.

    Never raises: `Other` stands for every other kind, and for a payload that does not say
    what its kind has to.
    """
    read, item = _READERS.get(kind), fast_json.load_object(payload)
    return Other() if read is None or item is None else read(item)
