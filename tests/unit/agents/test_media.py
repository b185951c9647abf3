"""A file is what its bytes say, and is fetched from Meta's public hosts alone."""

from __future__ import annotations

import pytest

from ak_instagram.agents.media import Refused, check_url, is_public, media_type

MP4 = b"\0\0\0\x20ftypisom" + bytes(8)


@pytest.mark.parametrize(
    ("data", "kind", "found"),
    [
        pytest.param(b"\xff\xd8\xff\xe0", "image", "image/jpeg", id="jpeg"),
        pytest.param(b"\x89PNG\r\n\x1a\n", "image", "image/png", id="png"),
        pytest.param(b"GIF89a", "image", "image/gif", id="gif"),
        pytest.param(b"RIFF\0\0\0\0WEBPVP8 ", "image", "image/webp", id="webp"),
        pytest.param(b"RIFF\0\0\0\0WAVEfmt ", "audio", "audio/wav", id="wav"),
        pytest.param(MP4, "audio", "audio/mp4", id="voice-note"),
        pytest.param(b"OggS", "audio", "audio/ogg", id="ogg"),
        pytest.param(b"ID3\x04", "audio", "audio/mpeg", id="mp3"),
        pytest.param(b"%PDF-1.7", "file", "application/pdf", id="pdf"),
        pytest.param(MP4, "image", None, id="film-as-picture"),
        pytest.param(b"<html>", "image", None, id="page-as-picture"),
        pytest.param(b"<svg>", "image", None, id="svg"),
        pytest.param(b"%PDF-1.7", "image", None, id="pdf-as-picture"),
        pytest.param(b"\xff\xd8\xff\xe0", "file", None, id="picture-as-pdf"),
        pytest.param(b"", "image", None, id="nothing"),
    ],
)
def test_the_bytes_tell_the_kind(data, kind, found):
    assert media_type(data, kind) == found


@pytest.mark.parametrize(
    "url",
    [
        "https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=1&signature=x",
        "https://scontent-fra3-1.cdninstagram.com/v/t1.jpg",
        "https://video.xx.fbcdn.net./v.mp4",
        "https://fbsbx.com:443/a",
        "http://127.0.0.1:9000/a",
        "http://media.internal/a",
        "https://media.internal:8443/a",
    ],
)
def test_metas_hosts_and_named_ones_are_asked(url):
    check_url(url, ("127.0.0.1:9000", "media.internal"))


@pytest.mark.parametrize(
    "url",
    [
        "http://lookaside.fbsbx.com/a",
        "https://lookaside.fbsbx.com:8443/a",
        "https://user@lookaside.fbsbx.com/a",
        "https://evilfbsbx.com/a",
        "https://fbsbx.com.evil.example/a",
        "https://evil.example/fbsbx.com",
        "https://evil.example#.fbsbx.com",
        "https://evil.example\\@fbsbx.com.evil/a",
        "https://127.0.0.1/a",
        "https://[::1]/a",
        "http://127.0.0.1:9001/a",
        "http://127.0.0.1/a",
        "file:///etc/passwd",
        "gopher://lookaside.fbsbx.com/a",
        "https://[broken/a",
        "https://lookaside.fbsbx.com:port/a",
        "//lookaside.fbsbx.com/a",
        "",
    ],
)
def test_nothing_else_is(url):
    with pytest.raises(Refused):
        check_url(url, ("127.0.0.1:9000",))


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("157.240.1.63", True),
        ("2a03:2880:f12c:83:face:b00c:0:25de", True),
        ("64:ff9b::9df0:13f", True),
        ("10.0.0.1", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - an address that is refused
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00:ec2::254", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:157.240.1.63", False),
        ("::10.0.0.1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:a00:1::", False),
        ("2001:0:a00:1::", False),
    ],
)
def test_only_addresses_of_the_internet_are_public(address, public):
    assert is_public(address) is public
