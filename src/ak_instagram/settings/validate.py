"""
Validation of what no key can say alone: unknown names, rules about several keys, the adapter.

Each adapter says itself what it needs; those that there are come in as `Adapters`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, Protocol, TypeAlias

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


_FOR_CONNECT = {
    "server.public_url": "set where owners reach the service, as https://dm.example.com",
    "instagram.app_secret": "set the Instagram app's secret, as the first if there are several",
    "store.encryption_key": "set it to the output of `openssl rand -base64 32`",
}


def broken_rules(values: Values) -> list[str]:
    """Return a problem for each rule about several keys that *values* break."""
    return [
        *missing_keys(values),
        *unsigned(values),
        *repeated_tokens(values),
        *lacking_for_connect(values),
    ]


def missing_keys(values: Values) -> Iterator[str]:
    """
    Yield a problem for each required key that is not set.

    The main account has no need of a token where there are further accounts, or where some can
    be connected.
    """
    has_others = values["instagram.accounts"].value or values["instagram.app_id"].value
    spared = "instagram.access_token" if has_others else ""
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


def lacking_for_connect(values: Values) -> Iterator[str]:
    """Yield a problem for each setting that connecting accounts lacks, if that is switched on."""
    if not values["instagram.app_id"].value:
        return
    for path, fix in _FOR_CONNECT.items():
        if not (values[path].value or values[path].unfit):
            yield messages.missing(path, fix, "and instagram.app_id needs it")


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


class AdapterNeeds(Protocol):
    """The settings that an adapter requires."""

    @property
    def default_url(self) -> str | None:
        """What stands for an `agent.url` that is not set."""

    @property
    def key_variable(self) -> str | None:
        """The environment variable that may stand for `agent.api_key`."""

    @property
    def url_variable(self) -> str | None:
        """The environment variable that may stand for `agent.url`."""

    def required(self, url: str | None, /) -> Iterable[tuple[str, str]]:
        """Return the keys required when `agent.url` is *url*, each with its fix."""


class Adapters(Protocol):
    """
    The adapters that there are, which `agents.registry` knows.

    *IMPLIED* has the keys and variables that imply an adapter when none is set, with it and
    what it asks.
    """

    IMPLIED: Mapping[str, tuple[str, str]]

    def choices(self) -> str:
        """Return all that `agent.adapter` may be, in words."""

    def is_adapter(self, name: str, /) -> bool:
        """Return whether *name* may be one."""

    def adapter_needs(self, adapter: str, /) -> AdapterNeeds:
        """Return what *adapter* requires, which is nothing for a plug-in."""

    def no_adapter(self, name: str, /) -> str:
        """Say that there is no adapter *name*, and what to use."""


def complete_agent(
    values: Values, environ: Mapping[str, str], adapters: Adapters, problems: list[str]
) -> Values:
    """Return *values* with the adapter inferred and its defaults; what is missing is a problem."""
    adapter = _infer_adapter(values, environ, adapters)
    name = adapter.value or ""
    if not adapter.is_set:
        ways = [f"{sign} for {asks}" for sign, (_, asks) in adapters.IMPLIED.items()]
        problems.append(messages.no_adapter_set(ways, adapters.choices()))
    elif name and not adapters.is_adapter(name):
        problems.append(f"{messages.label('agent.adapter')}: {adapters.no_adapter(name)}")
    values = {**values, "agent.adapter": adapter}
    needs = adapters.adapter_needs(name)
    if needs.key_variable and not values["agent.api_key"].is_set:
        values["agent.api_key"] = _key_of(
            needs.key_variable, values["agent.api_key"], environ, problems
        )
    url = values["agent.url"]
    if needs.url_variable and not url.is_set and (raw := environ.get(needs.url_variable)):
        named = RawValue(raw, where=needs.url_variable, source=needs.url_variable)
        values["agent.url"] = named.read(url.path, url.key, problems)
    if needs.default_url and not values["agent.url"].is_set:
        values["agent.url"] = replace(values["agent.url"], value=needs.default_url)
    problems += [
        messages.missing(path, fix, f"and the adapter {name} needs it")
        for path, fix in needs.required(values["agent.url"].value)
        if not values[path].is_set
    ]
    return values


def _infer_adapter(values: Values, environ: Mapping[str, str], adapters: Adapters) -> SourcedValue:
    """Return the adapter that was set, else the first that another setting implies."""
    adapter = values["agent.adapter"]
    if adapter.is_set:
        return adapter
    for sign, (name, _) in adapters.IMPLIED.items():
        if values[sign].is_set if sign in values else _set_variables(sign, environ):
            return replace(adapter, value=name, source=f"inferred from {sign}")
    return adapter


def _key_of(
    named: str, api_key: SourcedValue, environ: Mapping[str, str], problems: list[str]
) -> SourcedValue:
    """Return *api_key* from the variable *named*, or from the file that `…_FILE` names, if set."""
    names = _set_variables(named, environ)
    if not names:
        return api_key
    if len(names) > 1:
        problems.append(messages.several(names))
    name = names[0]
    raw = RawValue(environ[name], where=name, source=name, names_file=name != named)
    return raw.read(api_key.path, api_key.key, problems)


def _set_variables(name: str, environ: Mapping[str, str]) -> list[str]:
    """Return which are set of the variable *name* and the one that names its file."""
    return [each for each in (name, name + FILE.upper()) if environ.get(each)]
