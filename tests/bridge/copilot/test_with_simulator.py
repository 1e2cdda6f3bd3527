"""The upstream client against the simulator: real connections, the recorded refusals, and counted exchanges."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import httpx
import pytest

from bridge.copilot.account import fetch_account, fetch_user
from bridge.copilot.catalogue import CatalogueKeeper
from bridge.copilot.endpoints import Endpoint
from bridge.copilot.identity import Profile
from bridge.copilot.initiator import Initiator
from bridge.copilot.keeper import Bearer, TokenKeeper
from bridge.copilot.origins import Origins, origins_for
from bridge.copilot.quota import governing_quota, read_quota_headers
from bridge.copilot.stores import CredentialKind, SeatCredential
from bridge.copilot.tokens import SeatVerdict, TokenRefused, exchange
from bridge.errors import RateLimited, UpstreamFault
from tests.bridge.copilot.memory import Clock, MemoryCatalogues, MemoryStore, instantly
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


def tenant(sim: SimulatorServer) -> Origins:
    urls = {name: f"{sim.url}/ghe/octo/{name}" for name in ("github", "api", "copilot")}
    return origins_for("octo.ghe.com", {"octo.ghe.com": urls})


def github_token(sim: SimulatorServer, login: str) -> str:
    return sim.world.accounts[login].github_token


def exchanges(sim: SimulatorServer, login: str) -> int:
    return sim.world.accounts[login].exchanges


def keeper_for(sim: SimulatorServer, http: httpx.AsyncClient, store: MemoryStore, owner: str = "one") -> TokenKeeper:
    return TokenKeeper(
        store,
        http,
        PROFILE,
        lambda _host: github(sim),
        owner=owner,
        now=store.clock,
        sleep=lambda _: asyncio.sleep(0.01),
    )


def store_for(sim: SimulatorServer, login: str, kind: CredentialKind = CredentialKind.EXCHANGED) -> MemoryStore:
    store = MemoryStore(Clock())
    store.connect(kind=kind, token=github_token(sim, login))
    return store


@pytest.mark.parametrize(
    ("login", "state"),
    [("noseat", SeatVerdict.NO_ACCESS), ("suspended", SeatVerdict.SUSPENDED), ("pat", None)],
)
async def test_a_seat_without_copilot_is_refused_with_its_state(
    sim: SimulatorServer, http: httpx.AsyncClient, login: str, state: SeatVerdict | None
) -> None:
    with pytest.raises(TokenRefused) as caught:
        await exchange(http, github(sim), PROFILE, github_token(sim, login), host="github.com")
    assert state is None or caught.value.state is state


async def test_a_revoked_sign_in_needs_a_new_one(sim: SimulatorServer, http: httpx.AsyncClient) -> None:
    with pytest.raises(TokenRefused) as caught:
        await exchange(http, github(sim), PROFILE, "ghu_unknown", host="github.com")
    assert caught.value.state is SeatVerdict.NEEDS_LOGIN


async def test_a_rate_limited_exchange_is_no_refusal(sim: SimulatorServer, http: httpx.AsyncClient) -> None:
    message = {"message": "API rate limit exceeded for user ID 12345.", "status": "403"}
    sim.ask({"raw": {"status": 403, "body": message}}, times=None, path="/copilot_internal/v2/token")
    with pytest.raises(RateLimited):
        await exchange(http, github(sim), PROFILE, github_token(sim, "credits"), host="github.com")


async def test_a_passing_fault_is_survived(sim: SimulatorServer, http: httpx.AsyncClient) -> None:
    sim.ask({"raw": {"status": 502, "body": "oops"}}, times=2, path="/copilot_internal/v2/token")
    token = await exchange(http, github(sim), PROFILE, github_token(sim, "credits"), host="github.com", sleep=instantly)
    assert token.api_base == sim.copilot_url


async def test_a_tenants_seat_is_exchanged_at_the_tenant(sim: SimulatorServer, http: httpx.AsyncClient) -> None:
    secret = github_token(sim, "ghe")
    token = await exchange(http, tenant(sim), PROFILE, secret, host="octo.ghe.com")
    assert token.api_base == f"{sim.url}/ghe/octo/copilot"
    assert (await fetch_user(http, tenant(sim), PROFILE, secret)).login == "ghe"


async def test_a_skewed_clock_at_github_does_not_shorten_the_token(
    sim: SimulatorServer, http: httpx.AsyncClient
) -> None:
    sim.control("POST", "clock", {"skew": -7200})
    token = await exchange(
        http, github(sim), PROFILE, github_token(sim, "credits"), host="github.com", now=lambda: 1000.0
    )
    assert (token.renew_at, token.expires_at) == (1000.0 + 1260, 1000.0 + 1560)


@pytest.mark.parametrize(
    ("login", "governing", "exhausted", "token_based"),
    [
        ("credits", "premium_interactions", False, True),
        ("legacy", "premium_interactions", False, False),
        ("exhausted", "premium_interactions", True, True),
        ("legacy-exhausted", "premium_interactions", True, False),
        ("free", "chat", False, None),
        ("free-old", "chat", False, False),
        ("business", "premium_interactions", False, True),
        ("enterprise", "premium_interactions", False, True),
    ],
)
async def test_every_kind_of_account_is_understood(
    sim: SimulatorServer,
    http: httpx.AsyncClient,
    login: str,
    governing: str,
    exhausted: bool,
    token_based: bool | None,
) -> None:
    account = await fetch_account(http, github(sim), PROFILE, github_token(sim, login))
    quota = governing_quota(account.quotas, free=account.free)
    assert account.login == login
    assert quota is not None
    assert (quota.name, quota.exhausted) == (governing, exhausted)
    assert quota.reset_at is not None
    assert token_based is None or account.token_based is token_based


async def test_a_hundred_callers_on_an_expired_token_cause_one_exchange(
    sim: SimulatorServer, http: httpx.AsyncClient
) -> None:
    store = store_for(sim, "credits")
    keeper = keeper_for(sim, http, store)
    await keeper.bearer(1)
    store.clock.at += 3600
    before = exchanges(sim, "credits")
    bearers = await asyncio.gather(*(keeper.bearer(1) for _ in range(100)))
    assert exchanges(sim, "credits") == before + 1
    assert len({bearer.token for bearer in bearers}) == 1


async def test_two_processes_and_a_hundred_callers_cause_one_exchange(
    sim: SimulatorServer, http: httpx.AsyncClient
) -> None:
    store = store_for(sim, "credits")
    keepers = [keeper_for(sim, http, store, owner) for owner in ("one", "two")]
    sim.ask({"hold": 0.1}, path="/copilot_internal/v2/token")
    bearers = await asyncio.gather(*(keeper.bearer(1) for _ in range(50) for keeper in keepers))
    assert exchanges(sim, "credits") == 1
    assert len({bearer.token for bearer in bearers}) == 1


async def generate(http: httpx.AsyncClient, bearer: Bearer) -> httpx.Response:
    headers = PROFILE.generation_headers(
        intent=PROFILE.intent(Endpoint.CHAT), initiator=Initiator.USER, vision=False, request_id=str(uuid4())
    )
    return await http.post(
        f"{bearer.api_base}/chat/completions",
        headers=headers | {"Authorization": f"Bearer {bearer.token}"},
        json={"model": "gpt-5-mini", "messages": [{"role": "user", "content": "hi"}], "stream": True},
    )


async def test_a_token_revoked_under_a_hundred_requests_is_exchanged_once(
    sim: SimulatorServer, http: httpx.AsyncClient
) -> None:
    keeper = keeper_for(sim, http, store_for(sim, "credits"))
    old = await keeper.bearer(1)
    sim.control("POST", "token/revoke", {"account": "credits"})

    async def one_request() -> int:
        bearer = await keeper.bearer(1)
        answer = await generate(http, bearer)
        if answer.status_code == 401:
            await keeper.reject(1, bearer)
            answer = await generate(http, await keeper.bearer(1))
        return answer.status_code

    assert set(await asyncio.gather(*(one_request() for _ in range(100)))) == {200}
    assert await keeper.bearer(1) != old
    assert exchanges(sim, "credits") == 2


async def test_an_answer_tells_what_is_left(sim: SimulatorServer, http: httpx.AsyncClient) -> None:
    answer = await generate(http, await keeper_for(sim, http, store_for(sim, "credits")).bearer(1))
    names = {quota.name for quota in read_quota_headers(answer.headers)}
    assert {"session", "weekly"} < names
    assert governing_quota(read_quota_headers(answer.headers), free=False) is not None


async def test_a_suspended_seat_is_remembered_and_its_lease_given_back(
    sim: SimulatorServer, http: httpx.AsyncClient
) -> None:
    store = store_for(sim, "credits")
    sim.control("POST", "account/credits", {"state": "suspended"})
    with pytest.raises(TokenRefused):
        await keeper_for(sim, http, store).bearer(1)
    assert [refusal.state for refusal in store.refusals] == [SeatVerdict.SUSPENDED]
    assert store.leases == {}


async def test_a_direct_token_reads_the_model_list_without_an_exchange(
    sim: SimulatorServer, http: httpx.AsyncClient
) -> None:
    keeper = keeper_for(sim, http, store_for(sim, "direct", CredentialKind.DIRECT))
    catalogue = await CatalogueKeeper(MemoryCatalogues(), keeper, http, PROFILE).get(1)
    assert catalogue.models
    assert exchanges(sim, "direct") == 0


async def test_the_whole_model_list_is_understood(sim: SimulatorServer, http: httpx.AsyncClient) -> None:
    keeper = keeper_for(sim, http, store_for(sim, "credits"))
    catalogue = await CatalogueKeeper(MemoryCatalogues(), keeper, http, PROFILE).get(1)
    opus = catalogue.models["claude-opus-4.8"]
    assert Endpoint.MESSAGES in opus.endpoints
    assert opus.prices[0].input == 500_000_000_000
    assert catalogue.models["text-embedding-3-small"].endpoints == {Endpoint.EMBEDDINGS}
    unusable = {model.id for model in catalogue.models.values() if not model.endpoints}
    assert unusable == {"trajectory-compaction", "gpt-41-copilot"}


async def test_an_expired_bearer_for_the_model_list_is_renewed(sim: SimulatorServer, http: httpx.AsyncClient) -> None:
    keeper = keeper_for(sim, http, store_for(sim, "credits"))
    await keeper.bearer(1)
    sim.control("POST", "token/expire", {"account": "credits"})
    assert (await CatalogueKeeper(MemoryCatalogues(), keeper, http, PROFILE).get(1)).models
    assert exchanges(sim, "credits") == 2


async def test_a_redirect_never_carries_the_bearer_along(sim: SimulatorServer, http: httpx.AsyncClient) -> None:
    keeper = keeper_for(sim, http, store_for(sim, "credits"))
    bearer = await keeper.bearer(1)
    sim.ask({"redirect": f"{sim.url}/elsewhere"}, times=None, path="/models")
    with pytest.raises(UpstreamFault):
        await CatalogueKeeper(MemoryCatalogues(), keeper, http, PROFILE).get(1)
    carried = [entry for entry in sim.world.log if bearer.token in str(entry.request.headers)]
    assert {entry.request.path for entry in carried} == {"/models"}


async def test_a_credential_does_not_show_its_secret() -> None:
    assert "ghu_secret" not in repr(SeatCredential(1, "github.com", CredentialKind.EXCHANGED, "ghu_secret"))
