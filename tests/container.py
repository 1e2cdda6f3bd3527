"""The image without a container engine: what the Dockerfile says, copied to a folder and run as it says.

Python and its packages are those of the test run; everything else that the running gateway needs must be among the
copied files.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.processes import ROOT, end, free_port
from tests.bench.waiting import wait_for

_READY_SECONDS = 60
_COMMAND_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """The instructions in their order, continuation lines joined."""

    instructions: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, path: Path = ROOT / "Dockerfile") -> Dockerfile:
        lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
        found = (line.split(None, 1) for line in joined.splitlines() if line.strip())
        return cls(tuple((word, rest) for word, rest in found))

    def all(self, word: str) -> list[str]:
        return [rest for name, rest in self.instructions if name == word]

    def one(self, word: str) -> str:
        (rest,) = self.all(word)
        return rest

    @property
    def environment(self) -> dict[str, str]:
        return dict(pair.split("=", 1) for rest in self.all("ENV") for pair in shlex.split(rest))

    @property
    def copies(self) -> list[tuple[str, str]]:
        """Source and target of every file or folder that is copied into the image."""
        return [
            (source, target) for rest in self.all("COPY") for *sources, target in [rest.split()] for source in sources
        ]

    @property
    def command(self) -> list[str]:
        argv: list[str] = json.loads(self.one("CMD"))
        return argv

    @property
    def health_command(self) -> list[str]:
        argv: list[str] = json.loads(self.one("HEALTHCHECK").split(" CMD ", 1)[1])
        return argv


def build(dockerfile: Dockerfile, folder: Path) -> Path:
    """Copy into `folder`, the image's WORKDIR, what the Dockerfile copies, and nothing else."""
    for source, target in dockerfile.copies:
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, folder / target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / source, folder / target)
    return folder


@dataclass(slots=True)
class Container:
    """A running copy of the image: its own files, and a volume that outlives it."""

    image: Path
    volume: Path
    upstream: str
    dockerfile: Dockerfile = field(default_factory=Dockerfile.read)
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The image's, but for what a container gives of its own: a network, a place for the volume."""
        return self.dockerfile.environment | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "BRIDGE_DATA_DIR": str(self.volume),
            "BRIDGE_GITHUB_URL": f"{self.upstream}/github",
            "BRIDGE_GITHUB_API_URL": f"{self.upstream}/api",
            "BRIDGE_COPILOT_URL": f"{self.upstream}/copilot",
        }

    @property
    def log(self) -> Path:
        return self.volume.parent / f"container-{self.port}.log"

    def start(self) -> str:
        """Run the image's command until it answers, and return what it has said."""
        with self.log.open("wb") as said:
            self._process = subprocess.Popen(
                self.dockerfile.command,
                cwd=self.image,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
        wait_for(f"{self.url}/healthz", self._process, self.log, _READY_SECONDS, said=b"Uvicorn running on")
        return self.log.read_text()

    def wait_ready(self) -> None:
        """Until the server has heard what a command changed, which takes it a second at most."""
        assert self._process is not None, "the container is not running"
        wait_for(f"{self.url}/readyz", self._process, self.log, 2)

    def run(self, *command: str, said: str = "") -> subprocess.CompletedProcess[str]:
        """Run `command` in the container, as `docker compose exec -T` does."""
        return subprocess.run(
            command,
            cwd=self.image,
            env=self.environment,
            input=said,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )

    def stop(self) -> None:
        """Send the container's first process SIGTERM, as `docker stop` does, and wait for it."""
        if self._process is not None:
            end(self._process, 30)
