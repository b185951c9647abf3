#!/usr/bin/env bash
# agentkernel 0.9.5 with openai-agents 0.24.0 (it asks for 0.20.0 or newer): a run that pauses for an
# approval can't be resumed, and the failure is a 200.
#
# With 0.24.0 the SDK reads `session.session_id` when it goes on with a stored run; the session
# that Agent Kernel hands it has none. The pause itself works, and so does everything else. The
# same request with openai-agents 0.20.0 runs the tool.
#
# The guess: what answers 202 PAUSED with a run_id can be resumed by it; and a failed resume is
# no success.
#
# For those who rely on it: the person approves, and reads "Error: 'OpenAISession' object ...".
# Pin openai-agents, and take a `result` that begins with "Error: " for a failure.
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
import logging
from importlib.metadata import version

import httpx
from agentkernel.api import AgentRESTRequestHandler
from agentkernel.openai import OpenAIModule
from agents import Agent, Model, ModelResponse, RunConfig, Usage, function_tool
from fastapi import FastAPI
from openai.types.responses import (
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
)

logging.disable(logging.CRITICAL)


class Fake(Model):
    async def get_response(self, system_instructions, input, *args, **more):
        last = input[-1] if isinstance(input, list) else {}
        if last.get("type") == "function_call_output":
            text = ResponseOutputText(type="output_text", text=last["output"], annotations=[])
            said = ResponseOutputMessage(
                id="m", type="message", role="assistant", status="completed", content=[text]
            )
        else:
            said = ResponseFunctionToolCall(
                id="f", call_id="c1", type="function_call", name="refund", arguments='{"euros": 120}'
            )
        return ModelResponse(output=[said], usage=Usage(), response_id=None)

    def stream_response(self, *args, **more):
        raise NotImplementedError


@function_tool(needs_approval=True)
def refund(euros: int) -> str:
    return f"{euros} are back"


async def main():
    agent = Agent(name="shop", tools=[refund], model=Fake())
    OpenAIModule([agent]).run_options(agent, run_config=RunConfig(tracing_disabled=True))
    app = FastAPI()
    app.include_router(AgentRESTRequestHandler().get_router())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://a") as http:

        async def chat(**fields):
            body = {"session_id": "s", "user_id": "u", "agent": "shop", **fields}
            answer = await http.post("/api/v1/chat", json=body)
            return answer.status_code, answer.json()

        status, paused = await chat(prompt="Give me my money back")
        assert (status, paused["status"]) == (202, "PAUSED"), paused
        decision = {"id": paused["interruptions"][0]["id"], "status": "approved"}
        status, done = await chat(resume={"run_id": paused["run_id"], "decisions": [decision]})
        print(f"openai-agents {version('openai-agents')}: {status} {done['result']}")
        assert status == 200
        return done["result"]


answer = asyncio.run(main())
broken = version("openai-agents") == "0.24.0"
assert answer.startswith("Error: ") if broken else answer == "120 are back", answer
PY
cd "$work"
for agents in 0.20.0 0.24.0; do
  "$python" -m venv "$work/$agents"
  "$work/$agents/bin/pip" install -qq --no-compile --disable-pip-version-check \
    "agentkernel[api,openai]==0.9.5" "openai-agents==$agents" httpx==0.28.1
  "$work/$agents/bin/python" -c 'from importlib.metadata import version as v; print("agentkernel", v("agentkernel"))'
  OPENAI_API_KEY=none timeout 100 "$work/$agents/bin/python" run.py
done
