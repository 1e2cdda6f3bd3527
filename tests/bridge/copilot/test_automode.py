"""Auto mode's sessions: one request for all who wait, renewed before they end, given up on a word of the upstream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from bridge.copilot.automode import AutoKeeper, read_session
from bridge.copilot.identity import Profile
from bridge.copilot.keeper import TokenKeeper
from bridge.copilot.origins import Origins, origins_for
from bridge.copilot.policy import accept_terms
from bridge.copilot.rest import Answer
from bridge.errors import BridgeError, Unavailable
from tests.bridge.copilot.memory import Clock, MemoryStore
from tests.simulator.server import SimulatorServer

SEAT = 1


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer() as running:
        yield running


@pytest.fixture
def sim(server: SimulatorServer) -> SimulatorServer:
    server.control("POST", "reset")
    return server


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


@pytest.fixture
def tokens(sim: SimulatorServer, http: httpx.AsyncClient) -> TokenKeeper:
    urls = {"github": sim.github_url, "api": sim.api_url, "copilot": sim.copilot_url}

    def origins(host: str) -> Origins:
        return origins_for(host, {"github.com": urls})

    store = MemoryStore(Clock())
    store.connect(SEAT, token=sim.world.accounts["credits"].github_token)
    return TokenKeeper(store, http, Profile(), origins, owner="tests")


def asked(sim: SimulatorServer) -> int:
    return sum(entry.request.path.endswith("/models/session") for entry in sim.world.log)


async def test_a_session_is_asked_for_once_and_kept(
    sim: SimulatorServer, http: httpx.AsyncClient, tokens: TokenKeeper
) -> None:
    keeper = AutoKeeper(tokens, http, Profile())
    sessions = await asyncio.gather(*(keeper.session(SEAT) for _ in range(20)))
    assert len({session.token for session in sessions}) == 1
    assert sessions[0].selected in sessions[0].models
    assert asked(sim) == 1
    assert sessions[0].token not in repr(sessions[0])


async def test_a_session_is_renewed_before_it_ends_and_after_it_was_forgotten(
    sim: SimulatorServer, http: httpx.AsyncClient, tokens: TokenKeeper
) -> None:
    clock = Clock(sim.world.time())
    keeper = AutoKeeper(tokens, http, Profile(), now=clock)
    first = await keeper.session(SEAT)
    clock.at = first.expires_at - 301
    assert await keeper.session(SEAT) == first
    clock.at = first.expires_at - 299
    second = await keeper.session(SEAT)
    assert second.token != first.token
    keeper.forget(SEAT)
    assert (await keeper.session(SEAT)).token != second.token
    assert asked(sim) == 3


@pytest.mark.parametrize("body", [b"{}", b"no json", b'{"session_token": "t"}', b'{"available_models": ["m"]}'])
def test_what_is_no_session_is_said(body: bytes) -> None:
    with pytest.raises(Unavailable):
        read_session(Answer(200, {}, body))


async def test_terms_are_accepted_on_an_explicit_word(
    sim: SimulatorServer, http: httpx.AsyncClient, tokens: TokenKeeper
) -> None:
    bearer = await tokens.bearer(SEAT)
    await accept_terms(http, Profile(), bearer, "grok-4.6")
    assert sim.world.accounts["credits"].policies["grok-4.6"] == "enabled"
    with pytest.raises(BridgeError):
        await accept_terms(http, Profile(), bearer, "no-such-model")
