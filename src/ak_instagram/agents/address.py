"""The address that an adapter posts to, from `agent.url`."""

from __future__ import annotations

from urllib.parse import urlsplit

from ak_instagram.errors import SettingsError
from ak_instagram.settings import values


def agent_url(settings: values.Agent, path: str = "", default: str | None = None) -> str:
    """
    Return the URL to post to: `agent.url`, or *default*, with *path* at the end of its own.

    A path that is already there is not added again; a query stays. Raises
    `SettingsError` unless the result is an absolute http or https URL.
    """
    url = settings.url or default or ""
    _check_url(settings.adapter, url)
    if not path:
        return url
    parsed = urlsplit(url)
    root = parsed.path.rstrip("/")
    return parsed._replace(path=root if root.endswith(path) else root + path).geturl()


def _check_url(adapter: str, url: str) -> None:
    """Raise `SettingsError` unless *url* can be posted to."""
    if not url:
        raise SettingsError([f"agent.url: the {adapter} adapter needs it; set AK_AGENT__URL"])
    if not _is_http_url(url):
        raise SettingsError(["agent.url: not an http:// or https:// address"])
    if "#" in url:
        problem = "must have no # part, which is never sent; write %23 for a # that is meant"
        raise SettingsError([f"agent.url: {problem}"])


def _is_http_url(url: str) -> bool:
    """Return whether *url* is absolute and http or https."""
    try:
        parsed = urlsplit(url)
    except ValueError:
        return False
    return parsed.scheme in {"http", "https"} and bool(parsed.hostname)
