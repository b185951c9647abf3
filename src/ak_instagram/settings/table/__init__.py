"""
The table of settings: every key, its kind, default, check and meaning.

Parsing, checking, suggestions and the effective settings that `check-config` prints
come from here; tests hold `docs/configuration.md` and `config.yaml` to it.
"""

from __future__ import annotations

from ak_instagram.settings.keys import Key

from .agent import AGENT
from .instagram import ACCOUNT_KEYS, INSTAGRAM
from .service import SERVICE

__all__ = ["ACCOUNT_KEYS", "KEYS", "SECTIONS", "keys_of"]

KEYS = (*INSTAGRAM, *AGENT, *SERVICE)
SECTIONS: tuple[str, ...] = tuple(dict.fromkeys(key.name.partition(".")[0] for key in KEYS))


def keys_of(section: str) -> tuple[Key, ...]:
    """Return the keys of *section*, in the table's order."""
    return tuple(key for key in KEYS if key.name.startswith(f"{section}."))
