"""The webhook room: Meta's signed posts come in, and leave as typed events."""

from __future__ import annotations

PATH = "/instagram/webhook"

# With a slash at its end it is served as well: a redirect would tell the verify token to whoever
# listens, since it leads to http:// behind a proxy that ends TLS.
PATHS = frozenset((PATH, f"{PATH}/"))
