"""A running gateway before a running simulator, one pair for each test file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.gateway import Gateway
from tests.simulator.server import SimulatorServer


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorServer]:
    with SimulatorServer() as server:
        yield server


@pytest.fixture(scope="module")
def gateway(simulator: SimulatorServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Serving, with the simulator's account `credits` as a team seat and `gateway.key` for its owner."""
    installation = new_gateway(tmp_path_factory.mktemp("gateway"), simulator, "credits")
    installation.serve()
    yield installation
    installation.stop()


def new_gateway(folder: Path, simulator: SimulatorServer, account: str | None, **settings: str) -> Gateway:
    """A set-up installation that does not serve yet."""
    installation = Gateway(folder, simulator.url, **settings)
    installation.set_up(simulator.world.accounts[account].github_token if account else None)
    return installation


@pytest.fixture
def http(gateway: Gateway) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=gateway.url, headers={"authorization": f"Bearer {gateway.key}"}, timeout=30, trust_env=False
    ) as client:
        yield client
