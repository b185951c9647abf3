#!/usr/bin/env bash
# agentkernel 0.9.5: a picture that an agent answers with does not come out of the REST API. What
# comes out is an English sentence about it.
#
# Agent Kernel has a reply for pictures, with data, name and type. `/api/v1/chat` answers its
# text with "Image NAME is attached." behind it, and nothing else. A structured reply (an output
# type) comes out whole, but as a text that holds JSON.
#
# The guess: a server whose requests have `images` has them in its answers too; and `result` of a
# structured reply is an object.
#
# For those who rely on it: the person reads that a picture is attached, and there is none. Let the
# agent answer a document with the picture's address, and parse `result` once more.
#
# Needs Python 3.12 or 3.13, which agentkernel asks for.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for python in python3.12 python3.13 python3; do
  "$python" -c 'import sys; sys.exit(not (3, 12) <= sys.version_info < (3, 14))' 2>/dev/null && break
  [ "$python" != python3 ] || { echo "needs Python 3.12 or 3.13"; exit 2; }
done
cat >"$work/config.yaml" <<'YAML'
execution:
  mode: rest_sync
session:
  type: in_memory
YAML
cat >"$work/run.py" <<'PY'
import asyncio
import json
import logging
from importlib.metadata import version

import httpx
from agentkernel.api import AgentRESTRequestHandler
from agentkernel.core import AgentReplyAny, AgentReplyImage, PreHook
from agentkernel.openai import OpenAIModule
from agents import Agent
from fastapi import FastAPI

logging.disable(logging.CRITICAL)
DATA = "iVBORw0KGgoAAAANSUhEUg"
DOCUMENT = {"messages": [{"image": "https://shop.example/map.png"}]}


class Answers(PreHook):
    """Answers in the agent's place, as a hook may: no model is needed."""

    def name(self):
        return "answers"

    async def on_run(self, session, agent, requests):
        if "picture" in requests[0].prompt:
            return AgentReplyImage(
                response="Here is our map", image_data=DATA, name="map.png", mime_type="image/png"
            )
        return AgentReplyAny(content=DOCUMENT)


async def main():
    agent = Agent(name="shop")
    OpenAIModule([agent]).pre_hook(agent, [Answers()])
    app = FastAPI()
    app.include_router(AgentRESTRequestHandler().get_router())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://a") as http:

        async def chat(prompt):
            body = {"session_id": "s", "user_id": "u", "agent": "shop", "prompt": prompt}
            answer = await http.post("/api/v1/chat", json=body)
            print(prompt, "->", answer.status_code, answer.text)
            return answer

        print("agentkernel", version("agentkernel"))
        picture, structured = await chat("a picture"), await chat("a document")
    assert picture.json()["result"] == "Here is our map. Image map.png is attached."
    assert DATA not in picture.text
    assert isinstance(structured.json()["result"], str)
    assert json.loads(structured.json()["result"]) == DOCUMENT


asyncio.run(main())
PY
cd "$work"
"$python" -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check \
  "agentkernel[api,openai]==0.9.5" openai-agents==0.20.0 httpx==0.28.1
OPENAI_API_KEY=none timeout 100 "$work/venv/bin/python" run.py
