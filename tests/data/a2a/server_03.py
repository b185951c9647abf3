"""An agent on a2a-sdk 0.3 that does what it is told: `server_03.py PORT BINDING`."""

from __future__ import annotations

import sys

import uvicorn
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.apps import A2ARESTFastAPIApplication, A2AStarletteApplication
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import (
    AgentCapabilities,
    AgentCard,
    FilePart,
    FileWithUri,
    Message,
    Part,
    TaskState,
    TextPart,
)
from a2a.utils import new_agent_text_message, new_task


def text(words: str) -> Part:
    """Return a part of text."""
    return Part(root=TextPart(text=words))


class Obedient(AgentExecutor):
    """Does what the message's text says."""

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Answer in the way that the text names."""
        said = context.get_user_input()
        if said == "message":
            await event_queue.enqueue_event(new_agent_text_message("a message"))
            return
        if said == "raise":
            raise RuntimeError("the model is out")
        assert context.message is not None
        task = new_task(context.message)
        await event_queue.enqueue_event(task)
        updater = TaskUpdater(event_queue, task.id, task.context_id)

        def words(said: str) -> Message:
            return updater.new_agent_message([text(said)])

        match said:
            case "artifacts":
                picture = FileWithUri(uri="https://cdn.example/a.png", mime_type="image/png")
                await updater.add_artifact([text("one "), text("whole")])
                await updater.add_artifact([Part(root=FilePart(file=picture))])
                await updater.update_status(TaskState.working, words("on the way"))
                await updater.complete(words("that is all"))
            case "status":
                await updater.complete(words("a status"))
            case "history":
                await updater.update_status(TaskState.working, words("in history"))
                await updater.complete()
            case "paused":
                await updater.start_work()
            case "silence":
                await updater.complete()
            case "ask":
                await updater.add_artifact([text("We have two.")], artifact_id="first")
                await updater.requires_input(words("Red or blue?"))
            case "auth":
                await updater.requires_auth(words("log in"))
            case "failed":
                await updater.failed(words("no model"))
            case "rejected":
                await updater.reject(words("not allowed"))
            case "canceled":
                await updater.cancel(words("stopped"))
            case _:
                await updater.add_artifact([text(f"{context.context_id}: {said}")])
                await updater.complete()

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Nobody cancels here."""


def main() -> None:
    """Serve one binding, as the arguments say."""
    port, binding = sys.argv[1:]
    card = AgentCard(
        name="Obedient",
        description="does what it is told",
        version="1",
        url=f"http://127.0.0.1:{port}/",
        preferred_transport=binding,
        capabilities=AgentCapabilities(streaming=False),
        default_input_modes=["text/plain", "image/jpeg"],
        default_output_modes=["text/plain"],
        skills=[],
    )
    handler = DefaultRequestHandler(Obedient(), InMemoryTaskStore())
    kind = A2ARESTFastAPIApplication if binding == "HTTP+JSON" else A2AStarletteApplication
    app = kind(card, handler).build()
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")


if __name__ == "__main__":
    main()
