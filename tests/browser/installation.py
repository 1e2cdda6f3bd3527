"""A whole installation for a browser: `manage.py setup` and `manage.py serve` as processes of their own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.simulator.server import SimulatorServer

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "a long enough passphrase"
PATIENCE_SECONDS = 60.0
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
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
    environment: Mapping[str, str]

    def manage(self, *arguments: str, given: str = "") -> str:
        """Run a command of this installation and return what it prints. Raises CalledProcessError."""
        return _manage(self.environment, *arguments, given=given)

    def make_members(self, fields: str) -> None:
        """Make members from a JSON list of `create_user` arguments."""
        self.manage("shell", "-v", "0", "-c", _MAKE_MEMBERS, given=fields)


@contextlib.contextmanager
def running(folder: Path, simulator: SimulatorServer) -> Iterator[Installation]:
    """Yield a gateway that keeps everything below `folder` and takes the simulator for GitHub."""
    port = _free_port()
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | {
        "DJANGO_SETTINGS_MODULE": "proxy.settings",
        "BRIDGE_DATA_DIR": str(folder),
        "BRIDGE_GITHUB_URL": simulator.github_url,
        "BRIDGE_GITHUB_API_URL": simulator.api_url,
        "BRIDGE_COPILOT_URL": simulator.copilot_url,
        "PORT": str(port),
    }
    greeting = _manage(environment, "setup")
    with (folder / "serve.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "manage.py", "serve"], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url, server, folder / "serve.log")
        yield Installation(url, greeting, environment)
    finally:
        server.terminate()
        server.wait(timeout=30)


def _manage(environment: Mapping[str, str], *arguments: str, given: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=dict(environment),
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"manage.py {arguments[0]} failed:\n{done.stderr}"
    return done.stdout


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        assert server.poll() is None, f"the server ended:\n{log.read_text()}"
        try:
            httpx.get(f"{url}/healthz", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"the server did not answer within {PATIENCE_SECONDS:.0f} s:\n{log.read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
