"""A recording for people: the main line as a table, every call as a tree, the busiest borders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from .counts import changes, count
from .recording import Call

_BUSIEST = 15


def section(calls: Sequence[Call]) -> str:
    """
    Return the main line in Markdown: the modules in the order in which *calls* came to them.

    With each are the functions that others called there, and the shapes that these gave.
    """
    modules = list(dict.fromkeys(call.module for call in calls))
    rows = [_row(step, module, calls) for step, module in enumerate(modules, start=1)]
    head = ["| | file | called there | shape after it |", "|---|---|---|---|"]
    return "\n".join([*head, *rows, "", f"{summary(calls)}"])


def summary(calls: Sequence[Call]) -> str:
    """Return the figures in a line."""
    it = count(calls)
    return (
        f"{it.calls} calls of {it.functions} functions in {it.modules} modules,"
        f" {it.changes} changes of module."
    )


def tree(calls: Sequence[Call]) -> str:
    """Return a line for each of *calls*, indented; `~` is a coroutine that goes on."""
    return "\n".join(_line(call) for call in calls)


def borders(calls: Sequence[Call]) -> str:
    """Return the pairs of modules that *calls* changed between most often."""
    busiest = changes(calls).most_common(_BUSIEST)
    return "\n".join(f"{times:5}  {before} → {after}" for (before, after), times in busiest)


def _row(step: int, module: str, calls: Sequence[Call]) -> str:
    entries = list(_entries(module, calls))
    functions = dict.fromkeys(call.function for call in entries if "<" not in call.function)
    shapes = dict.fromkeys(call.gives for call in entries if call.gives)
    return f"| {step} | `{module}` | {_listed(functions)} | {_listed(shapes)} |"


def _entries(module: str, calls: Sequence[Call]) -> Iterator[Call]:
    """Yield the calls that came to *module* from elsewhere, without those that went on."""
    for call in calls:
        if call.module == module and call.caller != module and not call.is_resumed:
            yield call


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _line(call: Call) -> str:
    name = f"{'  ' * call.depth}{'~' * call.is_resumed}{call.function}"
    shapes = f"({', '.join(call.takes)})" + (f" → {call.gives}" if call.gives else "")
    return f"{call.module:32} {name}{'' if call.is_resumed else shapes}"
