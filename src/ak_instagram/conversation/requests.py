"""Requests: texts by which a person asks the service itself for something, not the agent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ak_instagram.agents.agent import UserMessage
from ak_instagram.meta.events import Kind
from ak_instagram.store.values import Claim
from ak_instagram.text import fits

_SAID = frozenset({Kind.MESSAGE, Kind.POSTBACK})


@dataclass(frozen=True, slots=True)
class Requests:
    """
    The texts that an operator has chosen: for a person, and for a new start.

    *handoff_words* ask for a person, which is confirmed by *handoff_reply*; *reset* begins a
    new session with the agent, confirmed by *reset_reply*. What is empty is not offered, or
    not confirmed.
    """

    handoff_words: tuple[str, ...] = ()
    handoff_reply: str = ""
    reset: str = ""
    reset_reply: str = ""

    @property
    def are_offered(self) -> bool:
        """Whether anything can be asked for."""
        return bool(self.handoff_words or self.reset)

    def ask_for_person(self, messages: Sequence[UserMessage]) -> bool:
        """Return whether one of *messages* asks for a person."""
        return any(_says(it, words) for it in messages for words in self.handoff_words)

    def until_reset(self, claim: Claim, messages: Sequence[UserMessage]) -> Claim | None:
        """
        Return *claim* up to its last message that asks for a new start, `None` without one.

        *messages* are those of its turn. What comes after is the new session's.
        """
        if not self.reset:
            return None
        mids = {it.mid for it in messages if _says(it, self.reset)}
        places = [
            at
            for at, it in enumerate(claim.events, 1)
            if it.kind in _SAID and (it.mid or str(it.id)) in mids
        ]
        # A link that led here is the new session's as well.
        return replace(claim, events=claim.events[: places[-1]], referral=None) if places else None


def _says(message: UserMessage, phrase: str) -> bool:
    """Return whether *phrase* is what *message* says, or what the tapped button stands for."""
    return fits(message.text, phrase) or fits(message.payload or "", phrase)
