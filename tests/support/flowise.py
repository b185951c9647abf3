"""Flowise with flows that answer in the ways that it knows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp

from qa.support.processes import free_port
from tests.support.npm import environ

Json: TypeAlias = dict[str, Any]

PACKAGE = "flowise@3.1.4"
BUILT = ("sqlite3",)
STARTS_WITHIN = 90.0  # seconds
_OWNER = {"name": "Test", "email": "owner@example.com"}
_PASSWORD = "Abcdef1!xyz"

# --- the flows --------------------------------------------------------------


def node(key: str, kind: str, inputs: Json, *variables: str) -> Json:
    """Return a node of an agentflow; texts under the names *variables* may have variables."""
    parameters = [{"name": name, "type": "string", "acceptVariable": True} for name in variables]
    data = {
        "id": key,
        "label": key,
        "name": kind,
        "type": kind,
        "version": 1,
        "category": "Agent Flows",
        "baseClasses": [kind],
        "inputs": inputs,
        "inputParams": parameters,
        "inputAnchors": [],
        "outputAnchors": [],
        "outputs": {},
    }
    return {"id": key, "type": "agentFlow", "position": {"x": 0, "y": 0}, "data": data}


def edge(source: str, target: str, output: str) -> Json:
    """Return what leads from the *output* of a node to another one."""
    handle = f"{source}-output-{output}"
    ends = {"source": source, "sourceHandle": handle, "target": target, "targetHandle": target}
    return {"id": f"{handle}-{target}", "type": "agentFlow", **ends}


START = node("start", "startAgentflow", {"startInputType": "chatInput"})
SAYS = node(
    "says",
    "directReplyAgentflow",
    {"directReplyMessage": "{{ $flow.sessionId }}: {{ question }}"},
    "directReplyMessage",
)
ASKS = node(
    "asks",
    "humanInputAgentflow",
    {"humanInputDescriptionType": "fixed", "humanInputDescription": "Refund 120 €?"},
)
FLOWS = {
    "says": ([START, SAYS], [edge("start", "says", "startAgentflow")]),
    "asks": (
        [START, ASKS, SAYS],
        [edge("start", "asks", "startAgentflow"), edge("asks", "says", "0")],
    ),
    "fails": ([START, node("nothing", "unknownAgentflow", {})], [edge("start", "nothing", "x")]),
}

# --- the server -------------------------------------------------------------


@asynccontextmanager
async def served(installed: Path, folder: Path) -> AsyncIterator[dict[str, str]]:
    """Run Flowise with its data in *folder*; give the address of each flow."""
    port = str(free_port())
    places = ("DATABASE_PATH", "APIKEY_PATH", "SECRETKEY_PATH", "LOG_PATH", "BLOB_STORAGE_PATH")
    variables = environ(
        installed,
        HOME=str(folder),
        PORT=port,
        HOST="127.0.0.1",
        DISABLE_FLOWISE_TELEMETRY="true",
        **dict.fromkeys(places, str(folder)),
    )
    process = await asyncio.create_subprocess_exec(
        *(installed / "node_modules/.bin/flowise", "start"),
        env=variables,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    root = f"http://127.0.0.1:{port}/api/v1"
    try:
        jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address without a name
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            async with asyncio.timeout(STARTS_WITHIN):
                while not await _is_there(session, root):
                    assert process.returncode is None, "Flowise ended"
                    await asyncio.sleep(0.2)
            flows = await _make_flows(session, root)
        yield {name: f"{root}/prediction/{key}" for name, key in flows.items()}
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _is_there(session: aiohttp.ClientSession, root: str) -> bool:
    with suppress(aiohttp.ClientError):
        async with session.get(f"{root}/ping") as response:
            return response.status == 200
    return False


async def _make_flows(session: aiohttp.ClientSession, root: str) -> dict[str, str]:
    """Make an account and the flows in it; return their ids."""
    await _post(session, f"{root}/account/register", {"user": {**_OWNER, "credential": _PASSWORD}})
    login = {"email": _OWNER["email"], "password": _PASSWORD}
    await _post(session, f"{root}/auth/login", login)
    ids = {}
    for name, (nodes, edges) in FLOWS.items():
        data = json.dumps({"nodes": nodes, "edges": edges})
        flow = {"name": name, "flowData": data, "type": "AGENTFLOW", "isPublic": True}
        ids[name] = (await _post(session, f"{root}/chatflows", flow))["id"]
    return ids


async def _post(session: aiohttp.ClientSession, url: str, body: Json) -> Json:
    headers = {"x-request-from": "internal"}
    async with session.post(url, json=body, headers=headers) as response:
        assert response.ok, await response.text()
        found: Json = await response.json()
        return found
