"""What the settings must fulfil together."""

from __future__ import annotations

from . import problems as say
from .reading import Found, Values


def broken_rules(values: Values) -> list[str]:
    """Return a problem for each rule about several keys that *values* break."""
    return [*_missing(values), *_unsigned(values), *_repeated_tokens(values)]


def _missing(values: Values) -> list[str]:
    """Return a problem for each required key that is not set."""
    return [
        say.missing(path, found.key.required)
        for path, found in values.items()
        if found.key.required and not found.is_set and not _is_spared(path, values)
    ]


def _is_spared(path: str, values: Values) -> bool:
    """Whether *path* is the main account's token and other accounts stand in for it."""
    return path == "instagram.access_token" and bool(values["instagram.accounts"].value)


def _unsigned(values: Values) -> list[str]:
    """Return a problem when signatures are required and no secret can check them."""
    is_required = values["instagram.require_signature"].value
    secrets = of_accounts("app_secret", values)
    if not is_required or any(found.value or found.unfit for found in secrets):
        return []
    fix = (
        "set the Instagram app secret (App Dashboard > API setup with Instagram login), not the one"
        " under App settings > Basic"
    )
    why = "and instagram.require_signature is true"
    return [say.missing("instagram.app_secret", fix, why)]


def _repeated_tokens(values: Values) -> list[str]:
    """Return a problem for each account whose token an earlier account has."""
    tokens = [found for found in of_accounts("access_token", values) if found.value]
    first = {found.value: found.path for found in reversed(tokens)}
    return [
        f"{say.label(found.path)}: is the token of {first[found.value]} too; list an account once"
        for found in tokens
        if found.path != first[found.value]
    ]


def of_accounts(last: str, values: Values) -> list[Found]:
    """Return what was found for the key *last* of every account, the main one first."""
    return [
        found
        for path, found in values.items()
        if path.startswith("instagram.") and path.endswith(f".{last}")
    ]
