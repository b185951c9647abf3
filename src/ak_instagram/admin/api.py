"""
`/admin/api/`: what operators see and steer, as JSON.

Each route is declared once, for the router and for the description at `openapi.json`.
"""

from __future__ import annotations

import asyncio
import base64
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from ak_instagram import fast_json, metrics
from ak_instagram.doctor.finding import Finding, Result
from ak_instagram.doctor.run import run_checks
from ak_instagram.outbound.send import Queued, SendRefused, Unsendable, compose, send
from ak_instagram.settings.model import Settings
from ak_instagram.store.database import Transactions, Tx
from ak_instagram.store.values import ALL_ACCOUNTS
from ak_instagram.store.verbs.operators import changes, conversations, log, stops, timeline
from ak_instagram.store.verbs.operators.conversations import Conversation, State
from ak_instagram.store.verbs.operators.dead_letters import DeadLetter, Filter
from ak_instagram.store.verbs.operators.timeline import TOP, Position, TimelineEntry
from ak_instagram.tokens.report import report
from ak_instagram.tokens.vault import Vault

from .openapi import (
    CURSOR,
    LIMIT,
    MAX_LIMIT,
    TEXT,
    ApiRoute,
    WrongRequest,
    document,
    listed,
    object_of,
    schema_of,
)

WHO = "admin"  # in the operator log
MAX_BODY = 16_384  # bytes
MAX_MESSAGE = 131_072  # bytes of one
EVERY_ACCOUNT = "all"  # in the place of an account's id
DOCTOR_EVERY = 60.0  # seconds
HOURS = 12.0  # that a pause lasts unless it is said
MAX_HOURS = 10 * 365 * 24
_STATES = {"type": "string", "enum": [it.value for it in State]}
_LETTERS = {"account": TEXT, "contact": TEXT, "reason": TEXT, "cursor": CURSOR, "limit": LIMIT}
_PAUSE = {
    "type": "object",
    "properties": {"hours": {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_HOURS}},
}
_MESSAGE = {
    "type": "object",
    "required": ["to"],
    "properties": {
        "to": {"type": "string", "pattern": "^[0-9]+$", "description": "The person's IGSID."},
        "text": {"type": "string"},
        "account": {
            "type": "string",
            "pattern": "^[0-9]+$",
            "description": "The one that the person has written to, if that is one.",
        },
        "key": {"type": "string", "description": "The same key sends once."},
        "as_person": {"type": "boolean", "description": "Needs `sender.human_agent`."},
    },
    "description": "Beside these, the fields of one message of the answer schema.",
}
_DONE = object_of({"done": {"type": "boolean"}})
_MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class AccountState:
    """
    An account: its id, the agent that answers for it, its token's state and times (UTC ms).

    *is_stopped* says that Meta does not let it send, *stopped_since* when an operator stopped it.
    The token was first used at *seen_at*, ends at *expires_at* at the latest, and is refreshed
    at *refresh_at*; *error* is why that failed.
    """

    account: str | None
    username: str
    agent: str | None
    login: str
    source: str
    state: str
    is_stopped: bool
    stopped_since: int | None
    seen_at: int | None
    expires_at: int | None
    refresh_at: int | None
    error: str | None


