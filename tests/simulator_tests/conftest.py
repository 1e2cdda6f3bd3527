"""A running simulator for each test, and a client that goes to loopback and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.simulator.server import SimulatorServer


@pytest.fixture(scope="session")
def running_simulator() -> Iterator[SimulatorServer]:
    """One server for all tests; `sim` gives it back as new."""
    with SimulatorServer() as server:
        yield server


@pytest.fixture
def sim(running_simulator: SimulatorServer) -> SimulatorServer:
    """The simulator with a fresh world."""
    running_simulator.world.reset()
    return running_simulator


@pytest.fixture(scope="session")
def client() -> Iterator[httpx.Client]:
    """A plain client that follows no redirects; one for all tests, as making one is slow."""
    with httpx.Client(trust_env=False, timeout=10) as plain:
        yield plain
