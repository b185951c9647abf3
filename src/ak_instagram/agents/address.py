"""The address that an adapter posts to, from `agent.url`."""

from __future__ import annotations

from urllib.parse import urlsplit

from ak_instagram.errors import SettingsError
from ak_instagram.settings import values
from ak_instagram.settings.checks import http_url
from ak_instagram.settings.problems import label


def agent_url(settings: values.Agent, path: str = "", default: str | None = None) -> str:
    """
    Return the URL to post to: `agent.url`, or *default*, with *path* at the end of its own.

    A path that is already there is not added again; a query stays. Raises
    `SettingsError` for a URL that the settings refuse.
    """
    url = settings.url or default or ""
    _check(url)
    if not path:
        return url
    parsed = urlsplit(url)
    root = parsed.path.rstrip("/")
    return parsed._replace(path=root if root.endswith(path) else root + path).geturl()


def _check(url: str) -> None:
    """Raise `SettingsError` if *url* is none that `agent.url` may have."""
    try:
        http_url(url)
    except ValueError as reason:
        raise SettingsError([f"{label('agent.url')}: {reason}"]) from reason
