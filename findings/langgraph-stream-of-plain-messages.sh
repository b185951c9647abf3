#!/usr/bin/env bash
# langgraph-api 0.16.7 (langgraph 1.2.24): the same graph that answers when it is waited for
# is silent when it is streamed, if its nodes return messages as dicts or tuples.
#
# Stream mode `messages-tuple` (and `messages`) tells of model calls and of message OBJECTS in
# a node's update. A node may as well return {"role": "assistant", "content": ...} or
# ("ai", ...): add_messages turns those into messages in the state, but after the streaming
# callbacks have looked, and no `messages` event is sent. The stream ends as a success does.
#
# The guess: all three spellings are documented as equal for add_messages, so they stream alike.
#
# For those who rely on it: every canned answer of a graph (opening hours, "a colleague will
# call you") is lost in streaming mode only. The client sees `metadata` and the end: an agent
# that chose to say nothing. Ask for `values` too, or let nodes return AIMessage.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check \
  'langgraph-cli[inmem]==0.4.40' langgraph-api==0.16.7 langgraph-runtime-inmem==0.36.7 \
  langgraph==1.2.24
mkdir "$work/app"
cat >"$work/app/graphs.py" <<'PY'
from typing import Annotated, TypedDict

from langchain_core.messages import AIMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

TEXT = "We open at nine."


class State(TypedDict):
    messages: Annotated[list, add_messages]


def graph(message):
    builder = StateGraph(State)
    builder.add_node("answer", lambda state: {"messages": [message]})
    builder.add_edge(START, "answer")
    builder.add_edge("answer", END)
    return builder.compile()


as_dict = graph({"role": "assistant", "content": TEXT})
as_tuple = graph(("ai", TEXT))
as_object = graph(AIMessage(TEXT, id="answer-1"))
PY
cat >"$work/app/langgraph.json" <<'JSON'
{"dependencies": ["."], "graphs": {"as_dict": "./graphs.py:as_dict", "as_tuple": "./graphs.py:as_tuple", "as_object": "./graphs.py:as_object"}}
JSON
cd "$work/app"
timeout 150 "$work/venv/bin/python" - "$work" <<'PY'
import os
import socket
import subprocess
import sys
import time
from importlib.metadata import version

import httpx

work = sys.argv[1]
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
env = os.environ | {"LANGGRAPH_CLI_NO_ANALYTICS": "1", "LANGSMITH_TRACING": "false"}
server = subprocess.Popen(
    ["timeout", "140", f"{work}/venv/bin/langgraph", "dev", "--no-browser", "--no-reload"]
    + ["--host", "127.0.0.1", "--port", str(port), "--n-jobs-per-worker", "4"],
    env=env,
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)
http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
try:
    for _ in range(400):
        try:
            if http.get("/ok").status_code == 200:
                break
        except httpx.TransportError:
            time.sleep(0.2)
    print("langgraph-api", version("langgraph-api"), "langgraph", version("langgraph"))
    events = {}
    for graph in ("as_object", "as_dict", "as_tuple"):
        turn = {"assistant_id": graph, "input": {"messages": [{"role": "user", "content": "Hi"}]}}
        waited = http.post("/runs/wait", json=turn).json()["messages"][-1]["content"]
        streamed = http.post("/runs/stream", json=turn | {"stream_mode": ["messages-tuple"]})
        assert streamed.status_code == 200
        lines = streamed.text.splitlines()
        events[graph] = [line.split(": ")[1] for line in lines if line.startswith("event: ")]
        print(f"{graph:9} waited for: {waited!r:20} events of the stream: {events[graph]}")
        assert waited == "We open at nine."
    assert events["as_object"] == ["metadata", "messages"], "message objects do not stream"
    assert events["as_dict"] == ["metadata"], "dicts stream"
    assert events["as_tuple"] == ["metadata"], "tuples stream"
finally:
    server.terminate()
    server.wait()
PY
