"""Uploads: media that are given once and sent by their `attachment_id`."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from instagram_simulator.state import World
from instagram_simulator.values import Json, ProfessionalAccount

from .request import GraphCall, UploadedFile, as_object
from .send_validation import MEDIA, check_media_url
from .templates import refusal

MAX_BYTES = 25 * 1024 * 1024
MAX_IMAGE_BYTES = 8 * 1024 * 1024
_FOREIGN, _MISMATCH, _TOO_LARGE = 2018074, 2018047, 2018109
_KINDS: Mapping[str, frozenset[str]] = {
    "image": frozenset({"image/png", "image/jpeg", "image/gif"}),
    "audio": frozenset({"audio/aac", "audio/mp4", "audio/m4a", "audio/x-m4a", "audio/wav"}),
    "video": frozenset({"video/mp4", "video/ogg", "video/avi", "video/quicktime", "video/webm"}),
    "file": frozenset({"application/pdf"}),
}


@dataclass(frozen=True, slots=True)
class Upload:
    """A medium that an account has uploaded: its *kind*, and where it can be fetched."""

    account_id: str
    kind: str
    url: str


class Uploads:
    """The uploads of all accounts, by the ids that they were given."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._uploads: dict[str, Upload] = {}
        self._numbers = itertools.count(10**15 + secrets.randbits(40))

    def add(self, account: ProfessionalAccount, call: GraphCall) -> Json:
        """Keep what *call* uploads, by an address or as a file, and return its id."""
        message = call.parameters.get("message")
        attachment = as_object(message.get("attachment")) if isinstance(message, dict) else None
        if not isinstance(attachment, dict):
            raise refusal("The parameter message[attachment] is required")
        kind, payload = attachment.get("type"), attachment.get("payload") or {}
        if kind not in MEDIA or not isinstance(payload, dict):
            raise refusal(f"The attachment type {kind} can't be uploaded")
        if file := call.files.get("filedata"):
            url = self.kept(kind, file, call.origin)
        else:
            check_media_url(payload)
            url = payload["url"]
        attachment_id = str(next(self._numbers))
        self._uploads[attachment_id] = Upload(account.account_id, kind, url)
        return {"attachment_id": attachment_id}

    def kept(self, kind: str, file: UploadedFile, origin: str) -> str:
        """Keep *file* and return the address at which it is served."""
        if file.content_type not in _KINDS[kind]:
            raise refusal(f"A {file.content_type} is no {kind}", _MISMATCH)
        if len(file.content) > (MAX_IMAGE_BYTES if kind == "image" else MAX_BYTES):
            raise refusal("The attachment is too large", _TOO_LARGE)
        return f"{origin}/_sim/media/{self._world.keep_media(file.content_type, file.content)}"

    def resolved(self, account: ProfessionalAccount, attachment: Json) -> Json:
        """Return *attachment* with the address of the upload that it names, if it names one."""
        payload = attachment.get("payload") or {}
        attachment_id = payload.get("attachment_id")
        if attachment_id is None:
            return attachment
        upload = self._uploads.get(str(attachment_id))
        if upload is None or upload.account_id != account.account_id:
            raise refusal("The attachment_id is none of this account", _FOREIGN)
        if upload.kind != attachment.get("type"):
            raise refusal(f"The attachment is a {upload.kind}", _MISMATCH)
        return {"type": upload.kind, "payload": {"url": upload.url}}
