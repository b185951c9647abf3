"""An agent on a2a-sdk 1.x that does what it is told: `server_1x.py PORT BINDING VERSION`."""

from __future__ import annotations

import asyncio
import sys

import uvicorn
from a2a.helpers import new_task_from_user_message, new_text_message, new_url_part
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import (
    create_agent_card_routes,
    create_jsonrpc_routes,
    create_rest_routes,
)
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import (
    AgentCapabilities,
    AgentCard,
    AgentInterface,
    AgentSkill,
    Message,
    Part,
    Role,
    TaskState,
)
from starlette.applications import Starlette

RUNS = 0


class Obedient(AgentExecutor):
    """Does what the message's text says, and counts how often it was run."""

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Answer in the way that the text names."""
        global RUNS
        RUNS += 1
        said = context.get_user_input()
        if said == "message":
            await event_queue.enqueue_event(new_text_message("a message", role=Role.ROLE_AGENT))
            return
        if said == "raise":
            raise RuntimeError("the model is out")
        asked = context.current_task
        if asked is None:
            assert context.message is not None
            await event_queue.enqueue_event(new_task_from_user_message(context.message))
        updater = TaskUpdater(event_queue, str(context.task_id), str(context.context_id))

        def words(text: str) -> Message:
            return updater.new_agent_message([Part(text=text)])

        if asked is not None and asked.status.state == TaskState.TASK_STATE_INPUT_REQUIRED:
            await updater.add_artifact([Part(text=f"{said} it is")], artifact_id="second")
            await updater.complete()
            return
        match said:
            case "artifacts":
                await updater.add_artifact([Part(text="one "), Part(text="whole")])
                await updater.add_artifact([new_url_part("https://cdn.example/a.png", "image/png")])
                await updater.update_status(TaskState.TASK_STATE_WORKING, words("on the way"))
                await updater.complete(words("that is all"))
            case "status":
                await updater.complete(words("a status"))
            case "history":
                await updater.update_status(TaskState.TASK_STATE_WORKING, words("in history"))
                await updater.complete()
            case "paused":
                await updater.start_work()
            case "silence":
                await updater.complete()
            case "ask":
                await updater.add_artifact([Part(text="We have two.")], artifact_id="first")
                await updater.requires_input(words("Red or blue?"))
            case "auth":
                await updater.requires_auth(words("log in"))
            case "failed":
                await updater.failed(words("no model"))
            case "rejected":
                await updater.reject(words("not allowed"))
            case "canceled":
                await updater.cancel(words("stopped"))
            case "slow":
                await updater.start_work()
                await asyncio.sleep(0.6)
                await updater.add_artifact([Part(text=f"run {RUNS}")])
                await updater.complete()
            case _:
                await updater.add_artifact([Part(text=f"{context.context_id}: {said}")])
                await updater.complete()

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Nobody cancels here."""


def main() -> None:
    """Serve one interface, as the arguments say."""
    port, binding, version = sys.argv[1:]
    root = f"http://127.0.0.1:{port}"
    path = "" if binding == "HTTP+JSON" else "/rpc"
    interface = AgentInterface(
        url=f"{root}{path}", protocol_binding=binding, protocol_version=version
    )
    card = AgentCard(
        name="Obedient",
        description="does what it is told",
        version="1",
        supported_interfaces=[interface],
        capabilities=AgentCapabilities(streaming=True),
        default_input_modes=["text/plain", "image/jpeg"],
        default_output_modes=["text/plain"],
        skills=[AgentSkill(id="obey", name="Obey", description="any", tags=["test"])],
    )
    handler = DefaultRequestHandler(
        Obedient(), InMemoryTaskStore(), card, validate_input_modes=True
    )
    old = version.startswith("0.")
    routes = (
        create_rest_routes(handler, enable_v0_3_compat=old)
        if binding == "HTTP+JSON"
        else create_jsonrpc_routes(handler, "/rpc", enable_v0_3_compat=old)
    )
    app = Starlette(routes=[*create_agent_card_routes(card), *routes])
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")


if __name__ == "__main__":
    main()
