"""Values as JSON for the page, the control API and the journal."""

from __future__ import annotations

from dataclasses import asdict

from .faults import Fault
from .values import Account, Json, Message, Person
from .world import Conversation


def message_json(message: Message) -> Json:
    """Return *message* with the content that is there."""
    content = message.content
    return {
        "mid": message.mid,
        "igsid": message.igsid,
        "author": message.author,
        "created": message.created,
        "position": message.position,
        "text": content.text,
        "attachments": list(content.attachments),
        "quick_replies": list(content.quick_replies),
        "is_postback": content.postback is not None,
        "reply_to": content.reply_to,
        "edits": message.edits,
        "is_deleted": message.is_deleted,
        "reactions": dict(message.reactions),
    }


def person_json(person: Person) -> Json:
    """Return *person* as the page lists people."""
    return asdict(person)


def account_json(account: Account) -> Json:
    """Return *account* without its secrets."""
    return {"account_id": account.account_id, "username": account.username, "name": account.name}


def conversation_json(conversation: Conversation) -> Json:
    """Return *conversation* without its messages."""
    return {
        "person": person_json(conversation.person),
        "messages": len(conversation.mids),
        "updated": conversation.updated,
        "seen_by_person": conversation.seen_by_person,
        "seen_by_account": conversation.seen_by_account,
        "is_typing": conversation.is_typing,
    }


def fault_json(number: int, fault: Fault, left: int | None) -> Json:
    """Return an active *fault* with its *number* and how often it will still happen."""
    return {"number": number, "left": left, **asdict(fault)}
