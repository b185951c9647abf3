"""The shape of a value: the name of its type, never what it says."""

from __future__ import annotations

from collections import deque
from types import FrameType

_BATCHES = (list, tuple, set, frozenset, deque)
_PLAIN = (bytes, str, dict)


def shape(value: object, package: str) -> str:
    """
    Return the name of the type of *value*, empty if it tells nothing.

    That are the types of *package*, bytes, text and JSON objects, and batches of them.
    """
    kind = type(value)
    if isinstance(value, _BATCHES) and kind in _BATCHES:
        first = shape(next(iter(value), None), package)
        return f"{kind.__name__}[{first}]" if first else ""
    is_ours = kind.__module__.partition(".")[0] == package
    return kind.__name__ if is_ours or kind in _PLAIN else ""


def yielded(frame: FrameType) -> str:
    """
    Return the type that the async generator in *frame* is declared to yield, empty if unknown.

    Its values are wrapped where a profile function could see them.
    """
    found: object = frame.f_globals
    for name in frame.f_code.co_qualname.split("."):
        found = found.get(name) if isinstance(found, dict) else getattr(found, name, None)
    declared = str(getattr(found, "__annotations__", {}).get("return", ""))
    return declared.partition("[")[2].rpartition("]")[0].replace("None", "")
