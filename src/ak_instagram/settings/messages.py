"""
Messages about problems: one line each, with the key, what is wrong, and the fix.

No line quotes a secret; of other values only short ones are shown, since a token may
have been set in the wrong place. *where* is a `label` or the name of a variable.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from .keys import Key, plain, variable
from .value_types import Unfit

_SHOWN = 16  # characters; every token and app secret is longer


def label(path: str) -> str:
    """Return *path* with its variable, as both are needed to find it again."""
    return f"{path} ({variable(path)})"


def missing(path: str, fix: str, why: str = "") -> str:
    """Say that *path* has to be set, and *why* if that depends."""
    return f"{label(path)}: is missing{why and f', {why}'}; {fix}"


def unfit(where: str, key: Key, reason: ValueError, raw: object) -> str:
    """Say why the value *raw* won't do."""
    text = str(raw)
    is_shown = not key.secret and len(text) <= _SHOWN and not isinstance(raw, (dict, list))
    seen = f", not {text!r}" if is_shown else ""
    example = reason.example if isinstance(reason, Unfit) else key.example or plain(key.default)
    return f"{where}: {reason}{seen}{f'; for example {example}' if example else ''}"


def unknown(path: str, siblings: list[str]) -> str:
    """Say that *path* is no setting, and which of its *siblings* may be meant."""
    parent, _, name = path.rpartition(".")
    nearest = get_close_matches(name, siblings, n=1, cutoff=0.5)
    if nearest:
        return f"{label(path)}: is not a setting; did you mean {label(f'{parent}.{nearest[0]}')}?"
    return f"{label(path)}: is not a setting; {parent} has {', '.join(siblings)}"


def repeated_token(path: str, first: str) -> str:
    """Say that the account at *path* has the token of the one at *first*."""
    return f"{label(path)}: is the token of {first} too; list an account once"


def wrong_login(path: str, look: str, login_path: str, login: str, meant: str) -> str:
    """Say that the token at *path*, which begins as *look*, is of another login than is set."""
    return (
        f"{label(login_path)}: is {login}, but the token of {path} is of the other login ({look});"
        f" set it to {meant}, take it out, or use another token"
    )


def wrong_host(path: str, host: str, token_path: str, look: str, meant: str) -> str:
    """Say that the tokens that begin as *look* are not for the *host* set at *path*."""
    return (
        f"{label(path)}: is {host}, where the token of {token_path} ({look}) is not valid;"
        f" take it out, or set {meant}"
    )


def no_section(name: str, nearest: str) -> str:
    """Say that *name*, which looks like the section *nearest*, is none."""
    return f"{label(name)}: is not a section; did you mean {label(nearest)}?"


def one_underscore(name: str, path: str) -> str:
    """Say that the variable *name* lacks the underscore that makes it set *path*."""
    return f"{name}: sets nothing, since nesting takes two underscores; write {variable(path)}"


def no_adapter_set(ways: Iterable[str], choices: str) -> str:
    """Say that no adapter is set or implied, which *ways* imply one, and which *choices* are."""
    fix = f"set {', '.join(ways)}, or agent.adapter to one of {choices}"
    return f"{label('agent.adapter')}: is not set and can't be inferred; {fix}"


def not_a_mapping(path: str) -> str:
    """Say that *path* holds a value where keys should be."""
    return f"{label(path)}: must hold keys, not a value; indent its keys below it"


def several(places: list[str]) -> str:
    """Say that *places* set the same thing."""
    return f"{places[0]}: is set beside {' and '.join(places[1:])}; keep one of them"


def unreadable_secret(where: str, reason: str) -> str:
    """Say that the file named at *where* gives no secret; the name may be a secret by mistake."""
    return f"{where}: the file {reason}; name a readable one that holds the secret alone"


def unreadable_file(path: Path, exc: Exception) -> str:
    """Say why the settings file can't be read; YAML's own words stay out, for they quote it."""
    if isinstance(exc, OSError):
        why = str(exc.strerror)
    elif isinstance(exc, UnicodeDecodeError):
        why = "it is not UTF-8"
    elif isinstance(exc, ValueError):
        why = str(exc)
    elif mark := getattr(exc, "problem_mark", None):
        why = f"line {mark.line + 1}, column {mark.column + 1} is not valid YAML"
    else:
        why = "it does not hold sections such as `instagram:` with keys below"
    return f"{path}: can't be used as the settings file, {why}; correct it or its path"
