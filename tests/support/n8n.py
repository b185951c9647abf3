"""n8n with workflows that answer in the ways that it knows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp

from qa.support.processes import free_port
from tests.support.npm import environ

Json: TypeAlias = dict[str, Any]

PACKAGE = "n8n@2.41.1"
BUILT = ("isolated-vm", "sqlite3")
STARTS_WITHIN = 90.0  # seconds; its database is made at the first start

# --- the workflows ----------------------------------------------------------


def node(name: str, kind: str, version: float, parameters: Json, **more: object) -> Json:
    """Return a node of a workflow."""
    place = {"id": name, "name": name, "position": [0, 0]}
    return {"parameters": parameters, "type": kind, "typeVersion": version, **place, **more}


def chat(path: str, mode: str) -> Json:
    """Return a public Chat Trigger, which answers by *mode*."""
    options = {"public": True, "options": {"responseMode": mode}}
    kind = "@n8n/n8n-nodes-langchain.chatTrigger"
    return node("Trigger", kind, 1.4, options, webhookId=path)


def webhook(path: str, mode: str, **more: object) -> Json:
    """Return a Webhook, which answers by *mode*."""
    options = {"httpMethod": "POST", "path": path, "responseMode": mode, "options": {}, **more}
    return node("Trigger", "n8n-nodes-base.webhook", 2.1, options, webhookId=path)


def says(name: str, value: str, kind: str = "string") -> Json:
    """Return a node whose item has *value* as its one field *name*."""
    fields = [{"id": "1", "name": name, "value": value, "type": kind}]
    parameters = {"assignments": {"assignments": fields}, "options": {}}
    return node("Says", "n8n-nodes-base.set", 3.4, parameters)


def responds(text: str) -> Json:
    """Return a "Respond to Webhook" of *text*."""
    parameters = {"respondWith": "text", "responseBody": text, "options": {}}
    return node("Responds", "n8n-nodes-base.respondToWebhook", 1.4, parameters)


SPLIT = node("Split", "n8n-nodes-base.splitOut", 1, {"fieldToSplitOut": "all", "options": {}})
STOP = node("Stop", "n8n-nodes-base.stopAndError", 1, {"errorMessage": "boom"})
_A_IS_B = {
    "id": "1",
    "leftValue": "a",
    "rightValue": "b",
    "operator": {"type": "string", "operation": "equals"},
}
NEVER = node(
    "Never",
    "n8n-nodes-base.filter",
    2.2,
    {
        "conditions": {
            "options": {"caseSensitive": True, "typeValidation": "strict", "version": 2},
            "conditions": [_A_IS_B],
            "combinator": "and",
        },
        "options": {},
    },
)
AGENT = node("Agent", "@n8n/n8n-nodes-langchain.agent", 2.2, {"options": {"enableStreaming": True}})
MODEL = node(
    "Model",
    "@n8n/n8n-nodes-langchain.lmChatOpenAi",
    1.2,
    {"model": {"__rl": True, "mode": "id", "value": "m"}, "options": {"maxRetries": 0}},
    credentials={"openAiApi": {"id": "model", "name": "model"}},
)
WORKFLOWS = {
    "chat": [chat("chat", "lastNode"), says("output", "={{$json.sessionId}}: {{$json.chatInput}}")],
    "items": [
        webhook("items", "lastNode", responseData="allEntries"),
        says("all", '=[{"output": "one"}, {"output": "two"}]', "array"),
        SPLIT,
    ],
    "text": [webhook("text", "responseNode"), responds("=You said: {{$json.body.chatInput}}")],
    "quiet": [webhook("quiet", "responseNode"), NEVER, responds("never")],
    "started": [webhook("started", "onReceived"), says("output", "too late")],
    "fails": [webhook("fails", "lastNode"), STOP],
    "stream": [chat("stream", "streaming"), AGENT, MODEL],
}


def links(nodes: list[Json]) -> Json:
    """Return the connections of *nodes*, one after another; a model belongs to the one before."""
    found: Json = {}
    for before, after in pairwise(nodes):
        kind = "ai_languageModel" if after is MODEL else "main"
        source, target = (after, before) if after is MODEL else (before, after)
        end = {"node": target["name"], "type": kind, "index": 0}
        found[source["name"]] = {kind: [[end]]}
    return found


def write_files(folder: Path, model_url: str) -> None:
    """Write what n8n imports."""
    workflows = [
        {
            "id": name,
            "name": name,
            "nodes": nodes,
            "connections": links(nodes),
            "active": True,
            "settings": {"executionOrder": "v1"},
        }
        for name, nodes in WORKFLOWS.items()
    ]
    key = {"apiKey": "sk-fake", "url": model_url}
    credentials = [{"id": "model", "name": "model", "type": "openAiApi", "data": key}]
    (folder / "workflows.json").write_text(json.dumps(workflows))
    (folder / "credentials.json").write_text(json.dumps(credentials))


# --- the server -------------------------------------------------------------


@asynccontextmanager
async def served(installed: Path, folder: Path, model_url: str) -> AsyncIterator[str]:
    """Run n8n with its data in *folder* while the block does; give its root."""
    port = str(free_port())
    variables = environ(
        installed,
        HOME=str(folder),
        N8N_USER_FOLDER=str(folder),
        N8N_PORT=port,
        N8N_LISTEN_ADDRESS="127.0.0.1",
        N8N_DIAGNOSTICS_ENABLED="false",
        N8N_VERSION_NOTIFICATIONS_ENABLED="false",
        N8N_TEMPLATES_ENABLED="false",
        N8N_RUNNERS_BROKER_PORT=str(free_port()),
    )
    program = installed / "node_modules/.bin/n8n"
    write_files(folder, model_url)
    commands = [
        ("import:credentials", f"--input={folder / 'credentials.json'}"),
        ("import:workflow", f"--input={folder / 'workflows.json'}"),
        *(("publish:workflow", f"--id={name}") for name in WORKFLOWS),
    ]
    for command, argument in commands:
        done = await asyncio.create_subprocess_exec(
            program, command, argument, env=variables, stdout=asyncio.subprocess.DEVNULL
        )
        assert await done.wait() == 0, f"n8n {command} failed"
    process = await asyncio.create_subprocess_exec(
        *(program, "start"),
        env=variables,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    root = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(STARTS_WITHIN), aiohttp.ClientSession() as session:
            while not await _is_there(session, root):
                assert process.returncode is None, "n8n ended"
                await asyncio.sleep(0.2)
        yield root
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _is_there(session: aiohttp.ClientSession, root: str) -> bool:
    """Return whether the last workflow is registered: the server answers before they are."""
    with suppress(aiohttp.ClientError):
        async with session.post(f"{root}/webhook/started", json={}) as response:
            return response.status == 200 and response.content_type == "application/json"
    return False
