"""Routes about conditions: all that is and has happened, faults, behaviour, clock, webhook."""

from __future__ import annotations

import json
from contextlib import aclosing, suppress
from dataclasses import asdict

from aiohttp import web

from instagram_simulator.faults import Fault, FaultKind
from instagram_simulator.journal import Journal
from instagram_simulator.same_origin import HEADERS
from instagram_simulator.state import Unknown
from instagram_simulator.values import Json

from .requests import ENGINE, BadRequest, Route, json_of, made_of, text_in


async def state(request: web.Request) -> web.StreamResponse:
    """Return all that a page needs to begin; events after `mark` go on from here."""
    engine = request.app[ENGINE]
    account = engine.world.account
    return web.json_response(
        {
            "mark": mark(engine.journal, engine.journal.seq),
            "now": engine.world.clock.now(),
            "account": {
                "account_id": account.account_id,
                "username": account.username,
                "name": account.name,
            },
            "people": [each.to_json() for each in engine.world.conversations()],
            "switches": asdict(engine.behaviour),
            "faults": engine.active_faults(),
            "fault_kinds": list(FaultKind),
            "webhook": engine.deliveries.url,
            "held": len(engine.dispatch.held),
            "fields": {"app": engine.dispatch.app_fields, "accounts": engine.dispatch.subscribed},
        }
    )


async def calls(request: web.Request) -> web.StreamResponse:
    """Return the Graph calls and webhook posts that are still known, oldest first."""
    known = [
        {"seq": entry.seq, "kind": entry.kind, **entry.data}
        for entry in request.app[ENGINE].journal.known()
        if entry.kind in ("graph", "webhook")
    ]
    return web.json_response(known[-int(request.query.get("limit", "100")) :])


async def ledger(request: web.Request) -> web.StreamResponse:
    """Return which webhooks were accepted and how often, and which messages arrived."""
    engine = request.app[ENGINE]
    accepted = engine.deliveries.accepted.items()
    return web.json_response(
        {
            "accepted": [
                {"kind": kind, "mid": mid, "times": times} for (kind, mid), times in accepted
            ],
            "applied": {each.person.igsid: each.applied for each in engine.world.conversations()},
        }
    )


async def events(request: web.Request) -> web.StreamResponse:
    """
    Stream all that happens from now on, or from the entry that the reader saw last.

    These are server-sent events. A reader that missed too much, or that knew an earlier
    run, is told `reset` first: it has to read the state anew.
    """
    journal = request.app[ENGINE].journal
    seen = request.headers.get("Last-Event-ID") or request.query.get("after", "")
    after = position(journal, seen)
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", **HEADERS}
    stream = web.StreamResponse(headers=headers)
    async with aclosing(journal.follow(journal.seq if after is None else after)) as entries:
        with suppress(ConnectionResetError):  # the reader has gone
            await stream.prepare(request)
            await stream.write(b"retry: 500\n\n")
            if seen and after is None:
                start = f"id: {mark(journal, journal.seq)}\nevent: reset\ndata: {{}}\n\n"
                await stream.write(start.encode())
            async for entry in entries:
                data = json.dumps({"kind": entry.kind, **entry.data})
                await stream.write(f"id: {mark(journal, entry.seq)}\ndata: {data}\n\n".encode())
    return stream


def mark(journal: Journal, seq: int) -> str:
    """Return the id of an entry: the run, and the number in it."""
    return f"{journal.epoch}-{seq}"


def position(journal: Journal, seen: str) -> int | None:
    """Return the number of the entry *seen*, or `None` if what followed is not known."""
    epoch, _, seq = seen.partition("-")
    if epoch != journal.epoch or not seq.isdecimal() or journal.since(int(seq)) is None:
        return None
    return int(seq)


async def faults(request: web.Request) -> web.StreamResponse:
    """List the faults that are on."""
    return web.json_response(request.app[ENGINE].active_faults())


async def fail(request: web.Request) -> web.StreamResponse:
    """Switch a fault on: `{"kind", "times"?, "probability"?, "on"?, "seconds"?}`."""
    number = request.app[ENGINE].fail(made_of(fault_of, await json_of(request)))
    return web.json_response({"number": number}, status=201)


def fault_of(kind: str, **rest: Json) -> Fault:
    """Return the fault that JSON describes."""
    return Fault(FaultKind(kind), **rest)  # type: ignore[arg-type] # JSON; Fault checks the values


async def heal(request: web.Request) -> web.StreamResponse:
    """Switch all faults off and let everything held go."""
    request.app[ENGINE].heal()
    return web.json_response([])


async def remove_fault(request: web.Request) -> web.StreamResponse:
    """Switch one fault off."""
    if not request.app[ENGINE].remove_fault(int(request.match_info["number"])):
        raise Unknown("no fault has that number")
    return web.json_response(request.app[ENGINE].active_faults())


async def release(request: web.Request) -> web.StreamResponse:
    """Let the held webhooks go."""
    return web.json_response({"released": request.app[ENGINE].dispatch.release()})


async def switch(request: web.Request) -> web.StreamResponse:
    """Change any of `echoes`, `echo_first`, `edit_companion` and `sends_per_second`."""
    return web.json_response(asdict(made_of(request.app[ENGINE].switch, await json_of(request))))


async def advance(request: web.Request) -> web.StreamResponse:
    """Let time pass: `{"advance": seconds}`."""
    seconds = (await json_of(request)).get("advance")
    if not isinstance(seconds, int | float):
        raise BadRequest("advance must be a number of seconds")
    engine = request.app[ENGINE]
    engine.world.clock.advance(seconds)
    now = engine.world.clock.now()
    engine.journal.write("clock", now=now, advanced=seconds)
    return web.json_response({"now": now})


async def fields(request: web.Request) -> web.StreamResponse:
    """Change the webhook fields: `{"app"?: [names], "account"?: [names]}`; none is deaf."""
    return web.json_response(made_of(request.app[ENGINE].set_fields, await json_of(request)))


async def subscribe(request: web.Request) -> web.StreamResponse:
    """Make a URL the webhook, if it passes Meta's check: `{"url", "verify_token"}`."""
    body = await json_of(request)
    await request.app[ENGINE].subscribe(text_in(body, "url"), text_in(body, "verify_token"))
    return web.json_response({"url": body["url"]})


ROUTES = (
    Route("GET", "/state", state),
    Route("GET", "/calls", calls),
    Route("GET", "/ledger", ledger),
    Route("GET", "/events", events),
    Route("GET", "/faults", faults),
    Route("POST", "/faults", fail),
    Route("DELETE", "/faults", heal),
    Route("DELETE", r"/faults/{number:\d+}", remove_fault),
    Route("POST", "/release", release),
    Route("PATCH", "/switches", switch),
    Route("POST", "/clock", advance),
    Route("POST", "/webhook", subscribe),
    Route("POST", "/fields", fields),
)
