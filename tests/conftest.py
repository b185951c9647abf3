"""What every test may use."""

from __future__ import annotations

import signal

import pytest
import structlog


def pytest_configure():
    """Hear SIGINT: what a shell runs in its background is deaf to it, and so are its children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _fresh_log_context():
    """Forget what a test bound to the log."""
    structlog.contextvars.clear_contextvars()
    yield
    structlog.reset_defaults()
