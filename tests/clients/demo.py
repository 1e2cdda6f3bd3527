"""`./run demo` on free ports with a data folder of its own: the gateway and the simulator as a visitor starts them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.bench.processes import end, free_port, start
from tests.bench.waiting import wait_for
from tests.gateway import Gateway

_LISTENING = b"Uvicorn running on"
_READY_SECONDS = 120
_STOP_SECONDS = 40
HEAD_SECONDS = 3
_KEEPALIVE_SECONDS = 1
"""Both short, so that the patience of programs can be tried without waiting for minutes."""
_ACCOUNT = "credits"
"""The simulated account whose seat the demo connects."""


class Demo:
    """Use it as a context manager: inside, the gateway is ready and `gateway.key` is a key of the owner's."""

    def __init__(self, folder: Path, routes: Mapping[str, str]) -> None:
        port = free_port()
        self._simulator = f"http://127.0.0.1:{port}"
        self.gateway = Gateway(
            folder,
            self._simulator,
            MODEL_MAPPING=json.dumps(dict(routes)),
            BRIDGE_HEAD_SECONDS=str(HEAD_SECONDS),
            BRIDGE_KEEPALIVE_SECONDS=str(_KEEPALIVE_SECONDS),
        )
        self._environment = self.gateway.environment | {"SIMULATOR_PORT": str(port), "VENV": sys.prefix}
        self._log = folder / "demo.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._control = httpx.Client(base_url=f"{self._simulator}/_sim/", timeout=30, trust_env=False)

    def upstream_since(self, number: int) -> list[dict[str, Any]]:
        """The requests that the simulator got after this one, as its log shows them."""
        shown: list[dict[str, Any]] = self._asked("requests", since=number)
        return shown

    def billed(self) -> int:
        """Nano-AIU that the seat has been billed so far."""
        nano: int = self._asked("billing")[_ACCOUNT]["nano_aiu"]
        return nano

    def __enter__(self) -> Self:
        self._process = start(["./run", "demo"], None, log=self._log, env=self._environment)
        try:
            wait_for(f"{self.gateway.url}/readyz", self._process, self._log, _READY_SECONDS, said=_LISTENING)
            self.gateway.key = self.gateway.manage("issuekey", "owner", "--name", "clients").strip()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        self._control.close()
        if self._process is not None:
            end(self._process, _STOP_SECONDS)

    def _asked(self, what: str, **query: int) -> Any:
        answer = self._control.get(what, params=query)
        answer.raise_for_status()
        return answer.json()
