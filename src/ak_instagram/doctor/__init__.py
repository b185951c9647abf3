"""The doctor room: what keeps messages from being answered is found and named, with its fix."""

from __future__ import annotations
