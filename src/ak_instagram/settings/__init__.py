"""
Settings: `config.yaml` under the environment makes frozen, typed values.

`load` is all that the service needs, `explain` is for people who ask what it sees, and
`load_agent`, `load_app_secrets`, `load_sender` and `load_store` for commands that need no more.
"""

from __future__ import annotations

from .load import explain, load, load_agent, load_app_secrets, load_sender, load_store
from .model import Settings
from .sources import SourcedValue

__all__ = [
    "Settings",
    "SourcedValue",
    "explain",
    "load",
    "load_agent",
    "load_app_secrets",
    "load_sender",
    "load_store",
]
