"""A Redis of one's own: started on a free port, keeps nothing, ended by its process."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.bench.processes import end, free_port

_START_SECONDS = 10


class RedisServer:
    """`start` may be called again after `stop`; it then is empty, on the same port."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("redis-server")
        if program is None:
            assert os.environ.get("BRIDGE_CI") != "1", "redis-server is not installed"
            pytest.skip("redis-server is not installed")
        self._program = program
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        assert self._process is not None, "Redis is not running"
        return self._process.pid

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [self._program, *options], cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + _START_SECONDS
        while True:
            assert self._process.poll() is None, "Redis ended at once"
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert time.monotonic() < deadline, "Redis does not listen"
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        if self._process is not None:
            end(self._process, 10)
            self._process = None
