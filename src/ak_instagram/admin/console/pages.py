"""
The console's pages: what each shows, and what its forms do.

Every page works without JavaScript; with it, its changing part is kept up to date.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from ak_instagram import __version__, metrics
from ak_instagram.admin.api import (
    HOURS,
    WHO,
    AccountState,
    DoctorOnCall,
    account_states,
    change_letter,
    key_types,
    limit_of,
    path_text,
    read_cursor,
    send_message,
    switch_sending,
    text_of,
    timeline_of,
    unknown_conversation,
    write_cursor,
)
from ak_instagram.admin.auth import Caller
from ak_instagram.admin.figures import Figures
from ak_instagram.admin.openapi import WrongRequest
from ak_instagram.agents import registry
from ak_instagram.doctor.finding import Result
from ak_instagram.errors import SettingsError
from ak_instagram.settings import explain
from ak_instagram.settings.model import SenderSettings, Settings
from ak_instagram.settings.sources import shown
from ak_instagram.store.database import Transactions, Tx
from ak_instagram.store.values import PERSON_WINDOW, WINDOW, Silencer
from ak_instagram.store.verbs.backlog import MAX_ROWS, Backlog, measure
from ak_instagram.store.verbs.operators import changes, conversations, log, stops, timeline
from ak_instagram.store.verbs.operators.conversations import State
from ak_instagram.store.verbs.operators.dead_letters import DeadLetter, Filter
from ak_instagram.store.verbs.operators.timeline import TOP, Position
from ak_instagram.tokens.connecting import connect_app, make_link

from .live import LiveUpdates
from .rendering import STATIC, fragment, moment, render

MAX_FORM = 8_192  # bytes
BACKLOG_EVERY = 2.0  # seconds
ACCOUNTS_EVERY = 5.0  # seconds
REASONS_EVERY = 30.0  # seconds: it goes through all dead letters
FILES = {
    "console.css": "text/css",
    "console.js": "text/javascript",
    "htmx.min.js": "text/javascript",
    "hx-sse.min.js": "text/javascript",
}
SAID = {
    "paused": "The bot is silent in this conversation.",
    "resumed": "The bot answers again.",
    "retried": "What waits is tried now.",
    "reset": "The next message begins a new session with the agent.",
    "sent": "It goes out behind what waits.",
    "erased": "All that was stored about this person is erased.",
    "stopped": "Sending stops within seconds; what comes in waits.",
    "sends": "Sending goes on within seconds, and what waits goes out.",
    "unchanged": "Nothing changed: it was so already.",
    "replayed": "To be tried again: {count}.",
    "discarded": "Discarded: {count}.",
    "nothing": "Nothing changed: the bot is silent there, nothing waits, or the texts are gone.",
}
_LETTER_CHANGES = {"replay": changes.replay, "discard": changes.discard}
_DONE = {"replay": "replayed", "discard": "discarded"}
_SWITCHES = {"pause": changes.stop_sending, "resume": changes.resume_sending}
_SWITCHED = {changes.stop_sending: "stopped", changes.resume_sending: "sends"}


class Standing:
    """
    The standing of *store*: what waits, the commonest reasons of dead letters, the accounts.

    However many consoles are open, the store is asked as often as for one. *accounts* asks it
    for those. *now* is the clock.
    """

    def __init__(
        self,
        store: Transactions,
        accounts: Callable[[], Awaitable[list[AccountState]]],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._ask_accounts = accounts
        self._now = now
        self._looking = asyncio.Lock()
        self._backlog = Backlog(0, 0, 0, 0, 0, None)
        self._reasons: list[tuple[str, int]] = []
        self._accounts: list[AccountState] = []
        self._looked_at = self._counted_at = self._asked_at = float("-inf")

    async def look(self) -> tuple[Backlog, list[tuple[str, int]], list[AccountState]]:
        """Return the backlog, the reasons with their counts, the accounts; seconds old at most."""
        async with self._looking:
            if self._now() - self._looked_at >= BACKLOG_EVERY:
                self._backlog = await self._store.run(measure)
                self._looked_at = self._now()
            if self._now() - self._counted_at >= REASONS_EVERY:
                letters = await self._store.run(changes.find_letters, Filter(), None)
                self._reasons = Counter(it.reason for it in letters).most_common(5)
                self._counted_at = self._now()
            if self._now() - self._asked_at >= ACCOUNTS_EVERY:
                self._accounts = await self._ask_accounts()
                self._asked_at = self._now()
        return self._backlog, self._reasons, self._accounts


@dataclass(frozen=True, slots=True)
class Pages:
    """
    The pages over *store* for *settings*, and how things are *standing* in it.

    *figures* are this process's, *live* its streams.
    """

    store: Transactions
    settings: Settings
    figures: Figures
    doctor: DoctorOnCall
    live: LiveUpdates
    standing: Standing

    def routes(self) -> list[Route]:
        """Return where they are, below `/admin`."""
        conversation = "/conversations/{account}/{contact}"
        return [
            Route("/", self.overview),
            Route("/live/overview", self.live_overview),
            Route("/doctor", self.show_doctor),
            Route("/conversations", self.list_conversations),
            Route(conversation, self.show_conversation),
            Route(f"/live{conversation}", self.live_conversation),
            Route(f"{conversation}/export", self.export_person, methods=["POST"]),
            Route(f"{conversation}/erase", self.confirm_erasure, methods=["GET"]),
            Route(f"{conversation}/erase", self.erase_person, methods=["POST"]),
            Route(f"{conversation}/{{action}}", self.change_conversation, methods=["POST"]),
            Route("/dead-letters", self.list_letters),
            Route("/dead-letters/confirm", self.confirm_letters),
            Route("/dead-letters/change", self.change_letters, methods=["POST"]),
            Route("/accounts", self.list_accounts),
            Route("/accounts/connect", self.make_link, methods=["POST"]),
            Route("/accounts/{id}/{action}", self.switch_account, methods=["POST"]),
            Route("/settings", self.show_settings),
            Route("/operations", self.list_operations),
            Route("/static/{name}", self.static),
        ]

    # --- overview -------------------------------------------------------------

    async def overview(self, request: Request) -> Response:
        """Show how things stand."""
        return page(request, "overview.html", "overview", **await self._overview())

    async def live_overview(self, _request: Request) -> Response:
        """Keep the overview up to date."""

        async def now() -> str:
            return fragment("_overview.html", **await self._overview())

        return self.live.stream(partial(self.live.shared, now))

    async def _overview(self) -> dict[str, Any]:
        backlog, reasons, accounts = await self.standing.look()
        return {
            "figures": self.figures,
            "backlog": backlog,
            "most": MAX_ROWS,
            "dead": backlog.dead_turns + backlog.dead_answers,
            "reasons": reasons,
            "accounts": accounts,
            "active": next(
                sample.value for it in metrics.TURNS_ACTIVE.collect() for sample in it.samples
            ),
        }

    async def show_doctor(self, request: Request) -> Response:
        """Show what the doctor finds, the worst first."""
        findings = await self.doctor.findings()
        worst = [Result.ERROR, Result.WARNING, Result.OK]
        found = sorted(findings, key=lambda it: worst.index(it.result))
        if request.headers.get("hx-request"):
            return Response(fragment("_doctor.html", findings=found), media_type="text/html")
        return page(request, "doctor.html", "doctor", findings=found)

    # --- conversations --------------------------------------------------------

    async def list_conversations(self, request: Request) -> Response:
        """Show a page of conversations."""
        query, chosen = text_of(request, "query"), text_of(request, "state")
        state = State(chosen) if chosen in set(State) else None
        after = read_cursor(request, *key_types(query, state))
        found = await self.store.run(conversations.find, query, state, after, limit_of(request))
        following = write_cursor(found.next)
        values = {"query": query, "state": chosen}
        return page(
            request,
            "conversations.html",
            "conversations",
            **values,
            states=[it.value for it in State],
            found=found.conversations,
            now=await self.store.run(_now),
            silences={it.value: it.reason for it in Silencer},
            next=urlencode({**values, "cursor": following}) if following else None,
        )

    async def show_conversation(self, request: Request) -> Response:
        """Show one conversation: its timeline, and the chat as the person sees it."""
        return page(
            request,
            "conversation.html",
            "conversations",
            **await self._conversation(request),
            hours=HOURS,
        )

    async def live_conversation(self, request: Request) -> Response:
        """Keep a conversation up to date."""

        async def now() -> str:
            return fragment("_conversation.html", **await self._conversation(request))

        return self.live.stream(now)

    async def _conversation(self, request: Request) -> dict[str, Any]:
        account, contact = path_text(request, "account"), path_text(request, "contact")
        after = read_cursor(request, int, int, int, int)
        position = Position(*(int(it) for it in after)) if after else Position()
        found = await self.store.run(timeline_of, account, contact, position, limit_of(request))
        if found is None:
            raise unknown_conversation()
        conversation, entries, following = found
        now = await self.store.run(_now)
        return {
            "conversation": conversation,
            "entries": entries,
            "chat": timeline.as_chat(entries),
            "now": now,
            "silences": {it.value: it.reason for it in Silencer},
            "window": window_of(conversation.window_closes_at, now, self.settings.sender),
            "next": write_cursor(following),
            "caller": request.scope["caller"],
        }

    async def change_conversation(self, request: Request) -> Response:
        """Write in a conversation; pause, resume, retry or reset it."""
        account, contact = path_text(request, "account"), path_text(request, "contact")
        form = await form_of(request)
        key = (WHO, account, contact)
        match request.path_params["action"]:
            case "pause":
                hours = form.get("hours", "")
                duration = int(hours) * 3_600_000 if hours.isdigit() and len(hours) < 6 else 0
                if not duration:
                    raise WrongRequest("hours: a number")
                done, said = await self.store.run(changes.pause, *key, duration), "paused"
            case "send":
                by_person = self.settings.sender.human_agent
                text = {"text": form.get("text", "").strip()}
                await send_message(
                    self.store, self.settings, contact, text, account, by_person=by_person
                )
                return see_other(f"{place_of(account, contact)}?said=sent")
            case "resume":
                done, said = await self.store.run(changes.resume, *key), "resumed"
            case "retry":
                done, said = await self.store.run(changes.retry, *key), "retried"
            case "reset":
                done, said = await self.store.run(changes.reset, *key), "reset"
            case _:
                raise WrongRequest("there is no such action", status=404)
        if done is None:
            raise unknown_conversation()
        return see_other(f"{place_of(account, contact)}?said={said if done else 'nothing'}")

    async def export_person(self, request: Request) -> Response:
        """Hand out all that is stored about the person of a conversation, as a file."""
        account, contact = path_text(request, "account"), path_text(request, "contact")
        await form_of(request)
        rows = await self.store.run(changes.export, WHO, contact, account)
        if not rows:
            raise unknown_conversation()
        return Response(
            json.dumps({"contact": contact, "tables": rows}, ensure_ascii=False, indent=2),
            media_type="application/json",
            headers={
                "Cache-Control": "no-store",
                "Content-Disposition": 'attachment; filename="person.json"',
                "X-Content-Type-Options": "nosniff",
            },
        )

    async def confirm_erasure(self, request: Request) -> Response:
        """Ask whether to erase all that is stored about the person of a conversation."""
        account, contact = path_text(request, "account"), path_text(request, "contact")
        return page(request, "erase.html", "conversations", account=account, contact=contact)

    async def erase_person(self, request: Request) -> Response:
        """Erase it."""
        account, contact = path_text(request, "account"), path_text(request, "contact")
        await form_of(request)
        erased = await self.store.run(changes.erase, WHO, contact, account)
        if erased.busy:
            raise WrongRequest("the person is being answered just now: try again", status=409)
        if not erased.rows:
            raise unknown_conversation()
        return see_other("/admin/conversations?said=erased")

    # --- dead letters ---------------------------------------------------------

    async def list_letters(self, request: Request) -> Response:
        """Show dead letters, grouped by reason."""
        reason, account, contact = (text_of(request, it) for it in ("reason", "account", "contact"))
        wanted = Filter(account=account or None, contact=contact or None)
        found = await self.store.run(changes.find_letters, wanted, None)
        groups: dict[str, list[DeadLetter]] = {}
        for letter in found:
            groups.setdefault(letter.reason, []).append(letter)
        return page(
            request,
            "dead_letters.html",
            "dead-letters",
            groups=sorted(groups.items(), key=lambda it: -len(it[1])),
            shown=limit_of(request),
            count=len(found),
            most=changes.MAX_LETTERS,
            filter={"reason": reason, "account": account, "contact": contact},
        )

    async def confirm_letters(self, request: Request) -> Response:
        """Ask, with the count, whether to change the letters that are meant."""
        what = text_of(request, "what")
        if what not in _LETTER_CHANGES:
            raise WrongRequest("what: replay or discard")
        letters = await self._meant(request.query_params)
        return page(
            request,
            "confirm.html",
            "dead-letters",
            what=what,
            letters=letters[:10],
            count=len(letters),
            most=changes.MAX_LETTERS,
            meant={name: request.query_params.get(name, "") for name in ("turn", "reason")},
        )

    async def change_letters(self, request: Request) -> Response:
        """Replay or discard the letters that are meant."""
        form = await form_of(request)
        change = _LETTER_CHANGES.get(form.get("what", ""))
        if change is None:
            raise WrongRequest("what: replay or discard")
        done = 0
        for letter in await self._meant(form):  # a transaction each: webhooks come in between
            done += bool(await self.store.run(change_letter, letter.turn, change))
        said = _DONE[form["what"]] if done else "nothing"
        return see_other(f"/admin/dead-letters?said={said}&count={done}")

    async def _meant(self, named: Mapping[str, str]) -> list[DeadLetter]:
        """Return the letter that is *named*, or all of a reason; all if it is `*`."""
        turn, reason = named.get("turn", ""), named.get("reason", "")
        if "\0" in turn or not (turn or reason):
            raise WrongRequest("a turn or a reason has to be named")
        wanted = Filter(turn=turn or None)
        return await self.store.run(
            changes.find_letters, wanted, None if turn or reason == "*" else reason
        )

    # --- the rest -------------------------------------------------------------

    async def list_accounts(self, request: Request) -> Response:
        """Show the accounts, and what sends."""
        return await self._accounts(request)

    async def make_link(self, request: Request) -> Response:
        """Show a link with which the owner of an account connects it, once."""
        app = connect_app(self.settings)
        await form_of(request)
        if app is None:
            raise WrongRequest("instagram.app_id is not set", status=404)
        return await self._accounts(request, link=await make_link(self.store, app))

    async def _accounts(self, request: Request, link: str = "") -> Response:
        return page(
            request,
            "accounts.html",
            "accounts",
            accounts=await account_states(self.store, self.settings),
            stopped=await self.store.run(stops.stopped),
            sends=self.settings.sender.enabled,
            can_connect=self.settings.instagram.app_id is not None,
            link=link,
            now=await self.store.run(_now),
        )

    async def switch_account(self, request: Request) -> Response:
        """Stop the sending of an account or of all, or let it go on."""
        change = _SWITCHES.get(request.path_params["action"])
        if change is None:
            raise WrongRequest("there is no such action", status=404)
        await form_of(request)
        whose = path_text(request, "id")
        done = await switch_sending(self.store, self.settings, whose, change)
        return see_other(f"/admin/accounts?said={_SWITCHED[change] if done else 'unchanged'}")

    async def show_settings(self, request: Request) -> Response:
        """Show every setting as it counts, and its source; of secrets no more than their length."""
        try:
            found = explain(adapters=registry)
            rows = [(it.path, shown(it), it.source, it.key.sentence) for it in found]
        except SettingsError:
            rows = []  # the environment has changed since the start
        return page(request, "settings.html", "settings", rows=rows)

    async def list_operations(self, request: Request) -> Response:
        """Show the operator log."""
        after, limit = read_cursor(request, int), limit_of(request)
        found = await self.store.run(log.find, int(after[0]) if after else TOP, limit)
        last = write_cursor((found[-1].id,)) if len(found) == limit else None
        return page(request, "operations.html", "operations", found=found, next=last)

    async def static(self, request: Request) -> Response:
        """Send a file of ours."""
        name = request.path_params["name"]
        if name not in FILES:
            raise WrongRequest("there is no such file", status=404)
        headers = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
        return FileResponse(STATIC / name, headers=headers, media_type=FILES[name])


def page(request: Request, template: str, place: str, /, **values: Any) -> Response:  # noqa: ANN401
    """Return a page of the console for who asks for it."""
    caller: Caller = request.scope["caller"]
    said = SAID.get(request.query_params.get("said", ""), "")
    number = request.query_params.get("count", "")
    return render(
        template,
        200,
        **{
            "caller": caller,
            "place": place,
            "version": __version__,
            "said": said.format(count=number if number.isdigit() else ""),
            **values,
        },
    )


def window_of(closes_at: int, now: int, sender: SenderSettings) -> str:
    """Return what Meta's window lets an operator write *now*; it *closes_at* (both UTC ms)."""
    if closes_at > now:
        return f"the window is open until {moment(closes_at)}"
    until = closes_at - WINDOW + PERSON_WINDOW
    if closes_at and sender.human_agent and now < until:
        return f"the window is closed; what a person writes goes out until {moment(until)}"
    return "the window is closed: it opens when the person writes"


def place_of(account: str, contact: str) -> str:
    """Return the address of a conversation's page."""
    return f"/admin/conversations/{quote(account, safe='')}/{quote(contact, safe='')}"


def see_other(place: str) -> Response:
    """Return the redirection after a form has been taken."""
    return RedirectResponse(place, 303, {"Cache-Control": "no-store"})


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form; `WrongRequest` if they are too many, or not from our page."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM:
            raise WrongRequest("the form is too large")
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20)
    form = {name: values[0] for name, values in fields.items()}
    caller: Caller | None = request.scope.get("caller")
    if caller is not None and caller.form_token and not caller.owns(form.get("form_token", "")):
        raise WrongRequest("the form is not from a page of this session", status=403)
    return form


# --- verbs ----------------------------------------------------------------------


def _now(tx: Tx) -> int:
    return tx.now
