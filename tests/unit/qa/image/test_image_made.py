"""A judge that finds nothing proves nothing: every fault of an image's configuration is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qa.image.made import Image, identity, labels, running, secrets

INSPECTED = {
    "Os": "linux",
    "Architecture": "arm64",
    "Config": {
        "User": "10001:10001",
        "Entrypoint": ["python", "-m", "ak_instagram"],
        "Cmd": ["serve"],
        "Healthcheck": {"Test": ["CMD", "python", "-m", "ak_instagram.probe", "/livez"]},
        "StopSignal": "SIGTERM",
        "Volumes": {"/data": {}},
        "Env": ["PATH=/opt/venv/bin", "GPG_KEY=7169605F62C751356D05"],
        "Labels": {
            "org.opencontainers.image.title": "ak-instagram",
            "org.opencontainers.image.description": "Answers",
            "org.opencontainers.image.licenses": "MIT",
            "org.opencontainers.image.version": "0.1.0",
            "org.opencontainers.image.revision": "c0ffee",
        },
    },
}
IMAGE = Image.read(INSPECTED)
HISTORY = ["COPY /opt/venv /opt/venv # buildkit", "ENV AK_INSTAGRAM__REQUIRE_SIGNATURE=true"]


def test_the_image_as_it_should_be_is_right():
    assert [*running(IMAGE), *labels(IMAGE, "c0ffee"), *secrets(IMAGE, HISTORY)] == []
    assert identity(IMAGE) == "ak-instagram 0.1.0 c0ffee, for linux/arm64"


def test_an_image_without_configuration_is_wrong_in_everything():
    for config in ({}, dict.fromkeys(("Entrypoint", "Cmd", "Volumes", "Env", "Labels"))):
        image = Image.read({**INSPECTED, "Config": config})

        assert len([*running(image)]) == 5
        assert len([*labels(image, None)]) == 5


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param({"user": "0"}, "its user is '0'", id="root"),
        pytest.param({"user": "10001"}, "its user is '10001'", id="no-group"),
        pytest.param({"entrypoint": ["/bin/sh", "-c", "serve"]}, "it starts", id="shell"),
        pytest.param({"command": ["demo"]}, "it starts", id="another-command"),
        pytest.param({"health": ["CMD-SHELL", "curl"]}, "its health check is", id="curl"),
        pytest.param({"stop_signal": "SIGINT"}, "it is stopped by 'SIGINT'", id="stop-signal"),
        pytest.param({"volumes": ["/data", "/tmp"]}, "its volumes are", id="volumes"),
    ],
)
def test_what_is_wrong_with_starting_and_stopping_is_told(change, told):
    [problem] = running(replace(IMAGE, **change))

    assert problem.startswith(told)


def test_another_revision_is_told():
    assert [*labels(IMAGE, "decaf")] == ["its revision is c0ffee, not decaf"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("AK_INSTAGRAM__ACCESS_TOKEN=hush-hush", id="named"),
        pytest.param("|1 openai_api_key=hush-hush /bin/sh -c pip install", id="build-argument"),
        pytest.param("RUN curl -H 'Bearer IGAAhushhushhushhushhush'", id="token-of-instagram"),
        pytest.param("LABEL key=-----BEGIN EC PRIVATE KEY-----hush", id="key"),
    ],
)
def test_what_looks_like_a_secret_is_told_and_not_repeated(text):
    for image, history in ((replace(IMAGE, environment=[text]), []), (IMAGE, [text])):
        [problem] = secrets(image, history)

        assert "something like a secret" in problem
        assert "hush" not in problem


def test_a_secret_without_a_value_is_none():
    assert [*secrets(IMAGE, ["ENV AK_INSTAGRAM__ACCESS_TOKEN="])] == []
