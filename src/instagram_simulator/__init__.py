"""
A Meta to try things with: a fake Graph API, signed webhooks, faults, and a page to chat on.

It holds everything in memory and trusts whoever reaches it; it is not for production.
"""

from __future__ import annotations

from .app import simulator_app
from .core import Core
from .faults import Fault, FaultKind
from .journal import Entry, Journal
from .phones import Phones
from .post import Retries
from .server import PortBusy, listen
from .simulator import Simulator
from .switches import Switches
from .values import Account, Content, Message, Person
from .verification import VerificationFailed
from .world import Unknown, World

__all__ = [
    "Account",
    "Content",
    "Core",
    "Entry",
    "Fault",
    "FaultKind",
    "Journal",
    "Message",
    "Person",
    "Phones",
    "PortBusy",
    "Retries",
    "Simulator",
    "Switches",
    "Unknown",
    "VerificationFailed",
    "World",
    "listen",
    "simulator_app",
]
