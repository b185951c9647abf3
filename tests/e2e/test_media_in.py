"""A picture reaches the agent as bytes, and a voice note as words, if the settings say so."""

from __future__ import annotations

from base64 import b64encode

from aiohttp import web

from qa.support.serving import serving
from tests.support.stage import open_stage

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
MP4 = b"\0\0\0\x20ftypisom" + bytes(40)


async def serve(request: web.Request) -> web.Response:
    """Be Meta's network, and a transcriber."""
    match request.path:
        case "/cake.png":
            return web.Response(body=PNG)
        case "/voice.mp4":
            return web.Response(body=MP4)
        case "/v1/audio/transcriptions":
            form = await request.post()
            assert form["model"] == "whisper-1"
            return web.json_response({"text": "Two loaves, please."})
    return web.Response(status=403)


async def test_media_are_read_before_the_agent_is_asked(tmp_path):
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    async with serving(app) as cdn:
        settings = {
            "agent__media": "inline",
            "agent__media_hosts": cdn.removeprefix("http://"),
            "agent__transcription_url": f"{cdn}/v1",
        }
        async with open_stage(tmp_path, **settings) as stage:
            mia = stage.person()

            stage.meta.phones.attach(mia, "image", f"{cdn}/cake.png")
            await stage.until_answered(mia, 1)
            stage.meta.phones.attach(mia, "audio", f"{cdn}/voice.mp4")
            await stage.until_answered(mia, 2)
            stage.meta.phones.attach(mia, "image", f"{cdn}/gone.png")
            await stage.until_answered(mia, 3)

            seen, heard, gone = (it.body["attachments"][0] for it in stage.agent.asked)
            assert seen["data"] == f"data:image/png;base64,{b64encode(PNG).decode()}"
            assert (heard["url"], heard["title"]) == (None, "Two loaves, please.")
            assert (gone["url"], gone["title"]) == (None, "(expired, can't be seen any more)")
            [line] = [it for it in stage.service.logged() if it["event"] == "media.not_read"]
            assert line["kind"] == "image"
