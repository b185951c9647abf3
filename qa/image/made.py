"""What an image's configuration and history say, against what they should."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from qa.image.production import UID

_PREFIX = "org.opencontainers.image."
_LABELS = ("title", "description", "licenses", "version", "revision")

# What names a secret, unless it has no value; and what looks like one.
_NAMED = re.compile(r"(\w*(?:TOKEN|SECRET|PASSW|CREDENTIAL|API_KEY|PRIVATE_KEY)\w*)=[^\s\"']", re.I)
_SHAPED = re.compile(r"(-----BEGIN|\b(?:IGAA|EAA|sk-|gh[opsu]_|AKIA))[\w -]{16,}")


@dataclass(frozen=True, slots=True)
class Image:
    """The parts of an image's configuration that matter here."""

    user: str
    entrypoint: Sequence[str]
    command: Sequence[str]
    health: Sequence[str]
    stop_signal: str
    volumes: Sequence[str]
    environment: Sequence[str]
    labels: Mapping[str, str]
    platform: str

    @classmethod
    def read(cls, inspected: Mapping[str, Any]) -> Self:
        """Return what `docker image inspect` tells; some engines leave out what is empty."""
        config = inspected["Config"]
        return cls(
            user=config.get("User", ""),
            entrypoint=config.get("Entrypoint") or (),
            command=config.get("Cmd") or (),
            health=(config.get("Healthcheck") or {}).get("Test", ()),
            stop_signal=config.get("StopSignal", ""),
            volumes=sorted(config.get("Volumes") or ()),
            environment=config.get("Env") or (),
            labels=config.get("Labels") or {},
            platform=f"{inspected['Os']}/{inspected['Architecture']}",
        )


def running(image: Image) -> Iterator[str]:
    """Yield what is wrong with how it is started, watched and stopped."""
    if image.user != f"{UID}:{UID}":
        yield f"its user is {image.user!r}, not {UID}:{UID}"
    if [*image.entrypoint] != ["python", "-m", "ak_instagram"] or [*image.command] != ["serve"]:
        yield f"it starts {[*image.entrypoint, *image.command]}"
    if [*image.health[:2]] != ["CMD", "python"]:
        yield f"its health check is {[*image.health]}, not Python's without a shell"
    if image.stop_signal != "SIGTERM":
        yield f"it is stopped by {image.stop_signal!r}"
    if [*image.volumes] != ["/data"]:
        yield f"its volumes are {[*image.volumes]}"


def labels(image: Image, revision: str | None) -> Iterator[str]:
    """Yield what its labels lack, or say of another *revision*."""
    for name in _LABELS:
        if not image.labels.get(_PREFIX + name):
            yield f"it has no {_PREFIX}{name}"
    said = image.labels.get(_PREFIX + "revision")
    if revision is not None and said != revision:
        yield f"its revision is {said}, not {revision}"


def identity(image: Image) -> str:
    """Return what the labels call it, and what it is for."""
    said = [image.labels.get(_PREFIX + name, "?") for name in ("title", "version", "revision")]
    return f"{' '.join(said)}, for {image.platform}"


def secrets(image: Image, history: Sequence[str]) -> Iterator[str]:
    """Yield the place of everything in configuration and *history* that looks like a secret."""
    places = {
        "the environment": image.environment,
        "a label": [f"{name}={value}" for name, value in image.labels.items()],
        "the history": history,
    }
    for place, texts in places.items():
        for text in texts:
            if found := _NAMED.search(text) or _SHAPED.search(text):
                yield f"{place} has something like a secret: {found[1]}…"
