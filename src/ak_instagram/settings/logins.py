"""
The two logins of Meta's: a login decides a token's look, its host, and the path of an account.

Instagram Login has tokens `IGAA…`, which name their account themselves (`/me`); Unified Login has
tokens `EAA…` of a system user, which may be good for several accounts, so the path has the id.
https://developers.facebook.com/documentation/instagram-platform/webhooks/setup
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from . import messages
from .sources import SourcedValue

Login: TypeAlias = Literal["instagram", "unified"]

HOSTS: dict[Login, str] = {
    "instagram": "https://graph.instagram.com",
    "unified": "https://graph.facebook.com",
}
"""The Graph API of each login."""

LOOKS: dict[Login, str] = {"instagram": "IGAA…", "unified": "EAA…"}
"""A token of each login, as its beginning."""

_LOOK = re.compile(r"(?P<instagram>IG[A-Z]{2})|(?P<unified>EAA)")


def login_of_token(token: str) -> Login | None:
    """Return the login that *token* looks like, `None` for any other text."""
    found = _LOOK.match(token)
    if found is None:
        return None
    return "unified" if found["unified"] else "instagram"


def login_of_host(url: str) -> Login | None:
    """Return the login whose Graph API *url* is, `None` for a host that is not Meta's."""
    name = urlsplit(url).hostname
    return next((login for login, host in HOSTS.items() if urlsplit(host).hostname == name), None)


def graph_host(login: Login, graph_url: str) -> str:
    """Return where an account of *login* is asked: *graph_url*, or Meta's own host for it."""
    return graph_url if login_of_host(graph_url) is None else HOSTS[login]


def complete_logins(
    values: dict[str, SourcedValue], problems: list[str]
) -> dict[str, SourcedValue]:
    """
    Return *values* with each account's login inferred, and `instagram.graph_url` by the main one's.

    A token that contradicts its login or `instagram.graph_url`, and an account of Unified Login
    without an id, are added to *problems*.
    """
    url = values["instagram.graph_url"]
    completed = dict(values)
    for parent in _accounts_in(values):
        login = values[f"{parent}.login"]
        token = values[f"{parent}.access_token"]
        inferred = login_of_token(token.value or "") or login_of_host(url.value or "")
        if not login.is_set:
            source = f"inferred from {parent}.access_token" if token.value else login.source
            login = replace(login, value=inferred or "instagram", source=source)
            completed[f"{parent}.login"] = login
        problems += _contradictions(parent, values, login.value)
    if not url.is_set:
        first = "instagram" if values["instagram.access_token"].value else "instagram.accounts[0]"
        main = completed.get(f"{first}.login") or completed["instagram.login"]
        completed["instagram.graph_url"] = replace(url, value=HOSTS[main.value])
    return completed


def _accounts_in(values: dict[str, SourcedValue]) -> list[str]:
    """Return the paths that accounts' keys lie below, the main one's first."""
    return [path.removesuffix(".login") for path in values if path.endswith(".login")]


def _contradictions(parent: str, values: dict[str, SourcedValue], login: Login) -> Iterator[str]:
    """Yield a problem for each setting of the account at *parent* that *login* does not allow."""
    token, url = values[f"{parent}.access_token"], values["instagram.graph_url"]
    if not token.value:
        return
    look, host = login_of_token(token.value), login_of_host(url.value or "")
    if look is not None and look != login:
        yield messages.wrong_login(token.path, LOOKS[look], f"{parent}.login", login, look)
        return
    if host is not None and host != login:
        yield messages.wrong_host(url.path, HOSTS[host], token.path, LOOKS[login], HOSTS[login])
    account_id = values[f"{parent}.account_id"]
    if login == "unified" and not (account_id.value or account_id.unfit):
        yield messages.missing(
            account_id.path,
            "set the professional account's id, which webhooks carry as entry.id",
            "and login unified needs it",
        )
