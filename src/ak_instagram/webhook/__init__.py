"""The webhook room: Meta's signed posts come in, and leave as typed events."""

from __future__ import annotations

PATH = "/instagram/webhook"
