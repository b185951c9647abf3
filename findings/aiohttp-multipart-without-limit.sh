#!/usr/bin/env bash
# aiohttp 3.14.5: `client_max_size=0` is no limit for read(), json() and post(), multipart bodies
# included, and a limit of no bytes for multipart(): reading its first part is a 413.
#
# The former look at the limit only if it is not 0. request.multipart() hands it on as it is,
# and its parts compare: more than 0 bytes are too many.
#
# The guess: one setting of the application means the same for every way to read a body. With 0,
# an upload of gigabytes is taken, so a part of 20 bytes will be.
#
# For those who rely on it: a service that bounds bodies itself, and so sets 0, works until a handler
# goes from post() to multipart() in order not to hold files in memory; "Maximum request body
# size 0 exceeded" names no setting. Use a number (`sys.maxsize`), or make
# aiohttp.MultipartReader(request.headers, request.content).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check aiohttp==3.14.5
timeout 100 "$work/venv/bin/python" - <<'PY'
import asyncio
import io
import sys

import aiohttp
from aiohttp import web


async def read(request):
    return web.json_response({"bytes": len(await request.read())})


async def post(request):
    return web.json_response({"fields": [*await request.post()]})


async def multipart(request):
    part = await (await request.multipart()).next()
    return web.json_response({"first": bytes(await part.read()).decode()})


def form():
    fields = aiohttp.FormData()
    fields.add_field("text", io.BytesIO(b"We open at nine."), filename="a.txt")
    return fields


async def statuses(limit):
    app = web.Application(client_max_size=limit)
    for handler in (read, post, multipart):
        app.router.add_post(f"/{handler.__name__}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    calls = {
        "read, 3 MB": ("read", {"data": io.BytesIO(b"x" * 3_000_000)}),
        "post, a form": ("post", {"data": {"text": "We open at nine."}}),
        "post, multipart": ("post", {"data": form()}),
        "multipart": ("multipart", {"data": form()}),
    }
    found = {}
    async with aiohttp.ClientSession() as session:
        for name, (path, body) in calls.items():
            async with session.post(f"{base}/{path}", **body) as response:
                found[name] = response.status
                print(f"  {name:<16}", response.status, (await response.text())[:70])
    await runner.cleanup()
    return found


print("aiohttp", aiohttp.__version__)
print("client_max_size=0")
without = asyncio.run(statuses(0))
print("client_max_size=sys.maxsize")
bounded = asyncio.run(statuses(sys.maxsize))
assert set(bounded.values()) == {200}, "multipart bodies are refused otherwise too"
assert [*without.values()] == [200, 200, 200, 413], "0 means the same for all"
PY
