"""All that is claimed of an image, each with the check that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from qa.image import confined, made
from qa.image.confined import Facts
from qa.image.conversation import Conversation
from qa.image.docker import Docker
from qa.image.production import MEMORY, UID
from qa.image.report import layers
from qa.image.stage import Stage
from qa.image.verdict import refuse

Claim = tuple[str, Callable[[], str]]

_INSIDE = Path(__file__).with_name("inside.py")
_MEBIBYTE = 1 << 20
MOST_BYTES = 60_000_000  # of what is copied over the base


def of_image(docker: Docker, name: str, revision: str | None) -> Iterator[Claim]:
    """Yield what is claimed of the image *name* itself; raise `Failed` if it is not there."""
    image = made.Image.read(docker.inspect("image", name))
    history = docker.call("history", "--no-trunc", "--format", "{{.CreatedBy}}", name).splitlines()
    yield (
        "starts, is watched and stops without a shell",
        lambda: _shown(made.running(image), " ".join([*image.entrypoint, *image.command])),
    )
    yield (
        "says what it is",
        lambda: _shown(made.labels(image, revision), made.identity(image)),
    )
    yield (
        "holds no secret",
        lambda: _shown(made.secrets(image, history), "none in configuration and history"),
    )
    ours = sum(it.size for it in layers(docker, name) if it.instruction.startswith("COPY"))
    megabytes = f"{ours / 1e6:.1f} MB over its base"
    yield (
        "is small",
        lambda: _shown([] if ours <= MOST_BYTES else [f"{megabytes}, not 60"], megabytes),
    )


def of_start(stage: Stage) -> Iterator[Claim]:
    """Yield what all else is built on."""
    healthy = Conversation(stage).becomes_healthy
    yield "becomes healthy, with shells and package managers hidden", healthy


def of_service(stage: Stage, lock: str) -> Iterator[Claim]:
    """Yield what is claimed of a service that has started, in the order in which it is shown."""
    conversation = Conversation(stage)

    @cache
    def facts() -> Facts:
        return Facts.read(stage.service.run_inside(_INSIDE))

    yield "refuses strangers", conversation.refuses_strangers
    yield "answers a signed message", conversation.answers
    yield "counts", conversation.counts
    yield (
        "has no powers",
        lambda: _shown(confined.powers(facts()), f"UID {UID}, no capability, no new privileges"),
    )
    yield (
        "writes to /data and /tmp alone",
        lambda: _shown(confined.writing(facts()), "the rest is read-only"),
    )
    yield (
        "contains what the lock names",
        lambda: _shown(
            confined.contents(facts(), confined.locked(lock)),
            f"{len(facts().packages)} packages, all compiled, no pip, no simulator",
        ),
    )
    yield "is content with its memory", lambda: _shown(confined.memory(facts()), _peak(facts()))
    yield "finishes a turn on SIGTERM", conversation.finishes_its_turn
    yield "finds its data again", conversation.remembers
    yield "logs no secret and no text", conversation.keeps_quiet
    yield "says what settings it lacks", conversation.says_what_is_missing


def _shown(problems: Iterable[str], evidence: str) -> str:
    """Return *evidence*, or raise `Failed` if there are *problems*."""
    refuse(problems)
    return evidence


def _peak(facts: Facts) -> str:
    peak = "unknown" if facts.memory_peak is None else f"{facts.memory_peak / _MEBIBYTE:.0f} MiB"
    return f"{MEMORY / _MEBIBYTE:.0f} MiB, of which at most {peak} were used"
