"""How far a campaign is, told every few seconds while it lasts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from qa.chaos.names import names_in
from qa.chaos.record import Record

EVERY = 5.0  # seconds


@asynccontextmanager
async def telling(
    look: Callable[[], str], tell: Callable[[str], None], every: float = EVERY
) -> AsyncIterator[None]:
    """Tell what *look* sees, again and again, while the block runs."""
    task = asyncio.create_task(_tell(look, tell, every))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _tell(look: Callable[[], str], tell: Callable[[str], None], every: float) -> None:
    while True:
        await asyncio.sleep(every)
        tell(look())


def describe(record: Record, arrived: Mapping[str, Sequence[str]]) -> str:
    """Return how many messages were written, asked and answered, and how many answers lack."""
    written = {name for said in record.said.values() for name in said}
    asked = {name for question in record.asked for name in question.names}
    answered = {name for texts in arrived.values() for text in texts for name in names_in(text)}
    return (
        f"{len(written)} messages written, {len(asked)} asked, {len(answered)} answered,"
        f" {len(written - answered)} left"
    )
