"""The world in memory: accounts, people, and what they wrote to each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from .clock import Clock
from .ids import Ids
from .values import Account, Author, Content, Message, Person

# The Graph API gives details of the newest messages of a conversation only.
READABLE = 20
WINDOW_SECONDS = 24 * 3600


class Unknown(LookupError):
    """There is no such person, message or conversation in the world."""


@dataclass(slots=True)
class Conversation:
    """
    What one person and one account wrote, oldest first.

    *applied* are the messages among *mids* that the service has sent. *last_inbound*
    is when the person wrote last, which opens the window for answers; *seen_by_person*
    and *seen_by_account* are how many messages were seen.
    """

    conversation_id: str
    person: Person
    mids: list[str] = field(default_factory=list)
    applied: list[str] = field(default_factory=list)
    updated: int = 0
    last_inbound: int | None = None
    seen_by_person: int = 0
    seen_by_account: int = 0
    is_typing: bool = False


class World:
    """
    Everything that exists, and nothing that happens by itself.

    Every look-up is by key, so that it stays quick with a million messages.
    """

    def __init__(self, *accounts: Account) -> None:
        self.clock = Clock()
        self.accounts = {each.account_id: each for each in accounts or (Account(),)}
        self.media: dict[str, tuple[str, bytes]] = {}
        self._ids = Ids()
        self._tokens = {each.access_token: each for each in self.accounts.values()}
        self._conversations: dict[str, Conversation] = {}
        self._by_conversation_id: dict[str, Conversation] = {}
        self._messages: dict[str, Message] = {}

    @property
    def account(self) -> Account:
        """The first account, the only one in most worlds."""
        return next(iter(self.accounts.values()))

    def account_of_token(self, token: str) -> Account | None:
        """Return whose *token* it is."""
        return self._tokens.get(token)

    def issue_token(self, account: Account) -> str:
        """Return a further token of *account*; the ones before it go on working."""
        token = f"{account.access_token}{len(self._tokens)}"
        self._tokens[token] = account
        return token

    def add_person(
        self, name: str, username: str = "", *, account: Account | None = None
    ) -> Person:
        """Let a new person know *account* (by default the first); they have not written yet."""
        account_id = (account or self.account).account_id
        igsid = self._ids.igsid()
        person = Person(igsid, account_id, name, username or f"person_{igsid[-4:]}")
        conversation = Conversation(self._ids.conversation(account_id, igsid), person)
        self._conversations[igsid] = conversation
        self._by_conversation_id[conversation.conversation_id] = conversation
        return person

    def conversations(self) -> Iterator[Conversation]:
        """Yield all conversations in the order in which the people were added."""
        return iter(self._conversations.values())

    def conversation(self, igsid: str) -> Conversation:
        """Return the conversation with the person *igsid*."""
        try:
            return self._conversations[igsid]
        except KeyError:
            raise Unknown(f"nobody has the id {igsid}") from None

    def conversation_by_id(self, conversation_id: str) -> Conversation | None:
        """Return the conversation that the Graph API calls *conversation_id*."""
        return self._by_conversation_id.get(conversation_id)

    def message(self, mid: str) -> Message:
        """Return the message *mid* as it is now."""
        try:
            return self._messages[mid]
        except KeyError:
            raise Unknown(f"no message has the id {mid}") from None

    def messages(self, igsid: str) -> tuple[Message, ...]:
        """Return all messages with *igsid*, oldest first."""
        return tuple(self._messages[mid] for mid in self.conversation(igsid).mids)

    def newest(self, igsid: str, limit: int) -> tuple[Message, ...]:
        """Return the *limit* newest messages with *igsid*, newest first."""
        mids = reversed(self.conversation(igsid).mids)
        return tuple(self._messages[mid] for mid in islice(mids, limit))

    def is_readable(self, message: Message) -> bool:
        """Whether the Graph API still gives the details of *message*."""
        age = len(self.conversation(message.igsid).mids) - message.position
        return age <= READABLE and not message.is_deleted

    def write(self, igsid: str, author: Author, content: Content) -> Message:
        """
        Add a message at the end of a conversation and return it.

        Times rise strictly within a conversation, so that ordering by them is ordering.
        """
        conversation = self.conversation(igsid)
        account_id = conversation.person.account_id
        conversation.updated = max(self.clock.now(), conversation.updated + 1)
        mid, position = self._ids.mid(account_id, igsid), len(conversation.mids)
        message = Message(mid, igsid, account_id, author, conversation.updated, position, content)
        self._messages[mid] = message
        conversation.mids.append(mid)
        if message.is_from_person:
            conversation.last_inbound = conversation.updated
        else:
            conversation.is_typing = False
        if author == "service":
            conversation.applied.append(mid)
        return message

    def edit(self, mid: str, text: str) -> Message:
        """Change the text of a message and return what it is now."""
        message = self.message(mid)
        content = replace(message.content, text=text)
        return self._keep(replace(message, content=content, edits=message.edits + 1))

    def unsend(self, mid: str) -> Message:
        """Take a message back: its content is gone."""
        return self._keep(replace(self.message(mid), is_deleted=True, content=Content()))

    def react(self, mid: str, by: str, emoji: str | None) -> Message:
        """Put the reaction of *by* (`person` or `account`) on a message; `None` takes it off."""
        message = self.message(mid)
        others = {who: what for who, what in message.reactions.items() if who != by}
        return self._keep(replace(message, reactions={**others, by: emoji} if emoji else others))

    def is_window_open(self, igsid: str, seconds: float = WINDOW_SECONDS) -> bool:
        """Whether the person wrote within the last *seconds*, by the world's clock."""
        last = self.conversation(igsid).last_inbound
        return last is not None and self.clock.now() - last <= seconds * 1000

    def _keep(self, message: Message) -> Message:
        self._messages[message.mid] = message
        return message
