"""
The job that keeps the service from going deaf.

Meta unsubscribes an account without a word, and some messages get no webhook at all. So the
subscription is compared and restored, and conversations that changed are listed now and then:
what nobody knows yet goes into the same inbox. Replicas take turns; a round that is too long
goes on in the next one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from ak_instagram import metrics
from ak_instagram.delivery.accounts import IdentifiedAccount
from ak_instagram.jobs import run_logged
from ak_instagram.meta.graph.account_calls import AccountCalls
from ak_instagram.meta.graph.errors import GraphError
from ak_instagram.meta.threads import Own, ThreadPage, listed_messages
from ak_instagram.store.database import Transactions
from ak_instagram.store.values import WINDOW
from ak_instagram.store.verbs import sweeps
from ak_instagram.store.verbs.sweeps import Progress

log = structlog.get_logger()

FIRST_AFTER = 60.0  # seconds at most: a start has more urgent things to do
PACE = 1.0  # seconds between two calls; Meta allows two a second, and look-ups need some
MAX_PAGES = 60  # of one round
SETTLED_AFTER = 60.0  # seconds that a message's webhook may take before it counts as missed
_HOLD_MS = 60_000  # that a round keeps others away, from each of its pages on
OVERLAP = 60_000  # milliseconds that two rounds have in common: listed times are coarse
COMPARE_EVERY = 3600.0  # seconds between two looks at a subscription that seems to work
_COARSE_MS = 2_000  # a header tells the time in seconds
_BAD_PARAMETER = 100


@dataclass(frozen=True, slots=True)
class Swept:
    """
    The result of a round.

    *found* messages were new, in *pages* of conversations. With *is_done* nothing is left to
    look at; *error* is why it ended early, if Meta refused. *restored*: the account was not
    subscribed and is now.
    """

    found: int = 0
    pages: int = 0
    is_done: bool = False
    error: GraphError | None = None
    restored: bool = False


class Round:
    """A round that is under way: how far it has come, and what it has *found*."""

    def __init__(self, known: IdentifiedAccount, progress: Progress) -> None:
        self.known = known
        self.progress = progress
        self.found = 0
        self.pages = 0
        self.is_done = False


class Sweeper:
    """
    Looks for messages of one account at a time, over *calls*.

    *every* is the seconds until an account may be swept again. A message counts as missed
    when its webhook has not come after *settled_after* seconds. *pace* and *max_pages* bound
    a round; *sleep* waits.
    """

    def __init__(
        self,
        store: Transactions,
        calls: AccountCalls,
        every: float,
        *,
        settled_after: float = SETTLED_AFTER,
        pace: float = PACE,
        max_pages: int = MAX_PAGES,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._calls = calls
        self._every_ms = int(every * 1000)
        self._settled_ms = int(min(settled_after, every or settled_after) * 1000)
        self._pace = pace
        self._max_pages = max_pages
        self._sleep = sleep
        self._compared: dict[str, float] = {}

    async def sweep(self, known: IdentifiedAccount, *, in_turn: bool = True) -> Swept | None:
        """
        Look once for messages of the account *known*; `None` if it is not this process' turn.

        Without *in_turn* it looks whoever's turn it is. Raises `errors.StoreUnavailable`.
        """
        account = known.profile.user_id
        progress = await self._store.run(sweeps.begin, account, _HOLD_MS, in_turn=in_turn)
        if progress is None:
            return None
        work, restored, error = Round(known, progress), False, None
        try:
            restored = await self._compare(known)
            await self._look(work)
        except GraphError as exc:
            error = exc
            log.warning("sweep.failed", account=account, reason=str(exc))
            if exc.code == _BAD_PARAMETER:  # a cursor may have become invalid
                work.progress = replace(work.progress, round_began=0, cursor=None)
            again = max(self._every_ms, int((exc.retry_after or 0) * 1000))
            await self._store.run(sweeps.save, account, work.progress, again)
        metrics.SWEEP_FOUND.inc(work.found)
        if work.found:
            log.warning(
                "sweep.found",
                account=account,
                messages=work.found,
                reason="no webhook had brought them; they are answered now",
            )
            if not restored:  # perhaps it was lost just now: the hour is not waited for
                self._compared.pop(account, None)
        return Swept(work.found, work.pages, work.is_done, error, restored)

    async def _compare(self, known: IdentifiedAccount) -> bool:
        """Subscribe the account again if it is not; return whether that was needed."""
        account, token = known.profile.user_id, known.account.access_token
        now = time.monotonic()
        if now - self._compared.get(account, -COMPARE_EVERY) < COMPARE_EVERY:
            return False
        subscriptions = await self._calls.subscriptions(token)
        is_lost = not any(each.has_messages for each in subscriptions)
        if is_lost:
            await self._calls.subscribe(token)
            metrics.SUBSCRIPTIONS_RESTORED.inc()
            log.warning(
                "subscription.restored",
                account=account,
                reason="Meta had the account as not subscribed to this app's webhooks",
            )
        self._compared[account] = now
        return is_lost

    async def _look(self, work: Round) -> None:
        """Look through the conversations that changed, as far as one round goes."""
        account, token = work.known.profile.user_id, work.known.account.access_token
        own = Own(account, frozenset(filter(None, _names(work.known))))
        while not work.is_done and work.pages < self._max_pages:
            if work.pages:
                await self._sleep(self._pace)
            progress = work.progress
            page, meta_time = await self._calls.conversations(token, progress.cursor)
            work.pages += 1
            now = time.time_ns() // 1_000_000
            ahead = (meta_time or now) - now  # by Meta's clock all of this is told
            ahead = 0 if abs(ahead) < _COARSE_MS else ahead
            began = progress.round_began or now + ahead
            since, until = (
                max(progress.first_seen + ahead, began - WINDOW),
                began - self._settled_ms,
            )
            if listed := list(listed_messages(page.threads, own, since, until)):
                work.found += await self._store.run(sweeps.take, listed)
            work.is_done = page.after is None or _is_past(page, since)
            work.progress = (
                Progress(progress.first_seen, swept_until=until)
                if work.is_done
                else replace(progress, round_began=began, cursor=page.after)
            )
            is_last = work.is_done or work.pages == self._max_pages
            again = self._every_ms if is_last else _HOLD_MS
            await self._store.run(sweeps.save, account, work.progress, again)


def _names(known: IdentifiedAccount) -> Iterable[str | None]:
    """Yield all by which a listing may call the account."""
    return (
        known.profile.user_id,
        known.profile.id,
        known.profile.username,
        known.account.account_id,
    )


def _is_past(page: ThreadPage, before: int) -> bool:
    """Return whether all of *page* has been looked at: it did not change since *before*."""
    return all(each.updated_at < before for each in page.threads)


class Sweeps(Protocol):
    """The part of a `Sweeper` that a job needs."""

    async def sweep(self, known: IdentifiedAccount) -> Swept | None:
        """Look once for messages of the account *known*."""
        ...


async def run_sweeps(
    sweeper: Sweeps,
    identified: Callable[[], Iterable[IdentifiedAccount]],
    every: float,
    *,
    first_after: float = FIRST_AFTER,
) -> None:
    """Sweep all accounts again and again, one after the other; never return. 0 is never."""
    if not every:
        await asyncio.Event().wait()
    await asyncio.sleep(min(every, first_after))

    async def sweep(known: IdentifiedAccount) -> None:
        await sweeper.sweep(known)

    while True:
        for known in identified():  # one's trouble is nobody else's
            await run_logged(sweep(known), failure="sweep.broken_off")
        await asyncio.sleep(every)
