"""Our lines and the libraries' come out in one format, on one stream, without secrets."""

from __future__ import annotations

import io
import json
import logging
import re

import pytest
import structlog

from ak_instagram import logs


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def restore():
    """Logging belongs to the process: give it back as it was."""
    root, uvicorn, access = (
        logging.getLogger(it) for it in ("", "uvicorn.error", "uvicorn.access")
    )
    before = root.handlers, root.level, uvicorn.level, access.disabled
    yield
    root.handlers, root.level, uvicorn.level, access.disabled = before
    structlog.reset_defaults()


@pytest.fixture
def stream():
    return io.StringIO()


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_time_level_and_event_in_front(stream):
    logs.configure("info", "auto", stream)

    structlog.get_logger().info("webhook.received", events=2, ms=1.5, account=None)

    (line,) = lines(stream)
    assert list(line) == ["timestamp", "level", "event", "events", "ms", "account"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line.pop("timestamp"))
    assert line == {
        "level": "info",
        "event": "webhook.received",
        "events": 2,
        "ms": 1.5,
        "account": None,
    }


def test_the_context_of_the_claim_is_on_its_lines(stream):
    logs.configure("info", "auto", stream)

    with structlog.contextvars.bound_contextvars(conversation="c1"):
        structlog.get_logger().info("turn.answered")

    assert lines(stream)[0]["conversation"] == "c1"


@pytest.mark.parametrize(
    ("level", "events"),
    [
        pytest.param("debug", ["debug", "info", "warning", "error"], id="debug"),
        pytest.param("info", ["info", "warning", "error"], id="info"),
        pytest.param("error", ["error"], id="error"),
    ],
)
def test_nothing_below_the_level_is_logged(stream, level, events):
    logs.configure(level, "auto", stream)
    log = structlog.get_logger()

    for name in ("debug", "info", "warning", "error"):
        getattr(log, name)(name)

    assert [line["event"] for line in lines(stream)] == events


@pytest.mark.parametrize(
    ("wanted", "stream", "is_json", "is_coloured"),
    [
        pytest.param("auto", io.StringIO(), True, False, id="auto-elsewhere"),
        pytest.param("auto", Terminal(), False, True, id="auto-on-a-terminal"),
        pytest.param("json", Terminal(), True, False, id="json-on-a-terminal"),
        pytest.param("console", io.StringIO(), False, False, id="console-elsewhere"),
    ],
)
def test_the_format_follows_the_stream_unless_it_is_set(wanted, stream, is_json, is_coloured):
    logs.configure("info", wanted, stream)

    structlog.get_logger().info("service.started")

    assert stream.getvalue().startswith("{") is is_json
    assert ("\x1b[" in stream.getvalue()) is is_coloured


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["json", "console"])
def test_an_exception_is_rendered_without_local_variables(stream):
    logs.configure("info", "auto", stream)

    try:
        hidden = "what-a-person-wrote"
        raise LookupError(len(hidden))
    except LookupError:
        structlog.get_logger().exception("turn.crashed")

    assert "LookupError: 19" in stream.getvalue()
    assert "what-a-person-wrote" not in stream.getvalue()


def test_libraries_are_heard_from_warnings_up(stream):
    logs.configure("debug", "auto", stream)

    logging.getLogger("aiohttp.client").info("unheard")
    logging.getLogger("aiohttp.client").warning("slow: %s s", 5)

    (line,) = lines(stream)
    assert (line["level"], line["event"], line["logger"]) == (
        "warning",
        "slow: 5 s",
        "aiohttp.client",
    )


def test_uvicorn_tells_its_start_but_not_its_requests(stream):
    logs.configure("info", "auto", stream)

    logging.getLogger("uvicorn.error").info("Application startup complete.")
    logging.getLogger("uvicorn.access").error("GET /instagram/webhook?hub.verify_token=x")

    assert [line["event"] for line in lines(stream)] == ["Application startup complete."]


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["json", "console"])
def test_secrets_are_masked_in_every_line_and_traceback(stream):
    logs.configure("info", "auto", stream, secrets=["the-configured-secret"])

    structlog.get_logger().info("x", url="https://g/me?access_token=abcdef&fields=id")
    logging.getLogger("asyncio").error("posted with Bearer abcdef")
    text = "refused the-configured-secret and IGAAabcdefabcdefabcdef"
    try:
        raise ValueError(text)
    except ValueError:
        structlog.get_logger().exception("y")
        logging.getLogger("asyncio").exception("z")

    assert stream.getvalue().count("ValueError: refused *** and ***") == 2
    assert "abcdef" not in stream.getvalue()
    assert "the-configured-secret" not in stream.getvalue()
    assert "fields=id" in stream.getvalue()


def test_lines_go_to_stdout_when_no_stream_is_given(capsys):
    logs.configure("info", "auto")

    structlog.get_logger().info("service.started")

    assert '"event":"service.started"' in capsys.readouterr().out
