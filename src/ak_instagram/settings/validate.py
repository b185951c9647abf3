"""
Validation of what no key can say alone: unknown names, rules about several keys, the adapter.

Each adapter declares what it needs as an `Adapter`; the declarations come in as an argument.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, TypeAlias

from . import messages
from .keys import FILE, PREFIX, variable
from .model import KEYS, SECTIONS
from .sources import RawValue, SourcedValue

Values: TypeAlias = dict[str, SourcedValue]

# --- names ------------------------------------------------------------------


def unknown_names(sections: Mapping[str, Any], environ: Mapping[str, str]) -> list[str]:
    """
    Return a problem for each name that looks like one of ours and would be passed over.

    These are *sections* whose name is close to one of ours, and variables that lack an
    underscore. Kubernetes sets AK_SERVER_PORT=tcp://… by itself when a Service is called
    `ak-server`.
    """
    ours = (name.removeprefix(PREFIX) for name in environ if name.startswith(PREFIX))
    named = {name.partition("__")[0].lower() for name in ours if "__" in name}
    slips = {variable(key.name).replace("__", "_"): key.name for key in KEYS}
    return [
        *(
            messages.no_section(name, near[0])
            for name in sorted({*sections, *named} - {*SECTIONS})
            if (near := get_close_matches(name, SECTIONS, n=1, cutoff=0.85))
        ),
        *(
            messages.one_underscore(name, slips[name])
            for name in sorted(slips.keys() & environ.keys())
            if not environ[name].startswith("tcp://")
        ),
    ]


# --- rules ------------------------------------------------------------------


def broken_rules(values: Values) -> list[str]:
    """Return a problem for each rule about several keys that *values* break."""
    return [*missing_keys(values), *unsigned(values), *repeated_tokens(values)]


def missing_keys(values: Values) -> Iterator[str]:
    """Yield a problem for each required key that is not set; further accounts spare the main's."""
    spared = "instagram.access_token" if values["instagram.accounts"].value else ""
    for path, each in values.items():
        if each.key.required and not each.is_set and path != spared:
            yield messages.missing(path, each.key.required)


def unsigned(values: Values) -> Iterator[str]:
    """Yield a problem when signatures are required and no secret can check them."""
    is_required = values["instagram.require_signature"].value
    secrets = _of_accounts("app_secret", values)
    if is_required and not any(each.value or each.unfit for each in secrets):
        fix = (
            "set the Instagram app secret (App Dashboard > API setup with Instagram login), not "
            "the one under App settings > Basic"
        )
        why = "and instagram.require_signature is true"
        yield messages.missing("instagram.app_secret", fix, why)


def repeated_tokens(values: Values) -> Iterator[str]:
    """Yield a problem for each account whose token an earlier account has."""
    tokens = [each for each in _of_accounts("access_token", values) if each.value]
    first = {each.value: each.path for each in reversed(tokens)}
    for each in tokens:
        if each.path != first[each.value]:
            yield messages.repeated_token(each.path, first[each.value])


def _of_accounts(last: str, values: Values) -> list[SourcedValue]:
    """Return the key *last* of every account, the main one first."""
    return [
        each
        for path, each in values.items()
        if path.startswith("instagram.") and path.endswith(f".{last}")
    ]


# --- the adapter ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Adapter:
    """
    An agent's adapter, as far as it can be known before its module is imported.

    *factory* is the `module:object` that makes the agent. *needs* takes the agent's URL and
    returns the keys that have to be set, each with what to do when it is not. *url* is used
    when `agent.url` is not set. *api_key* is a variable from outside that stands in for
    `agent.api_key`. When `agent.adapter` is not set, *implied_by*, a key or variable, chooses
    this adapter; *speaks_to* says in words whom it asks. *stands_in_for* are adapters of
    later versions.
    """

    factory: str
    needs: Callable[[str | None], Mapping[str, str]] = lambda _url: {}
    url: str | None = None
    api_key: str = ""
    implied_by: str = ""
    speaks_to: str = ""
    stands_in_for: tuple[str, ...] = ()


def complete_agent(
    values: Values,
    environ: Mapping[str, str],
    adapters: Mapping[str, Adapter],
    problems: list[str],
) -> Values:
    """Return *values* with the adapter inferred and what it fills in; it says what it lacks."""
    chosen = _infer_adapter(values, environ, adapters)
    name = chosen.value or ""
    if not chosen.is_set:
        ways = [f"{it.implied_by} for {it.speaks_to}" for it in adapters.values() if it.implied_by]
        problems.append(messages.no_adapter_set(adapters, ways))
    elif name and name not in adapters and not re.fullmatch(r"[\w.]+:[\w.]+", name):
        problems.append(no_adapter(name, adapters))
    values = {**values, "agent.adapter": chosen}
    adapter = adapters.get(name, Adapter(name))  # a plug-in needs nothing that is known here
    if adapter.api_key and not values["agent.api_key"].is_set:
        values["agent.api_key"] = _outside_key(values["agent.api_key"], adapter, environ, problems)
    if adapter.url and not values["agent.url"].is_set:
        values["agent.url"] = replace(values["agent.url"], value=adapter.url)
    problems += [
        messages.missing(path, fix, f"and the adapter {name} needs it")
        for path, fix in adapter.needs(values["agent.url"].value).items()
        if not values[path].is_set
    ]
    return values


def _infer_adapter(
    values: Values, environ: Mapping[str, str], adapters: Mapping[str, Adapter]
) -> SourcedValue:
    """Return the adapter that was set, else the first that another setting implies."""
    chosen = values["agent.adapter"]
    if chosen.is_set:
        return chosen
    for name, adapter in adapters.items():
        sign = adapter.implied_by
        is_set = values[sign].is_set if sign in values else bool(_set_variables(sign, environ))
        if is_set:
            return replace(chosen, value=name, source=f"inferred from {sign}")
    return chosen


def no_adapter(name: str, adapters: Mapping[str, Adapter]) -> str:
    """Return the problem with an `agent.adapter` *name* that is not among *adapters*."""
    instead = (each for each, adapter in adapters.items() if name in adapter.stands_in_for)
    return messages.no_adapter(name, adapters, next(instead, ""))


def _outside_key(
    api_key: SourcedValue, adapter: Adapter, environ: Mapping[str, str], problems: list[str]
) -> SourcedValue:
    """Return *api_key* from the variable that *adapter* names, or from the file it names."""
    names = _set_variables(adapter.api_key, environ)
    if not names:
        return api_key
    if len(names) > 1:
        problems.append(messages.several(names))
    name = names[0]
    raw = RawValue(environ[name], where=name, source=name, names_file=name != adapter.api_key)
    return raw.read(api_key.path, api_key.key, problems)


def _set_variables(name: str, environ: Mapping[str, str]) -> list[str]:
    """Return which are set of the variable *name* and the one that names its file, if any."""
    return [each for each in (name, name + FILE.upper()) if name and environ.get(each)]
