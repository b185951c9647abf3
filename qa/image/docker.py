"""The docker command, as a person would call it."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any

from qa.image.verdict import Failed

_LONGEST = 120.0  # seconds that any call may take


class DockerFailed(Failed):
    """The docker command did not do it; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended: its exit code, and all that it printed."""

    code: int
    said: str


@dataclass(frozen=True, slots=True)
class Docker:
    """The docker at *program*; its engine is the one that the environment names."""

    program: str

    @classmethod
    def on_path(cls) -> Docker:
        """Return the docker on PATH, or raise `DockerFailed`."""
        if (program := shutil.which("docker")) is None:
            raise DockerFailed("there is no docker on PATH")
        return cls(program)

    def call(self, *arguments: str, feed: str | None = None) -> str:
        """Return what docker prints, given *feed* on its standard input; raise `DockerFailed`."""
        ended = self._run(arguments, feed, subprocess.PIPE)
        if ended.returncode:
            raise DockerFailed(f"docker {arguments[0]}: {ended.stderr.strip()}")
        return ended.stdout.strip()

    def end_of(self, *arguments: str) -> Ended:
        """Return how a call ended, whatever its exit code is; errors are among what it said."""
        ended = self._run(arguments, None, subprocess.STDOUT)
        return Ended(ended.returncode, ended.stdout.strip())

    def inspect(self, kind: str, name: str) -> Any:  # noqa: ANN401 - JSON
        """Return what docker knows of the *kind* of thing called *name*."""
        return json.loads(self.call(kind, "inspect", name))[0]

    def _run(
        self, arguments: tuple[str, ...], feed: str | None, errors: int
    ) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                [self.program, *arguments],
                input=feed,
                stdout=subprocess.PIPE,
                stderr=errors,
                encoding="utf-8",
                timeout=_LONGEST,
                check=False,
            )
        except subprocess.TimeoutExpired as exc:
            raise DockerFailed(f"docker {arguments[0]}: no end within {_LONGEST:g} s") from exc
