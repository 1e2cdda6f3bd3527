"""What the runner knows of a client program: how it is configured for a gateway, started, and started again.

Place       a scratch home and a scratch project of one program and one model
Command     what is executed there, in whose environment, with what on standard input
Ended       what came of it
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bridge.dialect import Dialect

_NOWHERE = "http://127.0.0.1:9"
"""A proxy that nobody is at: whatever a program wants from elsewhere fails at once instead of waiting for a name."""
_AFTER_THE_SIGNAL = 10


@dataclass(frozen=True, slots=True)
class Model:
    """A model as it is asked for, and the format that the gateway is expected to speak upstream for it."""

    name: str
    upstream: Dialect


@dataclass(frozen=True, slots=True)
class Place:
    home: Path
    project: Path
    url: str
    """The gateway's, without `/v1`."""
    key: str
    model: Model

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """Only what a program needs: nothing of the caller's own logins, keys or settings."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        offline = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), _NOWHERE)
        direct = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
        return kept | offline | direct | {"HOME": str(self.home), "TERM": "dumb", "NO_COLOR": "1"} | dict(more)


@dataclass(frozen=True, slots=True)
class Command:
    arguments: tuple[str, ...]
    environment: dict[str, str] = field(repr=False)
    standard_input: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """`status` is None when the time was over."""

    status: int | None
    said: str
    seconds: float


class Program(Protocol):
    """A client program that has been installed."""

    @property
    def name(self) -> str: ...

    @property
    def door(self) -> Dialect:
        """The door that it calls."""

    @property
    def converses(self) -> bool:
        """Whether it works by tools and can resume a conversation."""

    @property
    def replays_thoughts(self) -> bool:
        """Whether it sends back what the model thought, in turns after."""

    @property
    def patience(self) -> float:
        """Seconds without an event after which it gives up, as configured here; 0 when that cannot be set so low."""

    @property
    def models(self) -> tuple[Model, ...]:
        """What it is tried with."""

    def prepare(self, place: Place) -> None:
        """Write its configuration."""

    def ask(self, place: Place, prompt: str, *, again: bool) -> Command:
        """The command that puts a prompt; `again` goes on with the conversation before."""

    def making(self, model: Model, file: str, content: str) -> str:
        """The prompt upon which it makes `file`."""


def saying(**wishes: object) -> str:
    """Words in a prompt that the simulator obeys: `text` is what it answers, `call` the tool it calls."""
    return f"@sim{json.dumps(wishes)}"


def please_make(file: str, content: str) -> str:
    """A prompt out of which the simulator finds the fitting tool by itself."""
    return f'Create a file named {file} containing "{content}"'


def execute(command: Command, project: Path, seconds: float) -> Ended:
    """Run it in `project`. When the time is over it is ended, with all that it started."""
    begun = time.monotonic()
    process = subprocess.Popen(
        command.arguments,
        cwd=project,
        env=command.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    status: int | None = None
    try:
        said, _ = process.communicate(command.standard_input, timeout=seconds)
        status = process.returncode
    except subprocess.TimeoutExpired:
        _end_group(process.pid, signal.SIGTERM)
        said = _rest(process)
    except BaseException:
        _end_group(process.pid, signal.SIGKILL)
        raise
    return Ended(status, said, time.monotonic() - begun)


def _rest(process: subprocess.Popen[str]) -> str:
    """What was said until the group has ended, by itself or not."""
    try:
        return process.communicate(timeout=_AFTER_THE_SIGNAL)[0]
    except subprocess.TimeoutExpired:
        _end_group(process.pid, signal.SIGKILL)
        return process.communicate()[0]


def _end_group(pid: int, number: signal.Signals) -> None:
    """The process began a session of its own, so the group holds nothing but itself and its children."""
    with suppress(ProcessLookupError):
        os.killpg(pid, number)
