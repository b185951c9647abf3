"""
A process that has imported the service, and forks one for each command.

To start Python and import everything takes a command longer than most of what it does. A fork
has a process id, an environment, signals and an end of its own, as what was started has; that
the service starts by itself as well is for the tests that do not come here.
"""

from __future__ import annotations

import asyncio
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NoReturn

from ak_instagram.cli import main

LARGEST = 1 << 18  # bytes of a request: arguments and environment
LONGEST_LINE = 1 << 20


class Forked:
    """A forked command, as far as `asyncio.subprocess.Process` goes."""

    def __init__(
        self,
        pid: int,
        status: asyncio.StreamReader,
        stdin: int,
        stdout: asyncio.StreamReader | None,
    ) -> None:
        self.pid = pid
        self.stdout = stdout
        self._stdin = stdin
        self._ending = asyncio.create_task(self._end(status))

    @property
    def returncode(self) -> int | None:
        """The exit code, a signal's number below zero, `None` while it runs."""
        return self._ending.result() if self._ending.done() else None

    def send_signal(self, number: int) -> None:
        """Send a signal to it, if it runs."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    async def wait(self) -> int:
        """Return its exit code once it has ended."""
        return await asyncio.shield(self._ending)

    async def communicate(self, said: bytes) -> tuple[bytes, None]:
        """Give it *said*, and return all its output once it has ended."""
        assert self.stdout is not None
        with suppress(BrokenPipeError):
            os.write(self._stdin, said)
        self._close_stdin()
        output = await self.stdout.read()
        await self.wait()
        return output, None

    def _close_stdin(self) -> None:
        if self._stdin >= 0:
            os.close(self._stdin)
            self._stdin = -1

    async def _end(self, status: asyncio.StreamReader) -> int:
        ended = int(await status.read())
        self._close_stdin()
        return ended


async def forked(
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    output: int | IO[bytes],
) -> Forked:
    """Run the command with *arguments*; `asyncio.subprocess.PIPE` keeps its *output* for us."""
    stdin, to_stdin = os.pipe()
    status, to_status = os.pipe()
    stdout: asyncio.StreamReader | None = None
    if isinstance(output, int):
        from_output, to_output = os.pipe()
        stdout = await _reader(from_output)
    else:
        to_output = os.dup(output.fileno())
    given = [stdin, to_output, to_status]
    request = {"arguments": list(arguments), "folder": str(folder), "environment": environment}
    pid = _preloaded().ask(json.dumps(request).encode(), given)
    for descriptor in given:
        os.close(descriptor)
    return Forked(pid, await _reader(status), to_stdin, stdout)


async def _reader(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb")
    )
    return reader


class _Preloaded:
    """The process that forks; it ends with this one."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", __name__, str(theirs.fileno())]
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        theirs.close()

    def ask(self, request: bytes, descriptors: Sequence[int]) -> int:
        """Have a command forked that has these *descriptors*; return its process id."""
        socket.send_fds(self._line, [request], descriptors)
        return int(self._line.recv(LARGEST))


@cache
def _preloaded() -> _Preloaded:
    return _Preloaded()


# --- in the process that forks ---------------------------------------------------


def _serve(line: socket.socket) -> None:
    running: dict[int, int] = {}
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # which ends the tests, and so this
    with selectors.DefaultSelector() as selector:
        selector.register(line, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is woken:
                    woken.recv(4096)
                    _report(running)
                    continue
                request, descriptors, _flags, _sender = socket.recv_fds(line, LARGEST, 3)
                if not request:  # the tests have ended
                    return
                pid = os.fork()
                if not pid:
                    signal.set_wakeup_fd(-1)
                    for each in (line, woken, wake):
                        each.close()
                    _become(json.loads(request), descriptors, running.values())
                running[pid] = descriptors[2]
                for descriptor in descriptors[:2]:
                    os.close(descriptor)
                line.send(str(pid).encode())


def _report(running: dict[int, int]) -> None:
    """Tell how those of *running* that have ended did."""
    for pid in list(running):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            descriptor = running.pop(pid)
            with suppress(BrokenPipeError):
                os.write(descriptor, str(os.waitstatus_to_exitcode(status)).encode())
            os.close(descriptor)


def _become(
    request: dict[str, Any], descriptors: Sequence[int], of_others: Iterable[int]
) -> NoReturn:
    """Be the command that *request* describes; the end of that is the process's."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    stdin, output, status = descriptors
    for each in (status, *of_others):
        os.close(each)
    for target, source in enumerate((stdin, output, output)):
        os.dup2(source, target)
    os.close(stdin)
    os.close(output)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    main(request["arguments"], prog_name="ak-instagram")
    sys.exit()


if __name__ == "__main__":
    import_module("ak_instagram.server")
    _serve(socket.socket(fileno=int(sys.argv[1])))
