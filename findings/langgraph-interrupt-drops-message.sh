#!/usr/bin/env bash
# langgraph-api 0.16.7: with multitask_strategy "interrupt" a first message that the server had
# accepted is gone, if the second comes before the first run was picked up from the queue.
#
# "interrupt" is documented as: stop the current run, keep what it has done, run the new input.
# Runs are queued and picked up about every half second. A run that is interrupted while it
# still waits has not written its input into the thread, so there is nothing to keep. Its
# caller gets HTTP 200 with `{}`: no __error__, no 409, no interrupt.
#
# The guess: interrupt merges double texting ("a table for two" - "at eight"), the graph sees
# both messages; what is dropped altogether is the job of strategy "rollback". It is so when
# the first run has already begun, which a test by hand, with seconds in between, shows.
#
# For those who rely on it: people write two or three messages within a second. The first ones
# vanish from the agent's memory, and `{}` looks like an agent that had nothing to say.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check \
  'langgraph-cli[inmem]==0.4.40' langgraph-api==0.16.7 langgraph-runtime-inmem==0.36.7 \
  langgraph==1.2.24
mkdir "$work/app"
cat >"$work/app/graphs.py" <<'PY'
import asyncio
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages


class State(TypedDict):
    messages: Annotated[list, add_messages]


async def answer(state):
    heard = [m.content for m in state["messages"] if m.type == "human"]
    await asyncio.sleep(8 if len(heard) == 1 and "two" in heard[0] else 0)
    return {"messages": [("ai", "I heard: " + " / ".join(heard))]}


builder = StateGraph(State)
builder.add_node("answer", answer)
builder.add_edge(START, "answer")
builder.add_edge("answer", END)
bot = builder.compile()
PY
echo '{"dependencies": ["."], "graphs": {"bot": "./graphs.py:bot"}}' >"$work/app/langgraph.json"
cd "$work/app"
timeout 150 "$work/venv/bin/python" - "$work" <<'PY'
import asyncio
import os
import socket
import subprocess
import sys
import uuid
from importlib.metadata import version

import httpx

work = sys.argv[1]
FIRST, SECOND = "A table for two please", "at eight"
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]


async def double_text(http, pause):
    """Two messages in one thread, `pause` seconds apart; both bodies and what the thread holds."""
    thread = f"/threads/{uuid.uuid4()}"

    async def send(text, after):
        await asyncio.sleep(after)
        turn = {
            "assistant_id": "bot",
            "input": {"messages": [{"role": "user", "content": text}]},
            "if_not_exists": "create",
            "multitask_strategy": "interrupt",
        }
        return await http.post(f"{thread}/runs/wait", json=turn)

    first, second = await asyncio.gather(send(FIRST, 0), send(SECOND, pause))
    state = (await http.get(f"{thread}/state")).json()["values"]["messages"]
    print(f"{pause} s apart: the first call got {first.status_code} {first.text.strip()[:60]!r}")
    print("  last message of the thread:", repr(state[-1]["content"]))
    return first, [m["content"] for m in state if m["type"] == "human"]


async def main():
    print("langgraph-api", version("langgraph-api"), "inmem", version("langgraph-runtime-inmem"))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=40) as http:
        for _ in range(400):
            try:
                if (await http.get("/ok")).status_code == 200:
                    break
            except httpx.TransportError:
                await asyncio.sleep(0.2)
        # The queue looks every half second, and at once after a run: a warm-up run aligns it.
        await http.post(
            "/runs/wait",
            json={"assistant_id": "bot", "input": {"messages": [{"role": "user", "content": "hi"}]}},
        )
        lost = 0
        for _ in range(5):
            first, heard = await double_text(http, 0.02)
            if heard == [SECOND]:
                lost += 1
                assert (first.status_code, first.json()) == (200, {})
        _, heard = await double_text(http, 2.5)
        print(f"lost {lost} of 5 when close together; 2.5 s apart the thread holds {heard}")
        assert lost >= 1, "no message was lost"
        assert heard == [FIRST, SECOND], "a run that has begun is dropped as well"


env = os.environ | {"LANGGRAPH_CLI_NO_ANALYTICS": "1", "LANGSMITH_TRACING": "false"}
server = subprocess.Popen(
    ["timeout", "140", f"{work}/venv/bin/langgraph", "dev", "--no-browser", "--no-reload"]
    + ["--host", "127.0.0.1", "--port", str(port), "--n-jobs-per-worker", "4"],
    env=env,
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)
try:
    asyncio.run(main())
finally:
    server.terminate()
    server.wait()
PY
