"""The state of everything, in memory: the clock, accounts, people and their messages."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import islice

from .ids import Ids, conversation_id
from .values import (
    Author,
    Comment,
    DirectMessage,
    Json,
    MessageContent,
    Person,
    ProfessionalAccount,
)

# The Graph API gives details of the newest messages of a conversation only.
READABLE = 20
WINDOW_SECONDS = 24 * 3600
AD_WINDOW_SECONDS = 7 * 24 * 3600
TOKEN_SECONDS = 60 * 24 * 3600
SHORT_TOKEN_SECONDS = 3600
CODE_SECONDS = 3600
# A token that is given to the service has been made some time before it is.
_TOKEN_AGE_SECONDS = 2 * 24 * 3600
MAX_MEDIA = 50  # kept; the oldest goes first


class Unknown(LookupError):
    """There is no such person, message or conversation in the world."""


class Clock:
    """The time in milliseconds, as webhooks tell it; `advance` makes hours pass at once."""

    def __init__(self) -> None:
        self._ahead = 0

    def now(self) -> int:
        """Return milliseconds since 1970."""
        return time.time_ns() // 1_000_000 + self._ahead

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass; the time between two ticks stays what it is."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        self._ahead += round(seconds * 1000)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token of *account*; *issued* and *expires* are UTC ms, a short-lived one lasts an hour."""

    account: ProfessionalAccount
    issued: int
    expires: int
    is_short_lived: bool = False


@dataclass(slots=True)
class ConversationState:
    """
    The conversation of one person with one account; its messages are oldest first.

    *applied* are the messages among *mids* that the service has sent. *updated* and
    *last_inbound* are UTC ms; the latter is when the person wrote last, which opens the
    window for answers. *from_ad* is when they last wrote after tapping an ad, `None` if never.
    *seen_by_person* and *seen_by_account* are how many messages were
    seen.
    """

    conversation_id: str
    person: Person
    mids: list[str] = field(default_factory=list)
    applied: list[str] = field(default_factory=list)
    updated: int = 0
    last_inbound: int | None = None
    from_ad: int | None = None
    seen_by_person: int = 0
    seen_by_account: int = 0
    is_typing: bool = False

    def to_json(self) -> Json:
        """Return the conversation, without its messages, for the page and the control API."""
        return {
            "person": asdict(self.person),
            "messages": len(self.mids),
            "updated": self.updated,
            "seen_by_person": self.seen_by_person,
            "seen_by_account": self.seen_by_account,
            "is_typing": self.is_typing,
        }


def token_from(
    account: ProfessionalAccount, issued: int, *, is_short_lived: bool = False
) -> AccessToken:
    """Return a token of *account* that was *issued* then (UTC ms)."""
    seconds = SHORT_TOKEN_SECONDS if is_short_lived else TOKEN_SECONDS
    return AccessToken(account, issued, issued + seconds * 1000, is_short_lived)


