"""The conversation on a terminal."""

from __future__ import annotations

import textwrap

import click

_WIDTH = 84
_LINES = 3  # of a long message


def asked(text: str) -> str:
    """Return what the person wrote."""
    return _speech("→ you:", text, "magenta")


def answered(text: str, milliseconds: float) -> str:
    """Return a piece of the answer, with the time since the question."""
    return _speech("← shop:", text, "blue") + click.style(f"  +{milliseconds:.0f} ms", dim=True)


def happened(what: str, milliseconds: float) -> str:
    """Return something that is not said, like `seen`."""
    return click.style(f"          {what}  +{milliseconds:.0f} ms", dim=True)


def failed(why: str) -> str:
    """Return why a step did not work."""
    return click.style(f"  ✗ {why}", fg="red", bold=True)


def fact(name: str, value: str) -> str:
    """Return a line of the heading."""
    return f"  {click.style(f'{name:<10}', dim=True)} {value}"


def _speech(who: str, text: str, colour: str) -> str:
    """Return *text* under *who*; of a long one its beginning and its size."""
    lines = textwrap.wrap(" ".join(text.split()), _WIDTH)
    shown = lines[:_LINES]
    if len(lines) > _LINES:
        shown[-1] += f" … ({len(text.encode()):,} bytes)"
    indent = "\n" + " " * 10
    return f"  {click.style(f'{who:<7}', fg=colour, bold=True)} {indent.join(shown)}"
