"""Bearers the upstream no longer takes: renewed once, used by nobody again, and direct tokens given up."""

from __future__ import annotations

import asyncio

import pytest

from bridge.copilot.identity import Profile
from bridge.copilot.keeper import Bearer, TokenKeeper
from bridge.copilot.stores import CredentialKind
from bridge.copilot.verdicts import SeatVerdict, TokenRefused
from tests.bridge.copilot.memory import (
    Clock,
    MemoryStore,
    Server,
    instantly,
    origins,
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


async def test_a_hundred_rejections_cause_one_exchange(store: MemoryStore) -> None:
    server = Server(token_answer)
    keeper = keeper_of(store, server)
    old = await keeper.bearer(1)

    async def reject_and_renew() -> Bearer:
        await keeper.reject(1, old)
        return await keeper.bearer(1)

    renewed = await asyncio.gather(*(reject_and_renew() for _ in range(100)))
    assert old not in renewed
    assert len(server.requests) == 2


async def test_a_late_rejection_of_an_old_bearer_is_ignored(store: MemoryStore) -> None:
    server = Server(token_answer)
    keeper = keeper_of(store, server)
    old = await keeper.bearer(1)
    await keeper.reject(1, old)
    new = await keeper.bearer(1)
    await keeper.reject(1, old)
    assert await keeper.bearer(1) is new
    assert store.seats[1].copilot is not None


async def test_a_rejected_token_is_used_by_nobody_again(store: MemoryStore) -> None:
    server = Server(token_answer)
    here, there = keeper_of(store, server, "one"), keeper_of(store, server, "two")
    old = await here.bearer(1)
    same = await there.bearer(1)
    assert same.token == old.token
    await here.reject(1, old)
    assert store.seats[1].copilot is None
    store.clock.at += 1
    new = await here.bearer(1)
    await there.reject(1, same)
    assert (await there.bearer(1)).token == new.token != old.token
    assert len(server.requests) == 2
    assert (await keeper_of(store, server, "after a restart").bearer(1)).token == new.token


async def test_a_rejected_token_that_is_still_stored_is_not_taken_up(store: MemoryStore) -> None:
    server = Server(token_answer)
    keeper = keeper_of(store, server)
    old = await keeper.bearer(1)
    stored = store.seats[1]
    await keeper.reject(1, old)
    store.seats[1] = stored
    assert (await keeper.bearer(1)).token != old.token


async def test_a_direct_token_is_sent_as_it_is(store: MemoryStore) -> None:
    store.connect(kind=CredentialKind.DIRECT, token="gho_1")
    server = Server(token_answer)
    bearer = await keeper_of(store, server).bearer(1)
    assert (bearer.token, bearer.api_base) == ("gho_1", "https://api.githubcopilot.com")
    assert bearer.expires_at == float("inf")
    assert server.requests == []
    assert store.leases == {}


async def test_a_second_rejection_of_a_direct_token_needs_a_new_login(store: MemoryStore, clock: Clock) -> None:
    store.connect(kind=CredentialKind.DIRECT, token="gho_1")
    keeper = keeper_of(store, Server(token_answer))
    first = await keeper.bearer(1)
    await asyncio.gather(*(keeper.reject(1, first) for _ in range(10)))
    assert store.refusals == []
    second = await keeper.bearer(1)
    await keeper.reject(1, second)
    assert [refusal.state for refusal in store.refusals] == [SeatVerdict.NEEDS_LOGIN]
    with pytest.raises(TokenRefused):
        await keeper.bearer(1)


async def test_a_403_renews_at_most_once_a_minute(store: MemoryStore, clock: Clock) -> None:
    server = Server(token_answer)
    keeper = keeper_of(store, server)
    for _ in range(5):
        await keeper.reject(1, await keeper.bearer(1), forbidden=True)
    assert len(server.requests) == 2
    clock.at += 61
    await keeper.reject(1, await keeper.bearer(1), forbidden=True)
    await keeper.bearer(1)
    assert len(server.requests) == 3


async def test_a_403_says_nothing_about_a_direct_token(store: MemoryStore) -> None:
    store.connect(kind=CredentialKind.DIRECT, token="gho_1")
    keeper = keeper_of(store, Server(token_answer))
    for _ in range(3):
        await keeper.reject(1, await keeper.bearer(1), forbidden=True)
    assert store.refusals == []


async def test_a_rejection_long_ago_does_not_count(store: MemoryStore, clock: Clock) -> None:
    store.connect(kind=CredentialKind.DIRECT, token="gho_1")
    keeper = keeper_of(store, Server(token_answer))
    await keeper.reject(1, await keeper.bearer(1))
    clock.at += 301
    await keeper.reject(1, await keeper.bearer(1))
    assert store.refusals == []
