"""The machine's side of a measurement: cores, processes, and what a process tree uses.

Processor time, memory and threads come from Linux; elsewhere they are unknown (None) and everything else still works.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]
_PROC = Path("/proc")
_OPEN_FILES = 65_536
_BELOW_THE_EPHEMERAL = (18_000, 32_000)


@dataclass(frozen=True, slots=True)
class Cores:
    """Where things run: the measured gateway on one core, upstream and load on another; None means anywhere."""

    measured: int | None
    load: int | None

    @classmethod
    def of_this_machine(cls) -> Cores:
        """Two of the cores this process may use, when there are two."""
        if sys.platform != "linux":
            return cls(None, None)
        usable = sorted(os.sched_getaffinity(0))
        return cls(usable[-1], usable[0]) if len(usable) > 1 else cls(None, None)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process tree has used of the processor, in seconds, and holds now."""

    cpu: float
    rss: int
    """Resident bytes."""
    threads: int


def usage_of(pid: int) -> Usage | None:
    """What the process and all below it use, or None where Linux is not there to tell."""
    if sys.platform != "linux":
        return None
    cpu, rss, threads = 0.0, 0, 0
    for member in _tree(pid):
        # A process that ends while it is looked at uses nothing.
        with suppress(OSError):
            cpu += time.clock_gettime(_cpu_clock(member))
            rss += int((_PROC / str(member) / "statm").read_text().split()[1]) * resource.getpagesize()
            threads += int(_stat(member)[17])
    return Usage(cpu, rss, threads)


@contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """Processes started inside run on that core alone, and so do their children."""
    if sys.platform != "linux" or core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def start(
    command: list[str], core: int | None, *, log: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a process on that core. What it says goes to `log`, or its standard output to a pipe."""
    with on_core(core):
        if log is None:
            return subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with log.open("ab") as said:
            return subprocess.Popen(
                command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
            )


def end(process: subprocess.Popen[bytes], seconds: float = 10.0) -> None:
    """End that process and wait for it; kill it when it does not go by itself."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def free_port() -> int:
    """A loopback port that nobody listens on at this moment, and that no outgoing connection will be given."""
    while True:
        port = random.randrange(*_BELOW_THE_EPHEMERAL)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def allow_many_files() -> None:
    """Raise the soft limit of open files towards the hard one; children inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _tree(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                children.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
    found = [pid]
    for member in found:  # grows while it is walked
        found.extend(children.get(member, []))
    return found


def _stat(pid: int) -> list[str]:
    """The fields of `/proc/PID/stat` behind the name, which may hold spaces: state, parent, ..."""
    return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def _cpu_clock(pid: int) -> int:
    """The clock of a process's processor time, ended threads included, as `clock_getcpuclockid` makes it."""
    return (~pid << 3) | 2