class World:
    """
    All accounts, people and messages; nothing happens here by itself.

    Every look-up is by key, so that it stays quick with a million messages.
    """

    def __init__(self, *accounts: ProfessionalAccount) -> None:
        self.clock = Clock()
        self.accounts = {each.account_id: each for each in accounts or (ProfessionalAccount(),)}
        self.media: dict[str, tuple[str, bytes]] = {}
        # What each account offers before anybody writes: ice breakers, menu.
        self.profiles: dict[str, Json] = {each: {} for each in self.accounts}
        self._ids = Ids()
        self._tokens: dict[str, AccessToken] = {}
        self._codes: dict[str, tuple[ProfessionalAccount, str, int]] = {}
        self._comments: dict[str, Comment] = {}
        self._replied: set[str] = set()
        self._conversations: dict[str, ConversationState] = {}
        self._by_conversation_id: dict[str, ConversationState] = {}
        self._messages: dict[str, DirectMessage] = {}
        made = self.clock.now()
        for each in self.accounts.values():
            issued = made - _TOKEN_AGE_SECONDS * 1000
            self._tokens[each.access_token] = token_from(each, issued)
            self._tokens[each.short_lived_token] = token_from(each, made, is_short_lived=True)

    @property
    def account(self) -> ProfessionalAccount:
        """The first account, the only one in most worlds."""
        return next(iter(self.accounts.values()))

    def token(self, text: str) -> AccessToken | None:
        """Return the token that *text* is, if it is one; it may have expired."""
        return self._tokens.get(text)

    def issue_token(self, account: ProfessionalAccount) -> tuple[str, AccessToken]:
        """Return a further long-lived token of *account*; the ones before it go on working."""
        text = f"{account.access_token}{len(self._tokens)}"
        self._tokens[text] = token = token_from(account, self.clock.now())
        return text, token

    def issue_code(self, account: ProfessionalAccount, redirect_uri: str) -> str:
        """Return a login's code for *account*, good for an hour, once, and with *redirect_uri*."""
        code = f"AQ{secrets.token_urlsafe(32)}"
        self._codes[code] = (account, redirect_uri, self.clock.now() + CODE_SECONDS * 1000)
        return code

    def redeem_code(self, code: str, redirect_uri: str) -> tuple[str, ProfessionalAccount] | None:
        """Return a new short-lived token for *code* and its account, `None` if it is not good."""
        account, issued_for, expires = self._codes.pop(code, (None, "", 0))
        if account is None or issued_for != redirect_uri or expires <= self.clock.now():
            return None
        text = f"{account.access_token}.login{len(self._tokens)}"
        self._tokens[text] = token_from(account, self.clock.now(), is_short_lived=True)
        return text, account

    def revoke_token(self, text: str) -> None:
        """Let the token *text* be good for nothing any more, as an account's owner can."""
        self._tokens.pop(text, None)

    def keep_media(self, content_type: str, content: bytes) -> str:
        """Keep a file and return the name that it is served by; the oldest may go for it."""
        name = secrets.token_urlsafe(12)
        self.media[name] = (content_type, content)
        if len(self.media) > MAX_MEDIA:
            del self.media[next(iter(self.media))]
        return name

    def add_person(
        self, name: str, username: str = "", *, account: ProfessionalAccount | None = None
    ) -> Person:
        """Let a new person know *account* (by default the first); they have not written yet."""
        account_id = (account or self.account).account_id
        igsid = self._ids.igsid()
        person = Person(igsid, account_id, name, username or f"person_{igsid[-4:]}")
        conversation = ConversationState(conversation_id(account_id, igsid), person)
        self._conversations[igsid] = conversation
        self._by_conversation_id[conversation.conversation_id] = conversation
        return person

    def conversations(self) -> Iterator[ConversationState]:
        """Yield all conversations in the order in which the people were added."""
        return iter(self._conversations.values())

    def conversation(self, igsid: str) -> ConversationState:
        """Return the conversation with the person *igsid*."""
        try:
            return self._conversations[igsid]
        except KeyError:
            raise Unknown(f"nobody has the id {igsid}") from None

    def conversation_by_id(self, conversation_id: str) -> ConversationState | None:
        """Return the conversation that the Graph API calls *conversation_id*."""
        return self._by_conversation_id.get(conversation_id)

    def message(self, mid: str) -> DirectMessage:
        """Return the message *mid* as it is now."""
        try:
            return self._messages[mid]
        except KeyError:
            raise Unknown(f"no message has the id {mid}") from None

    def messages(self, igsid: str) -> tuple[DirectMessage, ...]:
        """Return all messages with *igsid*, oldest first."""
        return tuple(self._messages[mid] for mid in self.conversation(igsid).mids)

    def newest(self, igsid: str, limit: int) -> tuple[DirectMessage, ...]:
        """Return the *limit* newest messages with *igsid*, newest first."""
        mids = reversed(self.conversation(igsid).mids)
        return tuple(self._messages[mid] for mid in islice(mids, limit))

    def is_readable(self, message: DirectMessage) -> bool:
        """Whether the Graph API still gives the details of *message*."""
        age = len(self.conversation(message.igsid).mids) - message.position
        return age <= READABLE and not message.is_deleted

    def write(self, igsid: str, author: Author, content: MessageContent) -> DirectMessage:
        """
        Add a message at the end of a conversation and return it.

        Times rise strictly within a conversation, so that ordering by them is ordering.
        """
        conversation = self.conversation(igsid)
        account_id = conversation.person.account_id
        conversation.updated = max(self.clock.now(), conversation.updated + 1)
        at, position = conversation.updated, len(conversation.mids)
        mid = self._ids.mid(account_id, igsid, at)
        message = DirectMessage(mid, igsid, account_id, author, at, position, content)
        self._messages[mid] = message
        conversation.mids.append(mid)
        if message.is_from_person:
            conversation.last_inbound = conversation.updated
            if (content.referral or {}).get("source") == "ADS":
                conversation.from_ad = conversation.updated
        else:
            conversation.is_typing = False
        if author == "service":
            conversation.applied.append(mid)
        return message

    def write_comment(self, igsid: str, text: str) -> Comment:
        """Let a person comment on a post of the account."""
        person = self.conversation(igsid).person
        comment = Comment(
            self._ids.comment(), igsid, person.account_id, person.username, text, self.clock.now()
        )
        self._comments[comment.comment_id] = comment
        return comment

    def comment(self, comment_id: str) -> Comment:
        """Return the comment *comment_id*."""
        try:
            return self._comments[comment_id]
        except KeyError:
            raise Unknown(f"no comment has the id {comment_id}") from None

    def is_replied(self, comment: Comment) -> bool:
        """Whether *comment* has had its one private reply."""
        return comment.comment_id in self._replied

    def note_reply(self, comment: Comment) -> None:
        """Remember that *comment* has its private reply."""
        self._replied.add(comment.comment_id)

    def edit(self, mid: str, text: str) -> DirectMessage:
        """Change the text of a message and return what it is now."""
        message = self.message(mid)
        content = replace(message.content, text=text)
        return self._keep(replace(message, content=content, edits=message.edits + 1))

    def unsend(self, mid: str) -> DirectMessage:
        """Take a message back: its content is gone."""
        return self._keep(replace(self.message(mid), is_deleted=True, content=MessageContent()))

    def react(self, mid: str, by: str, emoji: str | None) -> DirectMessage:
        """Put the reaction of *by* (`person` or `account`) on a message; `None` takes it off."""
        message = self.message(mid)
        others = {who: what for who, what in message.reactions.items() if who != by}
        return self._keep(replace(message, reactions={**others, by: emoji} if emoji else others))

    def is_window_open(self, igsid: str, seconds: float = WINDOW_SECONDS) -> bool:
        """Whether the person wrote within the last *seconds*, by the world's clock."""
        return self._is_within(self.conversation(igsid).last_inbound, seconds)

    def is_ad_window_open(self, igsid: str) -> bool:
        """Whether the person came by an ad within the last 7 days, by the world's clock."""
        return self._is_within(self.conversation(igsid).from_ad, AD_WINDOW_SECONDS)

    def _is_within(self, moment: int | None, seconds: float) -> bool:
        return moment is not None and self.clock.now() - moment <= seconds * 1000

    def _keep(self, message: DirectMessage) -> DirectMessage:
        self._messages[message.mid] = message
        return message
