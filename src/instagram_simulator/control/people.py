"""People and what they do, over HTTP."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from instagram_simulator.core import Core
from instagram_simulator.phones import Phones
from instagram_simulator.shape import conversation_json, message_json, person_json
from instagram_simulator.values import Json, Message

from .requests import BadRequest, json_of, text_in


class People:
    """The routes about people and their conversations."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._phones = Phones(core)
        self._ways: dict[str, Callable[[str, Json], Message]] = {
            "text": self._say,
            "attachment": self._attach,
            "quick_reply": self._tap_quick_reply,
            "postback": self._tap_button,
            "story_reply": self._reply_to_story,
            "story_mention": self._mention_in_story,
            "by_hand": self._answer_by_hand,
        }

    def routes(self) -> list[Route]:
        """Return them."""
        return [
            Route("/people", self.everyone, methods=["GET"]),
            Route("/people", self.add, methods=["POST"]),
            Route("/people/{igsid}/messages", self.messages, methods=["GET"]),
            Route("/people/{igsid}/messages", self.write, methods=["POST"]),
            Route("/people/{igsid}/look", self.look, methods=["POST"]),
            Route("/people/{igsid}/referral", self.refer, methods=["POST"]),
        ]

    async def everyone(self, request: Request) -> Response:
        """List all people with the state of their conversations."""
        return JSONResponse([conversation_json(each) for each in self._core.world.conversations()])

    async def add(self, request: Request) -> Response:
        """Add a person: `{"name"}`."""
        person = self._core.add_person(text_in(await json_of(request), "name"))
        return JSONResponse(person_json(person), 201)

    async def messages(self, request: Request) -> Response:
        """Return the newest messages of a conversation, oldest of them first."""
        igsid = request.path_params["igsid"]
        limit = int(request.query_params.get("limit", "200"))
        newest = self._core.world.newest(igsid, limit)
        return JSONResponse([message_json(each) for each in reversed(newest)])

    async def write(self, request: Request) -> Response:
        """
        Write as a person, in one of several ways.

        `{"text", "reply_to"?}`, `{"attachment": {"type", "url"}}`, `{"quick_reply": {"title",
        "payload"}}`, `{"postback": {"title", "payload"}}`, `{"story_reply": {"text", "url"}}`,
        `{"story_mention": {"url"}}`, or as the account's owner: `{"by_hand": {"text"}}`.
        """
        body = await json_of(request)
        for name, way in self._ways.items():
            if name in body:
                what = body if name == "text" else body[name]
                if not isinstance(what, dict):
                    raise BadRequest(f"{name} must be an object")
                return JSONResponse(message_json(way(request.path_params["igsid"], what)), 201)
        raise BadRequest(f"one of {', '.join(self._ways)} is needed")

    async def look(self, request: Request) -> Response:
        """Let a person look at the conversation."""
        message = self._phones.look(request.path_params["igsid"])
        return JSONResponse({"seen": message.mid if message else None})

    async def refer(self, request: Request) -> Response:
        """Let a person come by a link: `{"ref"}`."""
        self._phones.open_link(request.path_params["igsid"], text_in(await json_of(request), "ref"))
        return JSONResponse({}, 202)

    def _say(self, igsid: str, what: Json) -> Message:
        return self._phones.say(igsid, text_in(what, "text"), reply_to=what.get("reply_to"))

    def _attach(self, igsid: str, what: Json) -> Message:
        return self._phones.attach(igsid, text_in(what, "type"), text_in(what, "url"))

    def _tap_quick_reply(self, igsid: str, what: Json) -> Message:
        title, payload = text_in(what, "title"), text_in(what, "payload")
        return self._phones.tap_quick_reply(igsid, title, payload)

    def _tap_button(self, igsid: str, what: Json) -> Message:
        return self._phones.tap_button(igsid, text_in(what, "title"), text_in(what, "payload"))

    def _reply_to_story(self, igsid: str, what: Json) -> Message:
        return self._phones.reply_to_story(igsid, text_in(what, "text"), text_in(what, "url"))

    def _mention_in_story(self, igsid: str, what: Json) -> Message:
        return self._phones.mention_in_story(igsid, text_in(what, "url"))

    def _answer_by_hand(self, igsid: str, what: Json) -> Message:
        return self._phones.answer_by_hand(igsid, text_in(what, "text"))
