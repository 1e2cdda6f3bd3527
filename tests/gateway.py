"""The gateway as its user runs it: a fresh data directory, `manage.py setup`, a seat, a key, `manage.py serve`.

Processes are started and ended by their id; everything else (ledger rows, state of seats) is read from the database
file, as an outsider would see it.
"""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.bench.processes import ROOT, end, free_port, start
from tests.bench.waiting import NotStartedError, wait_for

_LISTENING = b"Uvicorn running on"
_COMMAND_SECONDS = 60
_READY_SECONDS = 30
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT")


class Gateway:
    """One installation in `folder` before the origins of `upstream`; `serve` may be called again after an end."""

    def __init__(self, folder: Path, upstream_url: str, **settings: str) -> None:
        self.folder = folder
        self.port = 0
        self.url = ""
        self.key = ""
        self.environment = environment(folder, upstream_url) | settings
        self.log = folder / "serve.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._move(free_port())

    @property
    def pid(self) -> int:
        assert self._process is not None, "the gateway is not running"
        return self._process.pid

    @property
    def _database(self) -> Path:
        return self.folder / "bridge.sqlite3"

    def manage(self, *arguments: str, said: str = "") -> str:
        """What `manage.py` with these arguments writes to standard output. Raises NotStartedError when it fails."""
        done = self.run(*arguments, said=said)
        if done.returncode != 0:
            raise NotStartedError(f"manage.py {arguments[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    def run(self, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            input=f"{said}\n",
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )

    def set_up(self, github_token: str | None, *, serves: str = "team") -> None:
        """`setup`, a seat when there is a token, and a key for the owner."""
        self.manage("setup")
        if github_token is not None:
            self.manage("addseat", "--owner", "owner", "--serves", serves, said=github_token)
        self.key = self.manage("issuekey", "owner", "--name", "tests").strip()

    def serve(self, core: int | None = None, *, path: str = "/healthz") -> None:
        """Start serving and return when `path` answers 200; on another port if somebody took this one meanwhile."""
        for is_last in (False, False, True):
            since = self.log.stat().st_size if self.log.exists() else 0
            command = [sys.executable, "manage.py", "serve"]
            self._process = start(command, core, log=self.log, env=self.environment)
            try:
                wait_for(self.url + path, self._process, self.log, _READY_SECONDS, said=_LISTENING, since=since)
            except NotStartedError as error:
                if is_last or "cannot be listened on" not in str(error):
                    raise
                self._move(free_port())
            else:
                return

    def kill(self) -> None:
        """`kill -9`: no farewell."""
        assert self._process is not None, "the gateway is not running"
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def _move(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.environment["PORT"] = str(port)

    def terminate(self) -> None:
        """Ask the server to end, and return at once."""
        assert self._process is not None, "the gateway is not running"
        self._process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        if self._process is not None:
            end(self._process, 30)
            self._process = None

    def query(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """Rows of the installation's own database."""
        with closing(sqlite3.connect(self._database, timeout=10)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(sql, values)]

    def execute(self, sql: str, *values: object) -> None:
        with closing(sqlite3.connect(self._database, timeout=10)) as database, database:
            database.execute(sql, values)

    def fill_disk(self) -> None:
        """Let no file of the server's grow beyond a page: every commit fails as it does on a full disk."""
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (4096, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

    def free_disk(self) -> None:
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (limit, limit))

    def row(self, request_id: str) -> dict[str, Any]:
        """The ledger row that a request id finds."""
        rows = self.query("SELECT * FROM accounts_usagerecord WHERE id = ?", request_id.replace("-", ""))
        assert len(rows) == 1, f"{len(rows)} rows for {request_id}"
        return rows[0]

    def rows(self) -> list[dict[str, Any]]:
        return self.query("SELECT * FROM accounts_usagerecord ORDER BY id")

    def wait_row(self, where: str, *, seconds: float = 5.0) -> dict[str, Any]:
        """The newest ledger row that `where` (SQL) holds for, as soon as there is one."""
        deadline = time.monotonic() + seconds
        while True:
            rows = self.query(f"SELECT * FROM accounts_usagerecord WHERE {where} ORDER BY id DESC LIMIT 1")
            if rows:
                return rows[0]
            assert time.monotonic() < deadline, f"no ledger row with {where}: {self.rows()[-3:]}"
            time.sleep(0.02)


def environment(folder: Path, upstream_url: str) -> dict[str, str]:
    """Defaults, and nothing of the caller's own installation or its `.env`."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return inherited | {
        "BRIDGE_DATA_DIR": str(folder),
        "BRIDGE_ENV_FILE": os.devnull,
        "DATABASE_URL": f"sqlite:///{folder}/bridge.sqlite3",
        "REDIS_URL": "",
        "API_KEY": "",
        "WEB_CONCURRENCY": "1",
        "BRIDGE_GITHUB_URL": f"{upstream_url}/github",
        "BRIDGE_GITHUB_API_URL": f"{upstream_url}/api",
        "BRIDGE_COPILOT_URL": f"{upstream_url}/copilot",
    }
