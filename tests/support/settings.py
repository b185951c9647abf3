"""The settings as the service loads them: with the adapters that there are."""

from __future__ import annotations

from functools import partial

from ak_instagram import settings
from ak_instagram.agents.adapters import ADAPTERS

load = partial(settings.load, adapters=ADAPTERS)
explain = partial(settings.explain, adapters=ADAPTERS)
