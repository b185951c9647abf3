"""One running stage for all tests of a module, and stages of their own for those that break it."""

from __future__ import annotations

from dataclasses import asdict

import pytest
import pytest_asyncio

from instagram_simulator import Behaviour
from tests.support.stage import Stage, open_stage


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running_stage(request, tmp_path_factory):
    """The module's stage, with what the module says in `SETTINGS`."""
    settings = getattr(request.module, "SETTINGS", {})
    async with open_stage(tmp_path_factory.mktemp("stage"), **settings) as stage:
        yield stage


@pytest.fixture
def stage(running_stage: Stage):
    """The module's stage as new: no faults, no orders, nothing private in the log."""
    yield running_stage
    running_stage.meta.heal()
    running_stage.meta.switch(**asdict(Behaviour()))
    running_stage.agent.forget()
    assert running_stage.leaks() == []
