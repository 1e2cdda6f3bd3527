"""A whole installation for a browser, with members and what `manage.py setup` printed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.gateway import Gateway
from tests.simulator.server import SimulatorServer

PASSWORD = "a long enough passphrase"
_MAKE_MEMBERS = """
import json, sys
from accounts.models import Member
for fields in json.load(sys.stdin):
    Member.objects.create_user(**fields)
"""


@dataclass(frozen=True, slots=True)
class Installation:
    """A running gateway. `greeting` is what `manage.py setup` printed."""

    url: str
    greeting: str
    gateway: Gateway

    def manage(self, *arguments: str, given: str = "") -> str:
        """Run a command of this installation and return what it prints. Raises NotStartedError."""
        return self.gateway.manage(*arguments, said=given)

    def make_members(self, fields: str) -> None:
        """Make members from a JSON list of `create_user` arguments."""
        self.manage("shell", "-v", "0", "-c", _MAKE_MEMBERS, given=fields)


@contextlib.contextmanager
def running(folder: Path, simulator: SimulatorServer) -> Iterator[Installation]:
    """Yield a gateway that keeps everything below `folder` and takes the simulator for GitHub."""
    gateway = Gateway(folder, simulator.url)
    greeting = gateway.manage("setup")
    gateway.serve()
    try:
        yield Installation(gateway.url, greeting, gateway)
    finally:
        gateway.stop()
