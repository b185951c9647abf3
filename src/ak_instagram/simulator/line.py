"""The name under which the server gives the app the line that a call came by."""

from __future__ import annotations

# An extension of the ASGI scope: `{"abort": callable}`.
LINE = "ak_instagram.line"
