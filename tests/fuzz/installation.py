"""A gateway inside this process, set up afresh before a simulator, for as long as the block lasts.

Django is configured by the environment, once in a process; so no second installation can follow a first.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

from tests.fuzz.doors import Application
from tests.gateway import Gateway
from tests.simulator.server import SimulatorServer

_ACCOUNT = "credits"


@asynccontextmanager
async def installed() -> AsyncIterator[Application]:
    """The application, live, with a team seat and a key."""
    with SimulatorServer() as simulator, tempfile.TemporaryDirectory(prefix="bridge-fuzz-") as folder:
        simulator.world.settings.log_limit = 100  # else its log of bodies would look like a leak
        gateway = Gateway(Path(folder), simulator.url)
        gateway.set_up(simulator.world.accounts[_ACCOUNT].github_token)
        os.environ.update(gateway.environment)
        os.environ["DJANGO_SETTINGS_MODULE"] = "proxy.settings"
        # Only now: importing it reads the settings.
        application = import_module("proxy.asgi").application
        await application.runtime.start()
        try:
            yield Application(application, gateway.key)
        finally:
            await application.runtime.stop()
