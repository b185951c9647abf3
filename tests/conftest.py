"""What every test may use."""

from __future__ import annotations

import pytest
import structlog


@pytest.fixture(autouse=True)
def _fresh_log_context():
    """Forget what a test bound to the log."""
    structlog.contextvars.clear_contextvars()
    yield
    structlog.reset_defaults()
