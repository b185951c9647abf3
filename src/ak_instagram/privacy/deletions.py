"""The job that does what deletion requests ask for, a bounded piece of work at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog

from ak_instagram.errors import Transient
from ak_instagram.jobs import run_logged
from ak_instagram.store.database import Transactions
from ak_instagram.store.verbs.people import data, deletions
from ak_instagram.store.verbs.people.deletions import Deletion

log = structlog.get_logger()

FindAccount = Callable[[str], str | None]

EVERY = 60.0  # seconds after which another replica's requests are found
AGAIN = 5.0  # seconds after which somebody is tried again who was being answered
BREATHER = 0.1  # seconds between two pieces of work, in which webhooks have the store
AT_ONCE = 100  # people that are erased in one transaction


class Deletions:
    """
    Carries out the requests in *store*; `hurry` says that there is a new one.

    *account_of* returns the account that an id means, `None` if none of ours, and raises
    `errors.Transient` while that can't be told.
    """

    def __init__(
        self,
        store: Transactions,
        account_of: FindAccount,
        *,
        every: float = EVERY,
        again: float = AGAIN,
    ) -> None:
        self._store = store
        self._account_of = account_of
        self._every = every
        self._again = again
        self._news = asyncio.Event()

    def hurry(self) -> None:
        """Look at once."""
        self._news.set()

    async def run(self) -> None:
        """Do what is asked for, again and again; never return."""
        while True:
            self._news.clear()
            left: list[Deletion] = []
            was_read = await run_logged(self._do_all(left), failure="deletion.failed")
            with suppress(TimeoutError):
                async with asyncio.timeout(self._again if left or not was_read else self._every):
                    await self._news.wait()

    async def _do_all(self, left: list[Deletion]) -> None:
        """Do all requests; those that can't be finished yet are put into *left*."""
        for deletion in await self._store.run(deletions.pending):
            rows, is_done = await self._erase(deletion)
            if not is_done:
                left.append(deletion)
                continue
            await self._store.run(deletions.finish, deletion.code)
            if not rows:
                log.warning(
                    "deletion.unmatched",
                    reason="nothing is stored under the id that Meta named",
                    fix="if it is the owner of an account that is not configured any more, erase"
                    " the data of that account by hand",
                )
            log.info("deletion.done", rows=rows)

    async def _erase(self, deletion: Deletion) -> tuple[int, bool]:
        """Erase what *deletion* names; return how many rows went, and whether that is all."""
        try:
            account = deletion.account or self._account_of(deletion.contact)
        except Transient:  # whose id it is shows once Meta has told which accounts are ours
            return 0, False
        contacts = [deletion.contact]
        if account is not None:
            contacts = await self._store.run(data.contacts_of, account)
        rows, busy = 0, False
        for begin in range(0, len(contacts), AT_ONCE):
            some = contacts[begin : begin + AT_ONCE]
            erased = await self._store.run(data.erase, some, account)
            rows += erased.rows
            busy = busy or bool(erased.busy)
            await asyncio.sleep(BREATHER)
        return rows, not busy
