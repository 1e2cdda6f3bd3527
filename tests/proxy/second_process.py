"""Another process of an installation that changes its rows while the gateway serves, as commands and replicas do."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.bench.processes import ROOT, end
from tests.gateway import Gateway

_LOOP = """
import contextlib, io, json, sys
from datetime import timedelta
from django.utils.timezone import now
from accounts.models import *
names = dict(globals())
for line in sys.stdin:
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        exec(json.loads(line), names)
    print(json.dumps(told.getvalue()), flush=True)
"""


class SecondProcess:
    """Runs one piece of code after the other, with the models, `now` and `timedelta` at hand."""

    def __init__(self, gateway: Gateway) -> None:
        self.url = gateway.url
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", _LOOP],
            cwd=ROOT, env=gateway.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def run(self, code: str) -> str:
        """What the code prints, once it has run."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(code).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the code failed, see standard error"
        told: Any = json.loads(answer)
        return str(told).strip()

    def stop(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        end(self._process, 10)
