"""
The agent `general` behind Agent Kernel's REST API, `POST /api/v1/chat`.

Change the agent here: its instructions, its model, its tools.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from agentkernel.api import RESTAPI, AgentRESTRequestHandler
from agentkernel.openai import OpenAIModule
from agents import Agent, RunConfig, set_default_openai_key
from memory import recent

GENERAL = Agent(
    name="general",
    instructions=(
        "You answer people who write to us on Instagram. Be friendly and brief: a few "
        "sentences, in the language they write in. If you don't know something, say so."
    ),
)

# Traces have people's words in them and would go to OpenAI, whatever OPENAI_BASE_URL says.
RUN = RunConfig(session_input_callback=recent, tracing_disabled=True)


def main() -> None:
    """Serve the agent until a signal comes."""
    set_default_openai_key(api_key(), use_for_tracing=False)
    OpenAIModule([GENERAL]).run_options(GENERAL, run_config=RUN)
    # With a handler of its own, Agent Kernel runs the agent in the server's event loop.
    # Without one it queues for five threads with a new loop for each question, which
    # the client's open connections to the model do not survive: "Event loop is closed".
    RESTAPI.run([AgentRESTRequestHandler()])


def api_key() -> str:
    """Return `OPENAI_API_KEY`, or what is in the file that `OPENAI_API_KEY_FILE` names."""
    if key := os.environ.get("OPENAI_API_KEY"):
        return key
    if file := os.environ.get("OPENAI_API_KEY_FILE"):
        return Path(file).read_text(encoding="utf-8").strip()
    sys.exit("set OPENAI_API_KEY, or OPENAI_API_KEY_FILE to the name of a file with the key")


if __name__ == "__main__":
    main()
