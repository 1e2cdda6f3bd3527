"""The simulator of GitHub and Copilot as the gateway's configured upstream."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from tests.simulator.server import SimulatorServer


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorServer]:
    with SimulatorServer() as running:
        yield running


@pytest.fixture
def sim(simulator: SimulatorServer, settings: Settings) -> SimulatorServer:
    """A world begun anew, with the settings pointing at it."""
    simulator.world.reset()
    settings.BRIDGE_GITHUB_URL = simulator.github_url
    settings.BRIDGE_GITHUB_API_URL = simulator.api_url
    settings.BRIDGE_COPILOT_URL = simulator.copilot_url
    tenant = f"{simulator.url}/ghe/octo"
    settings.BRIDGE_ORIGINS = {
        "octo.ghe.com": {"github": f"{tenant}/github", "api": f"{tenant}/api", "copilot": f"{tenant}/copilot"}
    }
    return simulator
