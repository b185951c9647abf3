"""
A Meta to try things with: a fake Graph API, signed webhooks, faults, and a page to chat on.

It holds everything in memory and trusts all who reach it; it is not for production.
"""

from __future__ import annotations

from .engine import Behaviour, Engine
from .faults import Fault, FaultKind
from .journal import Entry, Journal
from .listener import PortBusy, listen
from .simulator import Simulator
from .state import Unknown, World
from .user_actions import UserActions
from .values import DirectMessage, MessageContent, Person, ProfessionalAccount
from .webhooks.post import Retries, VerificationFailed

__version__ = "0.1.0"

__all__ = [
    "Behaviour",
    "DirectMessage",
    "Engine",
    "Entry",
    "Fault",
    "FaultKind",
    "Journal",
    "MessageContent",
    "Person",
    "PortBusy",
    "ProfessionalAccount",
    "Retries",
    "Simulator",
    "Unknown",
    "UserActions",
    "VerificationFailed",
    "World",
    "listen",
]
