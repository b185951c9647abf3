"""Routes about people: they write, upload pictures, look, react, edit and unsend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from aiohttp import web

from instagram_simulator.state import Unknown
from instagram_simulator.user_actions import UserActions
from instagram_simulator.values import DirectMessage, Json

from .requests import ENGINE, PHONES, BadRequest, Route, json_of, text_in

MAX_BYTES = 8 * 1024 * 1024  # of a picture, as many as Instagram takes
_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_PICTURE_HEADERS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}

# The ways to write, by the member of the body that asks for one and holds what it says.
_WAYS: dict[str, Callable[[UserActions, str, Json], DirectMessage]] = {
    "text": lambda phones, igsid, what: phones.say(
        igsid, text_in(what, "text"), reply_to=what.get("reply_to")
    ),
    "attachment": lambda phones, igsid, what: phones.attach(
        igsid, text_in(what, "type"), text_in(what, "url")
    ),
    "quick_reply": lambda phones, igsid, what: phones.tap_quick_reply(
        igsid, text_in(what, "title"), text_in(what, "payload")
    ),
    "postback": lambda phones, igsid, what: phones.tap_button(
        igsid, text_in(what, "title"), text_in(what, "payload")
    ),
    "story_reply": lambda phones, igsid, what: phones.reply_to_story(
        igsid, text_in(what, "text"), text_in(what, "url")
    ),
    "story_mention": lambda phones, igsid, what: phones.mention_in_story(
        igsid, text_in(what, "url")
    ),
    "by_hand": lambda phones, igsid, what: phones.answer_by_hand(igsid, text_in(what, "text")),
}


async def people(request: web.Request) -> web.StreamResponse:
    """List all people with the state of their conversations."""
    conversations = request.app[ENGINE].world.conversations()
    return web.json_response([each.to_json() for each in conversations])


async def add_person(request: web.Request) -> web.StreamResponse:
    """Add a person: `{"name"}`."""
    person = request.app[ENGINE].add_person(text_in(await json_of(request), "name"))
    return web.json_response(asdict(person), status=201)


async def messages(request: web.Request) -> web.StreamResponse:
    """Return the newest messages of a conversation, oldest of them first."""
    limit = int(request.query.get("limit", "200"))
    newest = request.app[ENGINE].world.newest(request.match_info["igsid"], limit)
    return web.json_response([each.to_json() for each in reversed(newest)])


async def write(request: web.Request) -> web.StreamResponse:
    """
    Write as a person, in one of several ways.

    `{"text", "reply_to"?}`, `{"attachment": {"type", "url"}}`, `{"quick_reply": {"title",
    "payload"}}`, `{"postback": {"title", "payload"}}`, `{"story_reply": {"text", "url"}}`,
    `{"story_mention": {"url"}}`, or as the account's owner: `{"by_hand": {"text"}}`.
    """
    body = await json_of(request)
    for name, way in _WAYS.items():
        if name in body:
            what = body if name == "text" else body[name]
            if not isinstance(what, dict):
                raise BadRequest(f"{name} must be an object")
            message = way(request.app[PHONES], request.match_info["igsid"], what)
            return web.json_response(message.to_json(), status=201)
    raise BadRequest(f"one of {', '.join(_WAYS)} is needed")


async def upload(request: web.Request) -> web.StreamResponse:
    """Send the picture that is the body, as a person."""
    if request.content_type not in _PICTURES:
        raise BadRequest("a png, jpeg, gif or webp is needed")
    content = bytearray()
    async for part in request.content.iter_any():
        content += part
        if len(content) > MAX_BYTES:
            raise BadRequest("a picture has at most 8 MB")
    name = request.app[ENGINE].world.keep_media(request.content_type, bytes(content))
    url = f"{request.scheme}://{request.host}/_sim/media/{name}"
    message = request.app[PHONES].attach(request.match_info["igsid"], "image", url)
    return web.json_response(message.to_json(), status=201)


async def picture(request: web.Request) -> web.StreamResponse:
    """Return an uploaded picture, as Meta's CDN would: to anybody."""
    try:
        content_type, content = request.app[ENGINE].world.media[request.match_info["name"]]
    except KeyError:
        raise Unknown("no such picture") from None
    return web.Response(body=content, headers=_PICTURE_HEADERS, content_type=content_type)


async def comment(request: web.Request) -> web.StreamResponse:
    """Comment on a post of the account as a person: `{"text"}`."""
    text = text_in(await json_of(request), "text")
    written = request.app[PHONES].comment(request.match_info["igsid"], text)
    return web.json_response(asdict(written), status=201)


async def look(request: web.Request) -> web.StreamResponse:
    """Let a person look at the conversation."""
    message = request.app[PHONES].look(request.match_info["igsid"])
    return web.json_response({"seen": message.mid if message else None})


async def refer(request: web.Request) -> web.StreamResponse:
    """Let a person come by a link: `{"ref"}`."""
    ref = text_in(await json_of(request), "ref")
    request.app[PHONES].open_link(request.match_info["igsid"], ref)
    return web.json_response({}, status=202)


async def unsend(request: web.Request) -> web.StreamResponse:
    """Take an own message back."""
    message = request.app[PHONES].unsend(request.match_info["mid"])
    return web.json_response(message.to_json())


async def edit(request: web.Request) -> web.StreamResponse:
    """Give an own message another text: `{"text"}`."""
    text = text_in(await json_of(request), "text")
    message = request.app[PHONES].edit(request.match_info["mid"], text)
    return web.json_response(message.to_json())


async def react(request: web.Request) -> web.StreamResponse:
    """React to a message: `{"emoji"}`; take the reaction off if it is a DELETE."""
    emoji = None
    if request.method != "DELETE":
        emoji = text_in(await json_of(request), "emoji")
    message = request.app[PHONES].react(request.match_info["mid"], emoji)
    return web.json_response(message.to_json())


ROUTES = (
    Route("GET", "/people", people),
    Route("POST", "/people", add_person),
    Route("GET", "/people/{igsid}/messages", messages),
    Route("POST", "/people/{igsid}/messages", write),
    Route("POST", "/people/{igsid}/images", upload),
    Route("POST", "/people/{igsid}/comments", comment),
    Route("POST", "/people/{igsid}/look", look),
    Route("POST", "/people/{igsid}/referral", refer),
    Route("DELETE", "/messages/{mid}", unsend),
    Route("PATCH", "/messages/{mid}", edit),
    Route("PUT", "/messages/{mid}/reaction", react),
    Route("DELETE", "/messages/{mid}/reaction", react),
)
