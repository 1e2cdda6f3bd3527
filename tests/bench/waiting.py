"""Waits until a server that was just started answers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

_PAUSE = 0.1
_LAST_LINES = 15


class NotStartedError(RuntimeError):
    """A server did not come up; the message says what it said last."""


def wait_for(
    url: str, process: subprocess.Popen[bytes], log: Path, seconds: float, *, said: bytes = b"", since: int = 0
) -> None:
    """Return when `url` answers 200. Raises NotStartedError when the process ends or the time is over.

    Nothing is asked before the log says `said` behind its byte `since`: whoever answers then is the process that was
    started, and not another one that took its port.
    """
    give_up = time.monotonic() + seconds
    seen = "nothing answers"
    with httpx.Client(timeout=5, trust_env=False) as client:
        while process.poll() is None and time.monotonic() < give_up:
            if said not in log.read_bytes()[since:]:
                time.sleep(_PAUSE)
                continue
            try:
                answer = client.get(url)
            except httpx.TransportError:
                time.sleep(_PAUSE)
                continue
            if answer.status_code == 200:
                return
            seen = f"{answer.status_code} {answer.text[:500]}"
            time.sleep(_PAUSE)
    lines = log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
    raise NotStartedError("\n".join([f"{url}: {seen} (exit status {process.poll()})", *lines]))
