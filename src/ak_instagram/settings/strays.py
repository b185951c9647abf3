"""Names that look like ours, are not, and would be passed over in silence."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from . import problems as say
from .keys import PREFIX, variable
from .sources import Sources
from .table import KEYS, SECTIONS


def find_strays(sources: Sources, environ: Mapping[str, str]) -> list[str]:
    """Return a problem for each name that looks like one of ours and would be passed over."""
    sections = {*sources.sections, *_sections_of(environ)}
    return [*_strange_sections(sections), *_single_underscores(environ)]


def _sections_of(environ: Mapping[str, str]) -> set[str]:
    """Return the sections that variables with our prefix name, ours and others'."""
    names = (name.removeprefix(PREFIX) for name in environ if name.startswith(PREFIX))
    return {name.partition("__")[0].lower() for name in names if "__" in name}


def _strange_sections(sections: set[str]) -> list[str]:
    """Return a problem for each section that is very close to one of ours but isn't."""
    return [
        say.no_section(name, near[0])
        for name in sorted(sections - set(SECTIONS))
        if (near := get_close_matches(name, SECTIONS, n=1, cutoff=0.85))
    ]


def _single_underscores(environ: Mapping[str, str]) -> list[str]:
    """
    Return a problem for each variable that is a key of ours but for an underscore.

    Kubernetes sets AK_SERVER_PORT=tcp://… by itself when a Service is called `ak-server`.
    """
    names = (key.name for key in KEYS)
    slips = {variable(name).replace("__", "_"): name for name in names}
    return [
        say.one_underscore(name, slips[name])
        for name in sorted(slips.keys() & environ.keys())
        if not environ[name].startswith("tcp://")
    ]
