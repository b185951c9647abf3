"""The simulator as an object: for tests that drive it, and for the demo."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Self

from .app import simulator_app
from .engine import Engine
from .listener import listen, serving
from .state import World
from .user_actions import UserActions
from .values import DirectMessage, Person, ProfessionalAccount
from .webhooks.post import Retries

_PEOPLE = (("Mia Brandt", "mia.brandt"), ("Jonas Weber", "jonas_w"), ("Yuki Tanaka", "yuki.t"))


class Simulator(Engine):
    """
    A Meta of your own: people, a Graph API, webhooks, and things that go wrong.

    ```python
    async with Simulator() as meta:
        mia = meta.add_person("Mia")
        await meta.subscribe("http://127.0.0.1:8000/instagram/webhook", "verify-token")
        meta.phones.say(mia.igsid, "Hi!")
        await meta.journal.until(lambda: bool(meta.applied(mia.igsid)))
    ```

    The service under test gets `meta.url` as its Graph URL. Everything runs in the
    event loop that entered the block, on any free port of the loopback; `on` takes another
    socket.
    """

    def __init__(
        self, *accounts: ProfessionalAccount, retries: Retries | None = None, seed: int = 0
    ) -> None:
        super().__init__(World(*accounts), retries=retries, seed=seed)
        self.phones = UserActions(self)
        self.url = ""
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Listen on any free port of the loopback."""
        return await self._open.enter_async_context(self.on(listen("127.0.0.1", 0)))

    async def __aexit__(self, *_: object) -> None:
        """Close what the block opened."""
        await self._open.aclose()

    @asynccontextmanager
    async def on(self, listener: socket.socket) -> AsyncIterator[Self]:
        """Run on *listener* while the block does; see `listen`."""
        async with self.deliveries, serving(simulator_app(self), listener) as url:
            self.url = url
            try:
                yield self
            finally:
                self.close()

    @property
    def account(self) -> ProfessionalAccount:
        """The first account: its token and secret are what the service has to know."""
        return self.world.account

    def add_people(self) -> list[Person]:
        """Let three people know the account: somebody to chat as at once."""
        return [self.add_person(name, username) for name, username in _PEOPLE]

    def accepted(self, kind: str = "message") -> list[str]:
        """Return the mids whose webhook the service answered with 200, in order, each once."""
        return [mid for each, mid in self.deliveries.accepted if each == kind]

    def applied(self, igsid: str) -> tuple[DirectMessage, ...]:
        """Return the messages of the service that really reached *igsid*, in order."""
        return tuple(map(self.world.message, self.world.conversation(igsid).applied))

    async def settled(self, within: float = 10.0) -> None:
        """Return once no webhook is on its way or waits for a retry (held ones don't count)."""
        await self.deliveries.tasks.settled(within)
