"""The settings as the service loads them: with the adapters that there are."""

from __future__ import annotations

from functools import partial

from ak_instagram import settings
from ak_instagram.agents import registry

load = partial(settings.load, adapters=registry)
explain = partial(settings.explain, adapters=registry)
