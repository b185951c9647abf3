"""How this Meta behaves where the real one is not always the same."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Switches:
    """
    Behaviour that is no fault but that a service has to live with.

    *echo_first*: the echo of a message arrives before its send call has answered.
    *edit_companion*: each new message comes with a `message_edit` of `num_edit` 0.
    *echoes*: the account's own messages are echoed at all.
    *sends_per_second*: how many send calls an account may make; 0 is no limit.
    """

    echoes: bool = True
    echo_first: bool = False
    edit_companion: bool = False
    sends_per_second: int = 0
