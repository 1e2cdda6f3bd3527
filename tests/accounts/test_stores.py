"""The upstream client's memory on the database: leases, tokens, refusals, model lists."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from pytest_django.fixtures import Settings

from accounts import stores
from accounts.database import in_thread
from accounts.models import Epoch, Seat, SeatState
from accounts.stores import CatalogueCopies, SeatStore
from bridge.copilot.identity import Profile
from bridge.copilot.keeper import TokenKeeper
from bridge.copilot.origins import Origins
from bridge.copilot.stores import CatalogueStore, CredentialKind, TokenStore
from bridge.copilot.tokens import CopilotToken
from bridge.copilot.verdicts import SeatVerdict, TokenRefused
from bridge.errors import Internal, SeatRequired
from tests.accounts.rows import a_seat

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = CopilotToken("tid=1", 2_000_000_000.123456, 1_999_999_000.654321, "https://api.example", "pro")


class Clock:
    def __init__(self) -> None:
        self.time = 1_900_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> SeatStore:
    kept: TokenStore = SeatStore(clock)  # the type checker compares it with the protocol
    assert isinstance(kept, SeatStore)
    return kept


@pytest.fixture
def seat() -> int:
    number: int = a_seat(github_token="ghu_secret").pk
    return number


async def test_a_fresh_seat_has_a_github_token_and_no_copilot_token(store: SeatStore, seat: int) -> None:
    credential = await store.read(seat)
    assert (credential.seat, credential.host, credential.kind) == (seat, "github.com", CredentialKind.EXCHANGED)
    assert (credential.github_token, credential.copilot) == ("ghu_secret", None)


async def test_a_saved_token_comes_back_to_the_microsecond_and_is_not_announced(store: SeatStore, seat: int) -> None:
    before = await in_thread(Epoch.current)()
    assert await store.claim(seat, "me", 30)
    await store.save(seat, "me", TOKEN)
    assert (await store.read(seat)).copilot == TOKEN
    assert await store.claim(seat, "another", 30)
    assert await in_thread(Epoch.current)() == before


async def test_a_lease_is_free_or_lapsed_or_ones_own(store: SeatStore, clock: Clock, seat: int) -> None:
    assert await store.claim(seat, "me", 30)
    assert not await store.claim(seat, "another", 30)
    assert await store.claim(seat, "me", 30)
    clock.time += 30
    assert await store.claim(seat, "another", 30)
    assert not await store.claim(seat, "me", 30)


async def test_a_lost_lease_cannot_be_given_back_nor_its_token_saved(store: SeatStore, clock: Clock, seat: int) -> None:
    assert await store.claim(seat, "me", 30)
    clock.time += 31
    assert await store.claim(seat, "another", 30)
    await store.release(seat, "me")
    await store.save(seat, "me", TOKEN)
    assert not await store.claim(seat, "me", 30)
    assert (await store.read(seat)).copilot is None


async def test_a_released_lease_is_free(store: SeatStore, seat: int) -> None:
    assert await store.claim(seat, "me", 30)
    await store.release(seat, "me")
    assert await store.claim(seat, "another", 30)


def test_of_many_threads_that_claim_at_once_exactly_one_wins(seat: int) -> None:
    threads, gate = 8, threading.Barrier(8)

    def claim(name: int) -> bool:
        gate.wait()
        return asyncio.run(SeatStore().claim(seat, f"process {name}", 30))

    with ThreadPoolExecutor(threads) as pool:
        outcomes = list(pool.map(claim, range(threads)))
    assert outcomes.count(True) == 1
    assert Seat.objects.get(pk=seat).lease_owner == f"process {outcomes.index(True)}"


async def test_discarding_forgets_the_token_it_names_and_no_newer_one(store: SeatStore, seat: int) -> None:
    await store.claim(seat, "me", 30)
    await store.save(seat, "me", TOKEN)
    newer = CopilotToken("tid=2", TOKEN.expires_at + 1, TOKEN.renew_at + 1, TOKEN.api_base)
    await store.discard(seat, newer)
    assert (await store.read(seat)).copilot == TOKEN
    await store.discard(seat, TOKEN)
    assert (await store.read(seat)).copilot is None


@pytest.mark.parametrize(
    ("verdict", "state"),
    [
        (SeatVerdict.NEEDS_LOGIN, SeatState.NEEDS_LOGIN),
        (SeatVerdict.NO_ACCESS, SeatState.NEEDS_LOGIN),
        (SeatVerdict.SUSPENDED, SeatState.SUSPENDED),
    ],
)
async def test_a_refusal_takes_the_seat_out_of_service_and_is_announced(
    store: SeatStore, seat: int, verdict: SeatVerdict, state: SeatState
) -> None:
    await store.claim(seat, "me", 30)
    await store.save(seat, "me", TOKEN)
    before = await in_thread(Epoch.current)()
    await store.refuse(seat, TokenRefused("GitHub says: %(detail)s", state=verdict, detail="No."))
    row = await in_thread(Seat.objects.get)(pk=seat)
    assert (row.state, row.state_reason, row.copilot_token) == (state, "GitHub says: No.", None)
    assert await in_thread(Epoch.current)() == before + 1
    with pytest.raises(SeatRequired, match="GitHub says: No"):
        await store.read(seat)


async def test_a_resting_seat_can_still_be_read(store: SeatStore, seat: int) -> None:
    await in_thread(Seat.objects.filter(pk=seat).update)(state=SeatState.EXHAUSTED)
    assert (await store.read(seat)).github_token == "ghu_secret"


async def test_an_unknown_seat_is_refused_in_words(store: SeatStore) -> None:
    with pytest.raises(SeatRequired, match="no longer exists"):
        await store.read(404)


async def test_a_token_no_key_can_read_is_the_gateways_own_fault(
    store: SeatStore, seat: int, settings: Settings
) -> None:
    settings.BRIDGE_ENCRYPTION_KEYS = ["another key of thirty-two characters"]
    with pytest.raises(Internal, match="cannot be decrypted"):
        await store.read(seat)


async def test_a_copilot_token_no_key_can_read_is_as_good_as_none(
    store: SeatStore, seat: int, settings: Settings
) -> None:
    await store.claim(seat, "me", 30)
    await store.save(seat, "me", TOKEN)
    settings.BRIDGE_ENCRYPTION_KEYS = ["another key of thirty-two characters"]
    await in_thread(Seat.objects.filter(pk=seat).update)(github_token="ghu_secret")
    assert (await store.read(seat)).copilot is None


async def test_a_model_list_is_kept_as_it_came_and_replaced_by_the_next(seat: int) -> None:
    copies: CatalogueStore = CatalogueCopies()
    assert await copies.load(seat) is None
    await copies.store(seat, b'{"data": [\xff]}', 1_900_000_000.5)
    await copies.store(seat, b'{"data": []}', 1_900_000_001.5)
    stored = await copies.load(seat)
    assert stored is not None
    assert (stored.body, stored.at) == (b'{"data": []}', 1_900_000_001.5)


async def test_two_processes_with_one_database_make_one_exchange(seat: int) -> None:
    exchanges = 0

    async def answer(_request: httpx.Request) -> httpx.Response:
        nonlocal exchanges
        exchanges += 1
        await asyncio.sleep(0.3)
        return httpx.Response(200, json={"token": f"tid={exchanges}", "refresh_in": 1500})

    origins = Origins("https://github.test", "https://api.test", "https://copilot.test")
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        keepers = [TokenKeeper(SeatStore(), http, Profile(), lambda _host: origins, owner=name) for name in "ab"]
        bearers = await asyncio.gather(*(keeper.bearer(seat) for keeper in keepers for _ in range(20)))
        for keeper in keepers:
            await keeper.aclose()
    assert {bearer.token for bearer in bearers} == {"tid=1"}
    assert exchanges == 1


def test_refusing_a_seat_that_is_gone_is_no_fault() -> None:
    stores.refuse_seat(404, TokenRefused("No.", state=SeatVerdict.SUSPENDED))
    assert not Seat.objects.exists()
