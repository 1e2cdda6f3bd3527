"""Starts the fast upstream and names what is measured: a target is something that answers chat completions."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.bench.processes import end, start

if TYPE_CHECKING:
    from collections.abc import Iterator

UPSTREAM_PATH = "/copilot/chat/completions"


@dataclass(frozen=True, slots=True)
class Target:
    """One road to the upstream."""

    name: str
    port: int
    path: str
    key: str
    pid: int | None
    """Whose processor time and memory count; None for no process in between."""
    repairs: bool = False
    """Whether quirky frames have to arrive repaired."""


@dataclass(frozen=True, slots=True)
class Upstream:
    url: str
    pid: int

    @property
    def direct(self) -> Target:
        """The road with nothing in between."""
        return Target("direct", urlsplit(self.url).port or 0, UPSTREAM_PATH, "direct", None)


@contextmanager
def running_upstream(core: int | None) -> Iterator[Upstream]:
    """The fast upstream on a free port, until the block ends."""
    process = start([sys.executable, "-m", "tests.simulator.fast"], core)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().decode().strip()
        if not url:
            raise RuntimeError("the fast upstream did not start")
        yield Upstream(url, process.pid)
    finally:
        end(process)
