"""What an event says, once its JSON has been read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


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
