"""What the world is made of, as values; a change makes a new value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# `Any` because JSON enters and leaves here.
Json = dict[str, Any]

Author = Literal["person", "service", "human"]


@dataclass(frozen=True, slots=True)
class Account:
    """
    The professional account that people write to, and the app that answers for it.

    *account_id* is what webhooks call `entry.id`; *app_scoped_id* is the other id
    that `/me` gives. The secrets are the ones a service has to be configured with.
    """

    account_id: str = "17841400000000001"
    app_scoped_id: str = "24600000000000001"
    username: str = "marigold.lane"
    name: str = "Marigold Lane"
    access_token: str = field(default="IGAAsimulator", repr=False)
    app_secret: str = field(default="simulator-app-secret", repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who writes to an account; the *igsid* is theirs for this account only."""

    igsid: str
    account_id: str
    name: str
    username: str


@dataclass(frozen=True, slots=True)
class Content:
    """
    What a message says, in the words of the API it came by.

    *quick_replies* are the chips under it, *quick_reply* is the payload of the chip
    that was tapped to send it, *postback* that of a button.
    """

    text: str | None = None
    attachments: tuple[Json, ...] = ()
    quick_replies: tuple[Json, ...] = ()
    quick_reply: str | None = None
    postback: str | None = None
    reply_to: Json | None = None
    referral: Json | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """
    One message of a conversation; *position* counts from 0 in it.

    *author* tells a reply of the service from one that a person typed into the
    Instagram app. *reactions* has at most one for `person` and one for `account`.
    """

    mid: str
    igsid: str
    account_id: str
    author: Author
    created: int
    position: int
    content: Content
    edits: int = 0
    is_deleted: bool = False
    reactions: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_from_person(self) -> bool:
        """Whether the person wrote it, not the account."""
        return self.author == "person"
