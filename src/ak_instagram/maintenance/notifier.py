"""
The notifier: tells an operator's endpoint of hand-offs, stopped accounts and dead letters.

What is told has been stored with what it tells of, and is posted beside all else: no turn
waits for the endpoint, and what it does not take is posted again, with growing pauses.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections import deque
from datetime import UTC, datetime

import aiohttp
import structlog

from ak_instagram import metrics
from ak_instagram.backoff import Backoff, parse_retry_after
from ak_instagram.jobs import run_rounds
from ak_instagram.meta.graph.codes import ErrorClass
from ak_instagram.store.database import Transactions
from ak_instagram.store.verbs.operators import notifications
from ak_instagram.store.verbs.operators.notifications import Notification

log = structlog.get_logger()

EVERY = 2.0  # seconds between two looks for what is to be told
TIMEOUT = 10.0  # seconds that the endpoint may take
LEASE = 60.0  # seconds after which another process tells what this one has taken
# Seven hours in all: 5, 15, 45 s, … and then once an hour.
BACKOFF = Backoff(max_attempts=14, first=5.0, factor=3.0, longest=3600.0)
SIGNATURE = "X-Hub-Signature-256"  # Meta's own, made in the same way
ID = "X-Notification-Id"  # the same for each attempt


class Notifier:
    """
    Posts what is due to *url*, signed with *secret* (empty is unsigned); *session* is shared.

    It looks for that each *every* seconds, and tries again as *backoff* says.
    """

    def __init__(
        self,
        store: Transactions,
        session: aiohttp.ClientSession,
        url: str,
        secret: str,
        *,
        backoff: Backoff = BACKOFF,
        every: float = EVERY,
    ) -> None:
        self._store = store
        self._session = session
        self._url = url
        self._secret = secret.encode()
        self._backoff = backoff
        self._every = every
        self._stopped: deque[tuple[str, str, str]] = deque()

    async def run(self) -> None:
        """Tell what is due again and again; never return."""
        await run_rounds(self.tell_due, self._every, failure="notification.round_failed")

    async def tell_due(self) -> None:
        """Tell all that is due, a few at a time."""
        while self._stopped:
            await self._store.run(notifications.note_account_stopped, *self._stopped[0])
            self._stopped.popleft()
        while due := await self._store.run(notifications.take_due, int(LEASE * 1000)):
            await asyncio.gather(*map(self._tell, due))

    def account_stopped(self, account: str, error_class: ErrorClass, reason: str) -> None:
        """Have the operator told that *account* can't send, without making anybody wait."""
        self._stopped.append((account, error_class.value, reason))

    async def _tell(self, it: Notification) -> None:
        """Post *it* once, and note what becomes of it."""
        began = time.perf_counter()
        reason, retry_after = await self._post(it)
        fields = {"kind": it.event, "attempt": it.attempt}
        if reason is None:
            ms = round((time.perf_counter() - began) * 1000, 1)
            metrics.NOTIFICATIONS.labels("delivered").inc()
            log.info("notification.delivered", **fields, ms=ms)
            await self._store.run(notifications.end, it.id)
            return
        wait = self._backoff.wait_or_give_up(it.attempt)
        if wait is None:
            metrics.NOTIFICATIONS.labels("given_up").inc()
            log.error("notification.given_up", **fields, reason=reason)
            await self._store.run(notifications.end, it.id)
            return
        after = max(wait, retry_after or 0.0)
        metrics.NOTIFICATIONS.labels("failed").inc()
        log.warning("notification.failed", **fields, after=round(after, 1), reason=reason)
        await self._store.run(notifications.retry, it.id, after)

    async def _post(self, it: Notification) -> tuple[str | None, float | None]:
        """Return why the endpoint did not take *it*, `None` if it did, and when to ask again."""
        body = it.body.encode()
        headers = {"Content-Type": "application/json", ID: it.id}
        if self._secret:
            digest = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
            headers[SIGNATURE] = f"sha256={digest}"
        call = self._session.post(
            self._url,
            data=body,
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=TIMEOUT),
            allow_redirects=False,
        )
        try:
            async with call as response:
                if 200 <= response.status < 300:
                    return None, None
                asked = response.headers.get("Retry-After")
                now = datetime.now(UTC)
                after = parse_retry_after(asked, now, self._backoff.longest)
                return f"it answered {response.status}", after
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            return type(exc).__name__, None
