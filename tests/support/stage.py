"""Everything there is: a Meta, an agent, and the service between them as a process."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ak_instagram.store.verbs.automatic import INSTANT
from instagram_simulator import Entry, ProfessionalAccount, Simulator
from qa.support.agent import Hold, ScriptedAgent, scripted_agent
from qa.support.service import WITHIN, Service
from tests.support.forking import forked

ACCOUNT = ProfessionalAccount(
    access_token="IGAAstage0token1of2the3account", app_secret="stage-app-secret-1"
)
VERIFY_TOKEN = "stage-verify-token"
API_KEY = "stage-agent-api-key"
LEAST = 6  # characters; shorter words may be in a log line by chance


@dataclass
class Stage:
    """The three of them, and what can be seen from the outside."""

    meta: Simulator
    agent: ScriptedAgent
    service: Service

    def person(self, account: ProfessionalAccount | None = None) -> str:
        """Return the id of someone who knows *account* (else the first) and has not written yet."""
        if account is not None:
            return self.meta.world.add_person("Zoe", account=account).igsid
        return self.meta.add_person("Mia").igsid

    async def hold(self, igsid: str, text: str, answer: str = "First answer") -> Hold:
        """Have the agent asked the person's *text*; return what holds its *answer* back."""
        hold = Hold(answer)
        self.agent.will(hold)
        self.meta.phones.say(igsid, text)
        await self.agent.until_asked()
        return hold

    async def until_answered(self, igsid: str, pieces: int = 1, within: float = WITHIN) -> None:
        """Return once so many pieces have arrived on the person's phone."""
        await self.meta.journal.until(lambda: len(self.answers(igsid)) >= pieces, within=within)

    def answers(self, igsid: str) -> list[str]:
        """Return the texts that have arrived on the person's phone, in order."""
        return [message.content.text or "" for message in self.meta.applied(igsid)]

    def calls(self, igsid: str) -> list[str]:
        """Return what the service called the Graph API for about the person, in order."""
        bodies = (entry.data["request"] for entry in self.graph_calls(igsid))
        return [body.get("sender_action", "message") for body in bodies]

    def graph_calls(self, igsid: str) -> list[Entry]:
        """Return the journal's entries of messages and actions to the person."""
        return [entry for entry in self.meta.journal.known() if _recipient(entry) == igsid]

    async def until_called(self, igsid: str, call: str, times: int = 1) -> None:
        """Return once the service has made so many *call*s about the person."""
        await self.meta.journal.until(lambda: self.calls(igsid).count(call) >= times)

    async def until_faults_struck(self) -> None:
        """Return once no fault waits to happen any more; the journal hears of one at its end."""
        async with asyncio.timeout(WITHIN):
            while self.meta.active_faults():  # noqa: ASYNC110 - nothing tells when it strikes
                await asyncio.sleep(0.002)

    async def answer_by_hand(self, igsid: str, text: str) -> None:
        """Answer from the app, as a person; return once the service has heard it."""
        await asyncio.sleep(INSTANT / 1000 + 0.1)  # sooner nobody can have written it
        self.meta.phones.answer_by_hand(igsid, text)
        await self.meta.settled()

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return what the service's store says."""
        with closing(sqlite3.connect(self.service.store)) as connection:
            return connection.execute(sql, values).fetchall()

    async def restart(self) -> None:
        """Start the service again after its end."""
        await self.service.start()

    # --- privacy --------------------------------------------------------------

    def leaks(self) -> list[tuple[str, str]]:
        """Return each private thing that is in the service's log, with its line."""
        private = {each for each in self._private() if len(each) >= LEAST}
        spellings = private | {json.dumps(each)[1:-1] for each in private}
        return [(each, line) for line in self.service.lines for each in spellings if each in line]

    def _private(self) -> Iterator[str]:
        yield from (ACCOUNT.access_token, ACCOUNT.app_secret, VERIFY_TOKEN, API_KEY)
        for entry in self.meta.journal.known():
            if entry.kind == "webhook":
                yield entry.data["signature"].removeprefix("sha256=")
        for conversation in self.meta.world.conversations():
            for message in self.meta.world.messages(conversation.person.igsid):
                yield (message.content.text or "")[:40]


def _recipient(entry: Entry) -> str | None:
    """Return whom a call to `/messages` was about."""
    if entry.kind != "graph" or entry.data["method"] != "POST":
        return None
    return (entry.data["request"] or {}).get("recipient", {}).get("id")


@asynccontextmanager
async def open_stage(
    folder: Path, *others: ProfessionalAccount, **settings: str
) -> AsyncIterator[Stage]:
    """
    Yield the stage, the service subscribed; `agent__timeout` sets `agent.timeout`.

    *others* are accounts beside the first. When the block ends, nothing private may be
    in the log.
    """
    async with Simulator(ACCOUNT, *others) as meta, scripted_agent() as agent:
        changes = {key.replace("__", "."): value for key, value in settings.items()}
        accounts = json.dumps([_account(each) for each in others])
        service = Service(
            folder,
            _settings(meta, agent) | {"instagram.accounts": accounts} | changes,
            start=forked,
        )
        service.settings.setdefault("agent.callback_url", service.url)
        await service.start()
        try:
            await meta.subscribe(service.webhook, VERIFY_TOKEN)
            stage = Stage(meta, agent, service)
            yield stage
        finally:
            await service.stop()
        assert stage.leaks() == []


def _account(account: ProfessionalAccount) -> dict[str, str]:
    known = {"access_token": account.access_token, "app_secret": account.app_secret}
    return known | ({"account_id": account.account_id} if account.is_unified else {})


def _settings(meta: Simulator, agent: ScriptedAgent) -> dict[str, str]:
    return {
        "instagram.verify_token": VERIFY_TOKEN,
        "instagram.access_token": ACCOUNT.access_token,
        "instagram.app_secret": ACCOUNT.app_secret,
        "instagram.require_signature": "true",
        "instagram.graph_url": meta.url,
        "agent.adapter": "http",
        "agent.url": agent.url,
        "agent.api_key": API_KEY,
    }
