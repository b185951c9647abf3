"""Log lines: few and wide, JSON for machines and colours for a terminal, without secrets."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from . import fast_json
from .masking import Masking


def configure(
    level: str, form: str, stream: TextIO | None = None, secrets: Iterable[str] = ()
) -> None:
    """
    Send every log line from *level* up, ours and the libraries', to *stream* (stdout).

    *form* is `json`, `console`, or `auto`, which asks the stream. *secrets* are masked
    wherever they appear.
    """
    stream = stream or sys.stdout
    lowest = logging.getLevelNamesMapping()[level.upper()]
    # Our lines and the libraries' go through these alike.
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        Timestamp(),
    ]
    masking = Masking(secrets)
    is_json = form == "json" or (form == "auto" and not stream.isatty())
    last: list[Processor] = [masking, _to_json if is_json else _for_eyes(stream)]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, *last],
        wrapper_class=structlog.make_filtering_bound_logger(lowest),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    _route_standard_library(stream, lowest, shared, last)


class Timestamp:
    """
    A processor that adds the time, in UTC and ISO 8601.

    The text of a second is built once: on a busy service most lines share it.
    """

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Return the line with its time."""
        now = time.time_ns() // 1000
        second = now // 1_000_000
        if second != self._second:
            self._second = second
            self._text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        event["timestamp"] = f"{self._text}.{now % 1_000_000:06}Z"
        return event


def _for_eyes(stream: TextIO) -> Processor:
    """Return what makes a line for people: colours on a terminal, exceptions without locals."""
    return structlog.dev.ConsoleRenderer(
        colors=stream.isatty(),
        sort_keys=False,
        exception_formatter=structlog.dev.plain_traceback,
    )


def _to_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return fast_json.dump(event, default=repr).decode()


def _route_standard_library(
    stream: TextIO, level: int, shared: list[Processor], last: list[Processor]
) -> None:
    """Give the libraries' warnings and uvicorn's start and stop the same look."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                *last,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(level, logging.WARNING))
    logging.getLogger("uvicorn.error").setLevel(max(level, logging.INFO))
    logging.getLogger("uvicorn.access").disabled = True  # it logs the query, verify token and all
