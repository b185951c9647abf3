"""
Settings: `config.yaml` under the environment makes frozen, typed values.

`load` is all that the service needs, `explain` is for people who ask what it sees, and
`load_app_secrets` for those who sign a webhook of their own.
"""

from __future__ import annotations

from .load import explain, load, load_app_secrets
from .model import Settings
from .sources import SourcedValue

__all__ = ["Settings", "SourcedValue", "explain", "load", "load_app_secrets"]
