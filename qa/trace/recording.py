"""The recorder: every call into the package while it is on, thread by thread."""

from __future__ import annotations

import asyncio
import dis
import inspect
import sys
import threading
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType, FrameType

from .shapes import shape, yielded

_QUIET = 0.1  # seconds without a call after which nothing is under way any more


@dataclass(slots=True)
class Call:
    """
    One call event: a function begins, or a coroutine or generator goes on.

    *module* is a path below the package, *caller* that of the frame below, `None` if that
    is not the package's; *depth* counts the package's frames. *takes* and *gives* are the
    shapes of the arguments and of what came back in the end.
    """

    thread: int
    depth: int
    module: str
    function: str
    is_resumed: bool
    caller: str | None
    takes: tuple[str, ...] = ()
    gives: str = ""


@dataclass(slots=True)
class _Record:
    """What has been recorded: frames are known by their ids while they live."""

    calls: list[Call] = field(default_factory=list)
    stacks: dict[int, list[tuple[int, Call]]] = field(default_factory=dict)
    begun: dict[int, Call] = field(default_factory=dict)


class Recorder:
    """Watches functions whose source is below *package* and not below *excluded*."""

    def __init__(self, package: Path, excluded: Path) -> None:
        self._name = package.name
        self._package = f"{package}/"
        self._excluded = f"{excluded}/"
        self._is_on = False
        self._record = _Record()

    def install(self) -> None:
        """Watch this thread, and those that begin from now on."""
        threading.setprofile(self._see)
        sys.setprofile(self._see)

    def begin(self) -> None:
        """Record from now on."""
        self._record = _Record()
        self._is_on = True

    def end(self) -> list[Call]:
        """Return what was recorded, in order, and record no more."""
        self._is_on = False
        return self._record.calls

    async def quiet(self) -> None:
        """Return once no call has come for a while."""
        seen = -1
        while seen != len(self._record.calls):
            seen = len(self._record.calls)
            await asyncio.sleep(_QUIET)

    def _see(self, frame: FrameType, event: str, value: object) -> None:
        if not self._is_on or event not in ("call", "return"):
            return
        file = frame.f_code.co_filename
        if not file.startswith(self._package) or file.startswith(self._excluded):
            return
        if event == "call":
            self._enter(frame)
        else:
            self._leave(frame, value)

    def _enter(self, frame: FrameType) -> None:
        code, thread = frame.f_code, threading.get_ident()
        stack = self._record.stacks.setdefault(thread, [])
        call = Call(
            thread=thread,
            depth=len(stack),
            module=code.co_filename.removeprefix(self._package),
            function=code.co_qualname.replace("<locals>.", ""),
            is_resumed=frame.f_lasti > _beginning(code),
            caller=stack[-1][1].module if stack else None,
        )
        if not call.is_resumed:
            call.takes = self._arguments(frame)
            self._record.begun[id(frame)] = call
        self._record.calls.append(call)
        stack.append((id(frame), call))

    def _arguments(self, frame: FrameType) -> tuple[str, ...]:
        code, values = frame.f_code, frame.f_locals
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        shapes = (shape(values.get(name), self._name) for name in names if name != "self")
        return tuple(each for each in shapes if each)

    def _leave(self, frame: FrameType, value: object) -> None:
        stack = self._record.stacks.get(threading.get_ident())
        call = stack.pop()[1] if stack and stack[-1][0] == id(frame) else None
        begun = self._record.begun.get(id(frame))
        if begun is not None:
            self._note_result(begun, frame, value)
        elif call is not None and not stack and self._record.calls[-1] is call:
            self._record.calls.pop()  # a clock's tick: it woke up, called nothing, waits again

    def _note_result(self, call: Call, frame: FrameType, value: object) -> None:
        """Note what came back; some come here at each wait or item, and their last word counts."""
        if frame.f_code.co_flags & inspect.CO_ASYNC_GENERATOR:
            call.gives = yielded(frame)
        elif value is not None or not frame.f_code.co_flags & inspect.CO_GENERATOR:
            call.gives = shape(value, self._name)


@cache
def _beginning(code: CodeType) -> int:
    """Return the offset at which a frame of *code* begins; one that is further was begun before."""
    return next(each.offset for each in dis.get_instructions(code) if each.opname == "RESUME")
