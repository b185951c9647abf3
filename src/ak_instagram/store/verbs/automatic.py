"""
Automatic messages are echoes that no person wrote, so that nobody has taken over.

Instagram's instant replies and ad greetings, shop systems and other tools speak for the
account as well, and Meta echoes it all alike. What a person says next still takes over.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from ak_instagram.meta.events import Event
from ak_instagram.text import fits

INSTANT = 2_000  # milliseconds after a person's message in which nobody can have answered it
SAME_WORDS = 10_000  # milliseconds in which nobody types or pastes one text for two people

# Meta's own inboxes, in which people write
# (https://developers.facebook.com/docs/messenger-platform/reference/handover-protocol).
_INBOXES = frozenset({"1217981644879628", "263902037430900"})


class Automatic(StrEnum):
    """Why an echo is no person's, in the log's words."""

    OTHER_APP = "another app sent it"
    WORDLESS = "it has no words"
    LISTED = "it is one of conversation.automatic_texts"
    OPENING = "it opens the conversation"
    INSTANT = "it came within two seconds of the person's message"
    TO_SEVERAL = "several people were told the same at once"


def automatic(
    echo: Event, said_at: int, asked_at: int | None, *, told_others: bool, texts: Iterable[str]
) -> Automatic | None:
    """
    Return why no person has written *echo*, `None` if it is taken for a person's.

    *said_at* is when it was said, *asked_at* when the person who is told this last wrote or
    tapped, `None` if never; both in UTC ms and no later than now. *told_others*: somebody
    else was told the same within `SAME_WORDS`. *texts* are `conversation.automatic_texts`.
    """
    if echo.echo_app is not None and echo.echo_app not in _INBOXES:
        return Automatic.OTHER_APP
    if not echo.echo_text or not echo.echo_text.strip():
        return Automatic.WORDLESS
    if any(fits(echo.echo_text, text) for text in texts):
        return Automatic.LISTED
    if asked_at is None:
        return Automatic.OPENING
    if abs(said_at - asked_at) <= INSTANT:
        return Automatic.INSTANT
    return Automatic.TO_SEVERAL if told_others else None
