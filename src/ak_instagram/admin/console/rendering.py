"""Rendering: templates, the formats of times and numbers, small charts, and the pages' policy."""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import Response

HERE = Path(__file__).parent
STATIC = HERE / "static"
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_CHART = (240, 36)  # user units of a chart's width and height
_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
    "connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def render(template: str, status: int = 200, /, **values: Any) -> Response:  # noqa: ANN401 - whatever it shows
    """Return the page that *template* makes of *values*, with a policy for it alone."""
    nonce = secrets.token_urlsafe(16)
    body = fragment(template, nonce=nonce, **values)
    headers = {**HEADERS, "Content-Security-Policy": _POLICY.format(nonce=nonce)}
    return Response(body, status, headers, "text/html")


def fragment(template: str, **values: Any) -> str:  # noqa: ANN401 - as above
    """Return what *template* makes of *values*."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "clock": clock,
        "moment": moment,
        "seconds": seconds,
        "count": count,
        "part": lambda text: quote(text, safe=""),
    }
    environment.globals |= {"chart": chart, "stylesheet": stylesheet}
    return environment


@cache
def stylesheet() -> Markup:
    """Return the stylesheet, for the one page that is shown to those who may load nothing."""
    return Markup((STATIC / "console.css").read_text(encoding="utf-8"))  # noqa: S704 - a file of ours


def clock(at: int | None) -> str:
    """Return the time of day of *at* (UTC ms), to the second."""
    return "" if at is None else _utc(at).strftime("%H:%M:%S")


def moment(at: int | None) -> str:
    """Return *at* (UTC ms) as date and time, to the second."""
    return "" if at is None else _utc(at).strftime("%Y-%m-%d %H:%M:%S")


def _utc(at: int) -> datetime:
    # Meta's times are whatever was sent; what no calendar has is shown as its end.
    return datetime.fromtimestamp(min(max(at, 0), 253_402_300_799_000) / 1000, UTC)


def seconds(value: float | None) -> str:
    """Return a span of *value* seconds as people say it."""
    if value is None:
        return "none"
    if math.isinf(value):
        return "> 2 min"
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < _MINUTE:
        return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
    if value < _HOUR:
        return f"{value // _MINUTE:.0f} min {value % _MINUTE:.0f} s"
    if value < _DAY:
        return f"{value // _HOUR:.0f} h {value % _HOUR // _MINUTE:.0f} min"
    return f"{value // _DAY:.0f} d {value % _DAY // _HOUR:.0f} h"


def count(value: float, most: int | None = None) -> str:
    """Return *value* as a count; *most* of them means so many or more."""
    if most is not None and value >= most:
        return f"{most:,}+"
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def chart(values: Sequence[float], label: str) -> Markup:
    """Return *values* as a small area, oldest first; *label* is said in its place."""
    width, height = _CHART
    top = max([*values, 1.0])
    step = width / max(len(values) - 1, 1)
    points = " ".join(
        f"L{i * step:.1f},{height - 1 - it / top * (height - 2):.1f}" for i, it in enumerate(values)
    )
    end = f"{(len(values) - 1) * step:.1f}"
    return Markup(
        '<svg class="chart" viewBox="0 0 {w} {h}" preserveAspectRatio="none" role="img"'
        ' aria-label="{label}"><path class="area" d="M0,{h} {points} L{end},{h} Z"/>'
        '<path class="line" d="M{first}"/></svg>'
    ).format(w=width, h=height, label=label, points=points, end=end, first=points[1:])
