"""Watches over a run: no case may take longer than its time, and memory may not grow from case to case."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

PAGE = 4096
# Interpreter, both SDKs and the recordings are loaded by then; what comes later is a leak or one bottomless case.
GROWTH_LIMIT = 300 * 1024 * 1024


class Hung(BaseException):
    """A case took too long. No Exception, so that no handler on its way takes it for one of its own."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise Hung in the main thread when the block takes longer, even in a loop that never yields."""
    before = signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def resident(pid: int | str = "self") -> int:
    """Bytes of memory that the process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


class Memory:
    """Compares what a process holds with what it held at the beginning."""

    def __init__(self, pid: int | str = "self") -> None:
        self._pid = pid
        self._first = resident(pid)

    @property
    def growth(self) -> int:
        return resident(self._pid) - self._first


def _ring(_number: int, _frame: FrameType | None) -> None:
    raise Hung("the case took too long")
