"""Bearers: one exchange for any number of waiters, tasks and processes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import httpx
import pytest

from bridge.copilot.identity import Profile
from bridge.copilot.keeper import TokenKeeper
from bridge.copilot.stores import CredentialKind
from bridge.copilot.tokens import CopilotToken
from bridge.copilot.verdicts import SeatVerdict, TokenRefused
from bridge.errors import RateLimited, SeatRequired, Shedding, Unavailable
from tests.bridge.copilot.memory import (
    Clock,
    MemoryStore,
    Server,
    instantly,
    json_answer,
    origins,
    settle,
    token_answer,
)


def keeper_of(store: MemoryStore, server: Server, owner: str = "one") -> TokenKeeper:
    return TokenKeeper(store, server.http, Profile(), origins, owner=owner, now=store.clock, sleep=instantly)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> MemoryStore:
    store = MemoryStore(clock)
    store.connect()
    return store


def kept(clock: Clock, lifetime: float = 1560, renewal: float = 1260) -> CopilotToken:
    return CopilotToken("stored", clock() + lifetime, clock() + renewal, "https://api.githubcopilot.com")


async def test_a_hundred_callers_cause_one_exchange(store: MemoryStore) -> None:
    server = Server(token_answer)
    keeper = keeper_of(store, server)
    bearers = await asyncio.gather(*(keeper.bearer(1) for _ in range(100)))
    assert len(server.requests) == 1
    assert len(set(bearers)) == 1
    assert bearers[0].api_base == "https://api.business.githubcopilot.com"
    assert bearers[0].token not in repr(bearers[0])
    assert store.leases == {}


async def test_two_processes_cause_one_exchange(store: MemoryStore) -> None:
    server = Server(token_answer)
    keepers = keeper_of(store, server, "one"), keeper_of(store, server, "two")
    bearers = await asyncio.gather(*(keeper.bearer(1) for _ in range(50) for keeper in keepers))
    assert len(server.requests) == 1
    assert {bearer.token for bearer in bearers} == {"tid=abc;exp=1;n=1:mac"}
    assert store.saves == 1


async def test_a_fresh_bearer_comes_from_memory(store: MemoryStore) -> None:
    keeper = keeper_of(store, Server(token_answer))
    first = await keeper.bearer(1)
    reads = store.reads
    assert await keeper.bearer(1) is first
    assert store.reads == reads


async def test_a_stored_token_spares_the_exchange_after_a_start(store: MemoryStore, clock: Clock) -> None:
    server = Server(token_answer)
    store.seats[1] = replace(store.seats[1], copilot=kept(clock))
    bearer = await keeper_of(store, server).bearer(1)
    assert bearer.token == "stored"
    assert server.requests == []


async def test_an_ageing_bearer_is_handed_out_while_one_flight_renews_it(store: MemoryStore, clock: Clock) -> None:
    server = Server(token_answer)
    keeper = keeper_of(store, server)
    old = await keeper.bearer(1)
    clock.at += 1300
    server.gate.clear()
    assert [await keeper.bearer(1) for _ in range(10)] == [old] * 10
    await settle()
    assert len(server.requests) == 2
    server.gate.set()
    await settle()
    new = await keeper.bearer(1)
    assert new.token != old.token
    assert len(server.requests) == 2


async def test_an_ageing_stored_token_is_used_and_renewed(store: MemoryStore, clock: Clock) -> None:
    server = Server(token_answer)
    store.seats[1] = replace(store.seats[1], copilot=kept(clock, lifetime=100, renewal=-100))
    keeper = keeper_of(store, server)
    assert (await keeper.bearer(1)).token == "stored"
    assert (await keeper.bearer(1)).token == "stored"
    await settle()
    assert (await keeper.bearer(1)).token != "stored"


async def test_a_failed_renewal_leaves_the_old_bearer_and_is_not_repeated_at_once(
    store: MemoryStore, clock: Clock
) -> None:
    server = Server(token_answer(), httpx.Response(503))
    keeper = keeper_of(store, server)
    old = await keeper.bearer(1)
    clock.at += 1300
    for _ in range(5):
        assert await keeper.bearer(1) is old
        await settle()
    assert len(server.requests) == 1 + 3
    clock.at += 16
    assert await keeper.bearer(1) is old
    await settle()
    assert len(server.requests) == 1 + 6


async def test_everybody_waits_for_the_flight_when_the_bearer_has_expired(store: MemoryStore, clock: Clock) -> None:
    server = Server(token_answer)
    keeper = keeper_of(store, server)
    old = await keeper.bearer(1)
    clock.at += 1560
    bearers = await asyncio.gather(*(keeper.bearer(1) for _ in range(20)))
    assert old not in bearers
    assert len(server.requests) == 2


async def test_a_cancelled_waiter_leaves_the_flight_running(store: MemoryStore) -> None:
    server = Server(token_answer, hold=True)
    keeper = keeper_of(store, server)
    first, second = (asyncio.create_task(keeper.bearer(1)) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    server.gate.set()
    assert (await second).kind is CredentialKind.EXCHANGED
    assert first.cancelled()
    assert len(server.requests) == 1


async def test_a_failed_flight_raises_for_all_and_is_soon_forgotten(store: MemoryStore, clock: Clock) -> None:
    server = Server(httpx.Response(503))
    keeper = keeper_of(store, server)
    faults = await asyncio.gather(*(keeper.bearer(1) for _ in range(30)), return_exceptions=True)
    assert {type(fault) for fault in faults} == {Unavailable}
    assert len(server.requests) == 3
    assert store.leases == {}
    with pytest.raises(Unavailable):
        await keeper.bearer(1)
    assert len(server.requests) == 3
    clock.at += 2.1
    server.answers = [token_answer]
    assert (await keeper.bearer(1)).token


async def test_a_refusal_is_remembered_in_the_store(store: MemoryStore) -> None:
    details = {"message": "Contact Support.", "notification_id": "spammy_user"}
    keeper = keeper_of(store, Server(json_answer(403, {"error_details": details})))
    with pytest.raises(TokenRefused) as caught:
        await keeper.bearer(1)
    assert store.refusals == [caught.value]
    assert caught.value.state is SeatVerdict.SUSPENDED
    assert store.leases == {}


async def test_a_refusal_of_an_old_sign_in_is_not_held_against_the_new_one(store: MemoryStore) -> None:
    server = Server(httpx.Response(401), hold=True)
    keeper = keeper_of(store, server)
    waiter = asyncio.create_task(keeper.bearer(1))
    await settle()
    store.connect(token="ghu_new")
    server.gate.set()
    with pytest.raises(TokenRefused):
        await waiter
    assert store.refusals == []


async def test_a_rate_limit_reaches_the_caller(store: MemoryStore) -> None:
    keeper = keeper_of(store, Server(httpx.Response(429, headers={"retry-after": "40"})))
    with pytest.raises(RateLimited) as caught:
        await keeper.bearer(1)
    assert caught.value.retry_after == 40


async def test_a_seat_that_is_not_there_needs_no_exchange(store: MemoryStore) -> None:
    server = Server(token_answer)
    with pytest.raises(SeatRequired):
        await keeper_of(store, server).bearer(2)
    assert server.requests == []


class OvertakenStore(MemoryStore):
    """Another process saves its token after our look at the store and before our claim."""

    async def claim(self, seat: int, owner: str, seconds: float) -> bool:
        token = CopilotToken("theirs", self.clock() + 1560, self.clock() + 1260, "https://api.githubcopilot.com")
        self.seats[seat] = replace(self.seats[seat], copilot=token)
        return await super().claim(seat, owner, seconds)


async def test_a_token_saved_just_before_the_claim_is_used(clock: Clock) -> None:
    store, server = OvertakenStore(clock), Server(token_answer)
    store.connect()
    assert (await keeper_of(store, server).bearer(1)).token == "theirs"
    assert server.requests == []
    assert store.leases == {}


async def test_a_lapsed_lease_of_a_dead_process_is_taken_over(store: MemoryStore, clock: Clock) -> None:
    store.leases[1] = ("dead", clock() + 45)
    server = Server(token_answer)
    waiter = asyncio.create_task(keeper_of(store, server).bearer(1))
    await settle()
    assert server.requests == []
    clock.at += 46
    assert (await waiter).token


async def test_a_forgotten_seat_is_read_anew(store: MemoryStore) -> None:
    store.connect(kind=CredentialKind.DIRECT, token="gho_old")
    keeper = keeper_of(store, Server(token_answer))
    await keeper.bearer(1)
    store.connect(kind=CredentialKind.DIRECT, token="gho_new")
    keeper.forget(1)
    assert (await keeper.bearer(1)).token == "gho_new"


async def test_a_flight_begun_before_forgetting_leaves_no_trace(store: MemoryStore) -> None:
    server = Server(token_answer, hold=True)
    keeper = keeper_of(store, server)
    waiter = asyncio.create_task(keeper.bearer(1))
    await settle()
    keeper.forget(1)
    store.connect(kind=CredentialKind.DIRECT, token="gho_new")
    assert (await keeper.bearer(1)).token == "gho_new"
    server.gate.set()
    assert (await waiter).token.startswith("tid=")
    assert (await keeper.bearer(1)).token == "gho_new"


async def test_closing_ends_flights_and_gives_leases_back(store: MemoryStore) -> None:
    server = Server(token_answer, hold=True)
    keeper = keeper_of(store, server)
    waiter = asyncio.create_task(keeper.bearer(1))
    await settle()
    assert list(store.leases) == [1]
    await keeper.aclose()
    with pytest.raises(Shedding):
        await waiter
    assert store.leases == {}
    with pytest.raises(Shedding):
        await keeper.bearer(1)
