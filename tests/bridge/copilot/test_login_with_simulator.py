"""The device flow against the simulator, in every outcome."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from bridge.copilot.account import fetch_user
from bridge.copilot.identity import Profile
from bridge.copilot.login import Denied, Expired, Failed, Granted, Pending, SlowDown, poll_login, start_login
from bridge.copilot.origins import Origins, origins_for
from bridge.errors import Unavailable
from tests.simulator.server import SimulatorServer

PROFILE = Profile()


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer() as server:
        yield server


@pytest.fixture
def sim(server: SimulatorServer) -> SimulatorServer:
    server.control("POST", "reset")
    return server


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


def github(sim: SimulatorServer) -> Origins:
    urls = {"github": sim.github_url, "api": sim.api_url, "copilot": sim.copilot_url}
    return origins_for("github.com", {"github.com": urls})


async def test_a_device_login_from_code_to_account(sim: SimulatorServer, http: httpx.AsyncClient) -> None:
    origins = github(sim)
    code = await start_login(http, origins, PROFILE)
    assert await poll_login(http, origins, PROFILE, code.device_code) == Pending()
    assert await poll_login(http, origins, PROFILE, code.device_code) == SlowDown(10)
    sim.control("POST", f"device/{code.user_code}/approve", {"account": "credits"})
    sim.control("POST", "clock", {"skew": 11})
    granted = await poll_login(http, origins, PROFILE, code.device_code)
    assert isinstance(granted, Granted)
    assert (await fetch_user(http, origins, PROFILE, granted.token)).login == "credits"
    again = await poll_login(http, origins, PROFILE, code.device_code)
    assert again == Failed("The device_code provided is not valid.")


@pytest.mark.parametrize(("decision", "outcome"), [("deny", Denied()), ("expire", Expired())])
async def test_a_device_login_that_comes_to_nothing(
    sim: SimulatorServer, http: httpx.AsyncClient, decision: str, outcome: object
) -> None:
    code = await start_login(http, github(sim), PROFILE)
    sim.control("POST", f"device/{code.user_code}/{decision}")
    assert await poll_login(http, github(sim), PROFILE, code.device_code) == outcome


async def test_an_unknown_app_cannot_start_a_login(sim: SimulatorServer, http: httpx.AsyncClient) -> None:
    with pytest.raises(Unavailable, match="Not Found"):
        await start_login(http, github(sim), Profile(client_id="nobody"))