class DoctorOnCall:
    """The doctor's findings for *settings*, looked for when asked, *every* so many s at most."""

    def __init__(
        self,
        settings: Settings,
        *,
        every: float = DOCTOR_EVERY,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._every = every
        self._now = now
        self._found: list[Finding] = []
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()

    async def findings(self) -> list[Finding]:
        """Return all findings, at most so old."""
        async with self._looking:  # whoever asks meanwhile gets the same
            if self._now() - self._looked_at >= self._every:
                self._found = list(await run_checks(self._settings))
                self._looked_at = self._now()
        return self._found


class AdminApi:
    """The API over *store*, for the accounts in *settings* and their *doctor*."""

    def __init__(self, store: Transactions, settings: Settings, doctor: DoctorOnCall) -> None:
        self._store = store
        self._settings = settings
        self._doctor = doctor

    def routes(self) -> tuple[ApiRoute, ...]:
        """Return its operations."""
        conversation = "/conversations/{account}/{contact}"
        return (
            ApiRoute(
                "GET",
                "/conversations",
                "listConversations",
                "Find conversations by id or state; without either, the latest first.",
                self.list_conversations,
                listed("conversations", Conversation),
                {"query": TEXT, "state": _STATES, "cursor": CURSOR, "limit": LIMIT},
            ),
            ApiRoute(
                "GET",
                conversation,
                "showConversation",
                "Show a conversation and its timeline, latest first; texts are in it.",
                self.show_conversation,
                object_of(
                    {
                        "conversation": schema_of(Conversation),
                        **listed("timeline", TimelineEntry)["properties"],
                    }
                ),
                {"cursor": CURSOR, "limit": LIMIT},
                finds=True,
            ),
            ApiRoute(
                "POST",
                f"{conversation}/pause",
                "pauseConversation",
                "Silence the bot in a conversation; what has not been sent yet is dropped.",
                self.pause,
                object_of({"paused_until": {"type": "integer"}}),
                body=_PAUSE,
                changes=True,
                finds=True,
            ),
            ApiRoute(
                "POST",
                f"{conversation}/resume",
                "resumeConversation",
                "Let the bot answer again; done is false if it was not silent.",
                self.resume,
                _DONE,
                changes=True,
                finds=True,
            ),
            ApiRoute(
                "POST",
                "/messages",
                "sendMessage",
                "Send a text, or one message of the answer schema, behind what waits.",
                self.send,
                schema_of(Queued),
                body=_MESSAGE,
                changes=True,
                refuses=True,
            ),
            ApiRoute(
                "GET",
                "/dead-letters",
                "listDeadLetters",
                "List turns and answers that were given up, oldest first.",
                self.list_letters,
                listed("dead_letters", DeadLetter),
                _LETTERS,
            ),
            ApiRoute(
                "POST",
                "/dead-letters/{id}/replay",
                "replayDeadLetter",
                "Try a turn again; done is false where the bot is silent or the texts are gone.",
                self.replay,
                _DONE,
                changes=True,
                finds=True,
            ),
            ApiRoute(
                "POST",
                "/dead-letters/{id}/discard",
                "discardDeadLetter",
                "Let a turn go for good.",
                self.discard,
                _DONE,
                changes=True,
                finds=True,
            ),
            ApiRoute(
                "GET",
                "/accounts",
                "listAccounts",
                "List the accounts and whether they can send.",
                self.list_accounts,
                object_of({"accounts": {"type": "array", "items": schema_of(AccountState)}}),
            ),
            ApiRoute(
                "POST",
                "/accounts/{id}/pause",
                "stopSending",
                "Stop sending for an account, or for `all`; what comes in waits.",
                self.stop_sending,
                _DONE,
                changes=True,
                finds=True,
            ),
            ApiRoute(
                "POST",
                "/accounts/{id}/resume",
                "resumeSending",
                "Send again; what waits goes out. Done is false if it was not stopped.",
                self.resume_sending,
                _DONE,
                changes=True,
                finds=True,
            ),
            ApiRoute(
                "GET",
                "/doctor",
                "examine",
                "Look for what keeps messages from being answered; of the last minute if known.",
                self.examine,
                object_of(
                    {
                        "ok": {"type": "boolean"},
                        "findings": {"type": "array", "items": schema_of(Finding)},
                    }
                ),
            ),
            ApiRoute(
                "GET",
                "/operations",
                "listOperations",
                "List what operators changed, latest first.",
                self.list_operations,
                listed("operations", log.Operation),
                {"cursor": CURSOR, "limit": LIMIT},
            ),
            ApiRoute(
                "GET",
                "/openapi.json",
                "describe",
                "Describe this API.",
                self.describe,
                {"type": "object"},
            ),
        )

    # --- reading --------------------------------------------------------------

    async def list_conversations(self, request: Request) -> object:
        """Answer a page of conversations."""
        query, state = text_of(request, "query"), text_of(request, "state")
        if state and state not in {it.value for it in State}:
            raise WrongRequest("state: one of " + ", ".join(State))
        wanted = State(state) if state else None
        after = read_cursor(request, *key_types(query, wanted))
        page = await self._store.run(conversations.find, query, wanted, after, limit_of(request))
        return {"conversations": page.conversations, "next": write_cursor(page.next)}

    async def show_conversation(self, request: Request) -> object:
        """Answer a conversation with a page of its timeline."""
        account, contact = path_text(request, "account"), path_text(request, "contact")
        after = read_cursor(request, int, int, int, int)
        position = Position(*(int(it) for it in after)) if after else Position()
        found = await self._store.run(timeline_of, account, contact, position, limit_of(request))
        if found is None:
            raise unknown_conversation()
        conversation, entries, following = found
        return {
            "conversation": conversation,
            "timeline": entries,
            "next": write_cursor(following),
        }

    async def list_letters(self, request: Request) -> object:
        """Answer a page of dead letters."""
        wanted = Filter(
            account=text_of(request, "account") or None, contact=text_of(request, "contact") or None
        )
        reason = text_of(request, "reason") or None
        found = await self._store.run(changes.find_letters, wanted, reason)
        after = read_cursor(request, int, str)
        later = [it for it in found if not after or (it.since, it.turn) > (after[0], after[1])]
        limit = limit_of(request)
        page = sorted(later, key=lambda it: (it.since, it.turn))[:limit]
        last = page[-1] if len(later) > limit else None
        return {
            "dead_letters": page,
            "next": write_cursor((last.since, last.turn) if last else None),
        }

    async def list_accounts(self, _request: Request) -> object:
        """Answer the accounts."""
        return {"accounts": await account_states(self._store, self._settings)}

    async def examine(self, _request: Request) -> object:
        """Answer what the doctor finds."""
        findings = await self._doctor.findings()
        return {
            "ok": all(it.result is not Result.ERROR for it in findings),
            "findings": findings,
        }

    async def list_operations(self, request: Request) -> object:
        """Answer a page of the operator log."""
        after = read_cursor(request, int)
        limit = limit_of(request)
        found = await self._store.run(log.find, int(after[0]) if after else TOP, limit)
        last = found[-1].id if len(found) == limit else None
        return {"operations": found, "next": write_cursor((last,) if last else None)}

    async def describe(self, _request: Request) -> object:
        """Answer the description."""
        return document(self.routes())

    # --- changes --------------------------------------------------------------

    async def pause(self, request: Request) -> object:
        """Silence the bot in a conversation."""
        account, contact = path_text(request, "account"), path_text(request, "contact")
        hours = (await body_of(request)).get("hours", HOURS)
        if isinstance(hours, bool) or not isinstance(hours, int | float):
            raise WrongRequest("hours: a number")
        if not math.isfinite(hours) or not 0 < hours <= MAX_HOURS:
            raise WrongRequest(f"hours: more than 0, at most {MAX_HOURS}")
        duration = int(hours * 3_600_000)
        until = await self._store.run(changes.pause, WHO, account, contact, duration)
        if until is None:
            raise unknown_conversation()
        return {"paused_until": until}

    async def resume(self, request: Request) -> object:
        """Let the bot answer again."""
        account, contact = path_text(request, "account"), path_text(request, "contact")
        was_silent = await self._store.run(changes.resume, WHO, account, contact)
        if was_silent is None:
            raise unknown_conversation()
        return {"done": was_silent}

    async def send(self, request: Request) -> object:
        """Have a message sent."""
        body = dict(await body_of(request, MAX_MESSAGE))
        contact = _id("to", body.pop("to", None))
        account = _id("account", body.pop("account")) if body.get("account") else None
        key, by_person = body.pop("key", ""), body.pop("as_person", False)
        if not isinstance(key, str) or len(key) > MAX_LIMIT:
            raise WrongRequest(f"key: a text of at most {MAX_LIMIT} characters")
        if not isinstance(by_person, bool):
            raise WrongRequest("as_person: true or false")
        return await send_message(
            self._store, self._settings, contact, body, account, key, by_person=by_person
        )

    async def stop_sending(self, request: Request) -> object:
        """Stop sending."""
        return {"done": await self._switch(request, changes.stop_sending)}

    async def resume_sending(self, request: Request) -> object:
        """Send again."""
        return {"done": await self._switch(request, changes.resume_sending)}

    async def _switch(self, request: Request, change: Callable[[Tx, str, str], bool]) -> bool:
        whose = path_text(request, "id")
        return await switch_sending(self._store, self._settings, whose, change)

    async def replay(self, request: Request) -> object:
        """Try a dead letter again."""
        return await self._change(request, changes.replay)

    async def discard(self, request: Request) -> object:
        """Let a dead letter go."""
        return await self._change(request, changes.discard)

    async def _change(
        self, request: Request, change: Callable[[Tx, str, DeadLetter], bool]
    ) -> object:
        turn = path_text(request, "id")
        done = await self._store.run(change_letter, turn, change)
        if done is None:
            raise WrongRequest("there is no dead letter of this id", status=404)
        return {"done": done}


# --- verbs of two steps ---------------------------------------------------------


def timeline_of(
    tx: Tx, account: str, contact: str, position: Position, limit: int
) -> tuple[Conversation, list[TimelineEntry], Position | None] | None:
    """Return a conversation and a page of its timeline, `None` if it is not known."""
    found = conversations.find_one(tx, account, contact)
    return None if found is None else (found, *timeline.read(tx, account, contact, position, limit))


def change_letter(tx: Tx, turn: str, change: Callable[[Tx, str, DeadLetter], bool]) -> bool | None:
    """Make *change* to the dead letter *turn*; return whether it was made, `None` if unknown."""
    letter = changes.find_letter(tx, turn)
    return None if letter is None else change(tx, WHO, letter)


async def send_message(
    store: Transactions,
    settings: Settings,
    contact: str,
    message: object,
    account: str | None,
    key: str = "",
    *,
    by_person: bool,
) -> Queued:
    """
    Have *message* sent, as `outbound.send` does; `WrongRequest` says why it can't be.

    *by_person*, which the settings may not allow: with Meta's tag once the window is closed.
    """
    if by_person and not settings.sender.human_agent:
        raise WrongRequest("as_person: sender.human_agent is false, which needs Meta's feature")
    try:
        ready = compose(message, by_person=by_person)
    except Unsendable as exc:
        raise WrongRequest(str(exc)) from None
    try:
        return await store.run(send, WHO, contact, ready, account, key)
    except SendRefused as exc:
        raise WrongRequest(str(exc), status=409) from None


async def switch_sending(
    store: Transactions, settings: Settings, whose: str, change: Callable[[Tx, str, str], bool]
) -> bool:
    """Make *change* to the sending of the account *whose*, or `all`; return whether it was made."""
    if whose == EVERY_ACCOUNT:
        return await store.run(change, WHO, ALL_ACCOUNTS)
    if whose not in {it.account for it in await account_states(store, settings)}:
        raise WrongRequest("there is no such account", status=404)
    return await store.run(change, WHO, whose)


async def account_states(store: Transactions, settings: Settings) -> list[AccountState]:
    """Return the accounts of *settings* and *store*, and whether this process can send for each."""
    keys = settings.store.encryption_key
    vault = Vault(keys) if keys else None
    configured = settings.instagram.all_accounts
    now = time.time_ns() // 1_000_000
    known = await report(store, configured, vault, now)
    held = await store.run(stops.stopped)
    stopped = {
        sample.labels["account"]
        for family in metrics.ACCOUNTS_STOPPED.collect()
        for sample in family.samples
        if sample.value
    }
    return [
        AccountState(
            account=it.account,
            username=it.username,
            agent=it.agent,
            login=it.login,
            source=it.source,
            state=it.state,
            is_stopped=it.account in stopped,
            stopped_since=held.get(it.account or "") or held.get(ALL_ACCOUNTS),
            seen_at=it.seen_at,
            expires_at=it.expires_at,
            refresh_at=it.refresh_at,
            error=it.error,
        )
        for it in known
    ]


# --- what requests say ----------------------------------------------------------


def unknown_conversation() -> WrongRequest:
    """Return the refusal of a conversation of which nothing is stored."""
    return WrongRequest("nothing is known of this conversation", status=404)


def text_of(request: Request, name: str) -> str:
    """Return the query's parameter *name*, empty without one; `WrongRequest` if it is no text."""
    return _storable(name, request.query_params.get(name, "").strip())


def path_text(request: Request, name: str) -> str:
    """Return the part *name* of the path; `WrongRequest` if it is no text."""
    return _storable(name, str(request.path_params[name]))


def _storable(name: str, text: str) -> str:
    if "\0" in text or len(text) > MAX_LIMIT:
        raise WrongRequest(f"{name}: not a text of at most {MAX_LIMIT} characters")
    return text


def limit_of(request: Request) -> int:
    """Return how many rows are asked for."""
    text = request.query_params.get("limit", str(LIMIT["default"]))
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= MAX_LIMIT:
        raise WrongRequest(f"limit: a number from 1 to {MAX_LIMIT}")
    return int(text)


def _id(name: str, found: object) -> str:
    """Return *found*, which is called *name*, as an id; `WrongRequest` if it is none."""
    is_text = isinstance(found, str) and found.isascii() and found.isdigit()
    if not is_text or len(str(found)) > MAX_LIMIT:
        raise WrongRequest(f"{name}: an id, which has digits alone")
    return str(found)


async def body_of(request: Request, largest: int = MAX_BODY) -> Mapping[str, Any]:
    """Return the JSON object of *largest* bytes that the request brings; none is an empty one."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > largest:
            raise WrongRequest(f"the body is larger than {largest} bytes")
    if not body:
        return {}
    found = fast_json.load_object(body)
    if found is None:
        raise WrongRequest("the body is no JSON object")
    return found


def key_types(query: str, state: State | None) -> tuple[type, ...]:
    """Return of what a key of `conversations.find` is made."""
    if query or state in (State.PARKED, State.DEAD):
        return str, str
    return (int,) if state is None else (int, str, str)


def write_cursor(key: Sequence[int | str] | None) -> str | None:
    """Return *key* as callers hand it back to get what comes after."""
    return None if key is None else base64.urlsafe_b64encode(fast_json.dump(list(key))).decode()


def read_cursor(request: Request, *types: type) -> tuple[int | str, ...]:
    """Return the key in the request's `cursor`, of these *types*; empty without one."""
    text = request.query_params.get("cursor", "")
    if not text:
        return ()
    try:
        key = fast_json.load(base64.urlsafe_b64decode(text.encode()))
    except ValueError:
        key = None
    is_key = isinstance(key, list) and len(key) == len(types) and all(map(_fits, key, types))
    if not is_key:
        raise WrongRequest("cursor: not one that this request was answered with")
    return tuple(key)


def _fits(value: object, of: type) -> bool:
    if type(value) is not of:
        return False
    return "\0" not in value if isinstance(value, str) else abs(int(str(value))) <= _MAX_ID
