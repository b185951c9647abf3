"""Typed values by path become the frozen settings."""

from __future__ import annotations

from typing import Any

from . import values as v
from .reading import Values
from .rules import of_accounts


def build(values: Values) -> v.Settings:
    """Return the settings that *values*, which have no problem left, make."""
    return v.Settings(
        instagram=_instagram(values),
        agent=v.Agent(**_section("agent", values)),
        store=v.Store(**_section("store", values)),
        server=v.Server(**_section("server", values)),
        admin=v.Admin(**_section("admin", values)),
        conversation=v.Conversation(**_section("conversation", values)),
        sender=v.Sender(**_section("sender", values)),
        logs=v.Logs(**_section("logs", values)),
    )


def app_secrets(values: Values) -> tuple[str, ...]:
    """Return the secrets of all accounts without repeats, in their order."""
    secrets = [secret for found in of_accounts("app_secret", values) for secret in found.value]
    return tuple(dict.fromkeys(secrets))


def _section(section: str, values: Values) -> dict[str, Any]:
    """Return the values of the keys right below *section* by their last names."""
    return {
        found.key.last: found.value
        for path, found in values.items()
        if path == f"{section}.{found.key.last}"
    }


def _instagram(values: Values) -> v.Instagram:
    main = _section("instagram", values)
    return v.Instagram(
        verify_token=main["verify_token"],
        accounts=_accounts(values),
        app_secrets=app_secrets(values),
        api_version=main["api_version"],
        graph_url=main["graph_url"].rstrip("/"),
    )


def _accounts(values: Values) -> tuple[v.Account, ...]:
    """Return the main account, if it has a token, and the further ones."""
    further = range(len(values["instagram.accounts"].value))
    parents = ["instagram", *(f"instagram.accounts[{index}]" for index in further)]
    default_agent = values["instagram.agent"].value
    return tuple(
        v.Account(
            access_token=account["access_token"],
            account_id=account["account_id"],
            agent=account["agent"] or default_agent or None,
        )
        for account in (_section(parent, values) for parent in parents)
        if account["access_token"]
    )
