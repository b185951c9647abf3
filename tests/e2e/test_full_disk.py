"""A disk that is full: the readiness probe says so, and takes that back by itself."""

from __future__ import annotations

import sys
from http import HTTPStatus

import aiohttp
import pytest

from tests.support.stage import Stage, open_stage

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="prlimit is Linux's")


@pytest.fixture
async def stage(tmp_path):
    async with open_stage(tmp_path) as stage:
        yield stage


async def readiness(stage: Stage) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{stage.service.url}/readyz") as response,
    ):
        return response.status


async def test_a_full_disk_turns_the_readiness_probe_red_until_there_is_room(stage):
    igsid = stage.person()

    stage.service.fill_disk()
    full = [await readiness(stage) for _ in range(3)]
    stage.service.free_disk()

    assert full == [HTTPStatus.SERVICE_UNAVAILABLE] * 3
    assert await readiness(stage) == HTTPStatus.OK
    stage.meta.phones.say(igsid, "hello")
    await stage.until_answered(igsid)


async def test_a_disk_that_fills_up_after_a_message_is_seen_by_the_second_probe(stage):
    igsid = stage.person()
    stage.meta.phones.say(igsid, "hello")
    await stage.until_answered(igsid)

    stage.service.fill_disk()
    await readiness(stage)

    assert await readiness(stage) == HTTPStatus.SERVICE_UNAVAILABLE
    stage.service.free_disk()
    assert await readiness(stage) == HTTPStatus.OK
