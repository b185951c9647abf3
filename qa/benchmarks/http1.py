"""As much of HTTP/1.1 as a loader and its peers need: whole messages, cut out of a stream."""

from __future__ import annotations

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


def take_message(buffer: bytearray) -> tuple[bytes, bytes] | None:
    """Remove the first message from *buffer* and return its head and body, `None` if not whole."""
    end = buffer.find(_END_OF_HEAD)
    if end < 0:
        return None
    head = bytes(buffer[:end])
    begin = end + len(_END_OF_HEAD)
    until = begin + _content_length(head)
    if len(buffer) < until:
        return None
    body = bytes(buffer[begin:until])
    del buffer[:until]
    return head, body


def status_of(head: bytes) -> int:
    """Return the status code of a response."""
    return int(head[9:12])


def request(path: str, body: bytes, headers: dict[str, str] | None = None) -> bytes:
    """Return a POST of JSON to *path* that keeps the connection."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return _message(lines, body)


def ok(body: bytes) -> bytes:
    """Return the response 200 with *body*, which is JSON."""
    return _message(["HTTP/1.1 200 OK", "Content-Type: application/json"], body)


def _content_length(head: bytes) -> int:
    lowered = head.lower()
    begin = lowered.find(_LENGTH)
    if begin < 0:
        return 0
    return int(lowered[begin + len(_LENGTH) :].split(b"\r\n", 1)[0])


def _message(lines: list[str], body: bytes) -> bytes:
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}"])
    return head.encode() + _END_OF_HEAD + body
