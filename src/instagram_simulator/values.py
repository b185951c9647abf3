"""Accounts, people and messages as values, and as the JSON that the page and the journal get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# `Any` because JSON enters and leaves here.
Json = dict[str, Any]

Author = Literal["person", "service", "human"]


@dataclass(frozen=True, slots=True)
class ProfessionalAccount:
    """
    The professional account that people write to, and the app that answers for it.

    *account_id* is what webhooks call `entry.id`; *app_scoped_id* is the other id
    that `/me` gives, which an account of Unified Login does not have. The secrets
    are the ones a service has to be configured with.
    """

    account_id: str = "17841400000000001"
    app_scoped_id: str = "24600000000000001"
    username: str = "marigold.lane"
    name: str = "Marigold Lane"
    access_token: str = field(default="IGAAsimulator", repr=False)
    app_secret: str = field(default="simulator-app-secret", repr=False)
    app_id: str = "990000000000001"

    @property
    def is_unified(self) -> bool:
        """Whether the account has Unified Login, as its token `EAA…` says."""
        return self.access_token.startswith("EAA")

    @property
    def graph_host(self) -> str:
        """The host that knows the account's token."""
        return "graph.facebook.com" if self.is_unified else "graph.instagram.com"

    @property
    def nodes(self) -> frozenset[str]:
        """The nodes of a path that are the account."""
        ids = {self.account_id} if self.is_unified else {"me", self.account_id, self.app_scoped_id}
        return frozenset(ids)

    @property
    def short_lived_token(self) -> str:
        """The token that a login has given, good for an hour and to be exchanged."""
        return f"{self.access_token}.short"


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who writes to an account; the *igsid* is theirs for this account only."""

    igsid: str
    account_id: str
    name: str
    username: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of a person on a post of the account; *created* is UTC ms."""

    comment_id: str
    igsid: str
    account_id: str
    username: str
    text: str
    created: int


@dataclass(frozen=True, slots=True)
class MessageContent:
    """
    The words and attachments of a message, in the shapes of the API it came by.

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
class DirectMessage:
    """
    One message of a conversation; *position* counts from 0 in it, *created* is UTC ms.

    *author* tells a reply of the service from one that a person typed into the
    Instagram app. *reactions* has at most one for `person` and one for `account`.
    """

    mid: str
    igsid: str
    account_id: str
    author: Author
    created: int
    position: int
    content: MessageContent
    edits: int = 0
    is_deleted: bool = False
    reactions: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_from_person(self) -> bool:
        """Whether the person wrote it, not the account."""
        return self.author == "person"

    def to_json(self) -> Json:
        """Return the message for the page, the control API and the journal."""
        content = self.content
        return {
            "mid": self.mid,
            "igsid": self.igsid,
            "author": self.author,
            "created": self.created,
            "position": self.position,
            "text": content.text,
            "attachments": list(content.attachments),
            "quick_replies": list(content.quick_replies),
            "is_postback": content.postback is not None,
            "reply_to": content.reply_to,
            "edits": self.edits,
            "is_deleted": self.is_deleted,
            "reactions": dict(self.reactions),
        }
