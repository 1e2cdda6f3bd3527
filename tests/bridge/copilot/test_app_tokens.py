"""Tokens of an app's installation: what is asked, what each refusal means, and how the keeper renews them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bridge.copilot.app_tokens import check_private_key, fetch_app_token, fetch_installation
from bridge.copilot.identity import Profile
from bridge.copilot.keeper import TokenKeeper
from bridge.copilot.stores import AppCredential, CredentialKind, SeatCredential
from bridge.copilot.tokens import CopilotToken
from bridge.copilot.verdicts import SeatVerdict, TokenRefused
from bridge.errors import BadRequest, BridgeError, RateLimited, Unavailable
from tests.bridge.copilot.memory import Clock, MemoryStore, Server, instantly, json_answer, origins, settle

CLIENT = "Iv23liAbCdEf"
HOUR = "2027-01-15T09:00:00Z"  # one hour after the clock of these tests


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def app(key: rsa.RSAPrivateKey) -> AppCredential:
    return AppCredential(CLIENT, 77, pem_of(key))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pem_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def issued(number: int = 1, **fields: object) -> httpx.Response:
    body = {"token": f"ghs_{number}", "expires_at": HOUR, "permissions": {"copilot_requests": "write"}}
    return json_answer(201, body | fields)


def at(seconds: float) -> str:
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)


async def asked(server: Server, app: AppCredential, clock: Callable[[], float]) -> CopilotToken:
    return await fetch_app_token(
        server.http, origins("github.com"), Profile(), app, host="github.com", now=clock, sleep=instantly
    )


async def refused(server: Server, app: AppCredential, clock: Callable[[], float]) -> TokenRefused:
    with pytest.raises(TokenRefused) as caught:
        await asked(server, app, clock)
    return caught.value


async def test_the_statement_is_signed_by_the_key_and_dated_as_github_wants(
    app: AppCredential, key: rsa.RSAPrivateKey, clock: Clock
) -> None:
    server = Server(issued())
    await asked(server, app, clock)
    request = server.requests[0]
    assert (request.method, str(request.url)) == ("POST", "https://api.github.com/app/installations/77/access_tokens")
    assert request.content == b'{"permissions": {"copilot_requests": "write"}}'
    scheme, statement = request.headers["authorization"].split()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = jwt.decode(statement, public, algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False})
    assert scheme == "Bearer"
    assert claims["iss"] == CLIENT
    assert claims["iat"] == int(clock.at) - 60
    assert clock.at < claims["exp"] <= clock.at + 600


async def test_the_token_is_renewed_well_before_its_hour_is_over(app: AppCredential, clock: Clock) -> None:
    token = await asked(Server(issued()), app, clock)
    assert (token.token, token.api_base) == ("ghs_1", "https://api.githubcopilot.com")
    assert token.expires_at == clock.at + 3600
    assert token.renew_at == clock.at + 3000


async def test_how_long_a_token_lives_is_told_by_githubs_clock_not_by_ours(app: AppCredential, clock: Clock) -> None:
    answer = issued()
    answer.headers["date"] = at(clock.at + 1800)
    token = await asked(Server(answer), app, clock)
    assert token.expires_at == clock.at + 1800


async def test_a_clock_that_is_wrong_is_put_right_by_githubs_answer(app: AppCredential, clock: Clock) -> None:
    late = json_answer(401, {"message": "'Expiration time' claim ('exp') is too far in the future"})
    late.headers["date"] = at(clock.at - 7200)
    server = Server(late, issued())
    assert (await asked(server, app, clock)).token == "ghs_1"
    statement = server.requests[1].headers["authorization"].split()[1]
    claims = jwt.decode(statement, options={"verify_signature": False})
    assert abs(claims["iat"] - (clock.at - 7200 - 60)) <= 1


@pytest.mark.parametrize(
    ("answer", "state", "code"),
    [
        (
            json_answer(401, {"message": "A JSON web token could not be decoded"}),
            SeatVerdict.NEEDS_LOGIN,
            "unauthorized",
        ),
        (json_answer(404, {"message": "Not Found"}), SeatVerdict.NEEDS_LOGIN, "not_installed"),
        (json_answer(403, {"message": "Resource not accessible"}), SeatVerdict.NEEDS_LOGIN, "permission_missing"),
        (
            json_answer(403, {"message": "This installation has been suspended"}),
            SeatVerdict.SUSPENDED,
            "installation_suspended",
        ),
        (
            json_answer(422, {"message": "The permissions requested are not granted to this installation."}),
            SeatVerdict.NEEDS_LOGIN,
            "permission_missing",
        ),
        (issued(permissions={"copilot_requests": "read"}), SeatVerdict.NEEDS_LOGIN, "permission_missing"),
        (issued(permissions={"metadata": "read"}), SeatVerdict.NEEDS_LOGIN, "permission_missing"),
    ],
)
async def test_each_refusal_of_github_has_its_own_sentence_and_state(
    app: AppCredential, clock: Clock, answer: httpx.Response, state: SeatVerdict, code: str
) -> None:
    refusal = await refused(Server(answer), app, clock)
    assert (refusal.state, refusal.upstream_code) == (state, code)
    assert str(refusal).endswith((".", "suspended"))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (json_answer(403, {"message": "API rate limit exceeded for installation ID 77."}), RateLimited),
        (json_answer(500, {}), Unavailable),
        (json_answer(201, {"token": "two words", "expires_at": HOUR}), Unavailable),
        (json_answer(201, {}), Unavailable),
    ],
)
async def test_what_may_pass_is_tried_three_times_and_takes_no_seat_away(
    app: AppCredential, clock: Clock, answer: httpx.Response, kind: type[BridgeError]
) -> None:
    server = Server(answer)
    with pytest.raises(kind) as caught:
        await asked(server, app, clock)
    assert not isinstance(caught.value, TokenRefused)
    assert len(server.requests) == (1 if kind is RateLimited else 3)


async def test_a_key_that_cannot_sign_is_a_refusal_without_a_question(clock: Clock) -> None:
    server = Server(issued())
    assert (await refused(server, AppCredential(CLIENT, 77, "no key"), clock)).upstream_code == "private_key"
    assert server.requests == []


async def test_the_installation_tells_who_pays(app: AppCredential, clock: Clock) -> None:
    server = Server(json_answer(200, {"account": {"login": "octo-org", "id": 9}, "app_slug": "gate"}))
    where = await fetch_installation(server.http, origins("github.com"), Profile(), app, now=clock)
    assert (where.login, where.id, where.app) == ("octo-org", 9, "gate")
    with pytest.raises(Unavailable):
        await fetch_installation(Server(json_answer(200, {})).http, origins("github.com"), Profile(), app, now=clock)


def test_only_a_large_enough_rsa_key_in_pem_form_is_a_key(key: rsa.RSAPrivateKey) -> None:
    check_private_key(pem_of(key))
    for wrong in ("", "-----BEGIN RSA PRIVATE KEY-----\nxx\n-----END RSA PRIVATE KEY-----"):
        with pytest.raises(BadRequest):
            check_private_key(wrong)
    with pytest.raises(BadRequest):
        check_private_key(pem_of(ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(BadRequest):
        check_private_key(pem_of(rsa.generate_private_key(public_exponent=65537, key_size=1024)))


def test_no_credential_shows_its_key(app: AppCredential) -> None:
    shown = repr(app) + repr(SeatCredential(1, "github.com", CredentialKind.APP, app=app))
    assert "PRIVATE" not in shown
    assert CLIENT in shown


def store_of(clock: Clock, app: AppCredential) -> MemoryStore:
    store = MemoryStore(clock)
    store.seats[1] = SeatCredential(1, "github.com", CredentialKind.APP, app=app)
    return store


def keeper_of(store: MemoryStore, server: Server, owner: str = "one") -> TokenKeeper:
    return TokenKeeper(store, server.http, Profile(), origins, owner=owner, now=store.clock, sleep=instantly)


async def test_a_hundred_callers_of_two_processes_cost_one_token(app: AppCredential, clock: Clock) -> None:
    store, server = store_of(clock, app), Server(issued)
    keepers = [keeper_of(store, server, owner) for owner in ("one", "two")]
    bearers = await asyncio.gather(*(keeper.bearer(1) for keeper in keepers for _ in range(50)))
    assert {bearer.token for bearer in bearers} == {"ghs_1"}
    assert {bearer.kind for bearer in bearers} == {CredentialKind.APP}
    assert len(server.requests) == 1


async def test_an_ageing_token_is_renewed_while_it_still_serves(app: AppCredential, clock: Clock) -> None:
    store = store_of(clock, app)
    server = Server(lambda number: issued(number, expires_at=clock.at + 3600))
    keeper = keeper_of(store, server)
    await keeper.bearer(1)
    clock.at += 3100
    assert (await keeper.bearer(1)).token == "ghs_1"
    await settle()
    assert (await keeper.bearer(1)).token == "ghs_2"
    await keeper.aclose()


async def test_a_rejected_token_is_replaced_and_a_second_rejection_needs_somebody(
    app: AppCredential, clock: Clock
) -> None:
    store, server = store_of(clock, app), Server(issued)
    keeper = keeper_of(store, server)
    await keeper.reject(1, await keeper.bearer(1))
    second = await keeper.bearer(1)
    assert second.token == "ghs_2"
    assert store.refusals == []
    await keeper.reject(1, second)
    assert [refusal.state for refusal in store.refusals] == [SeatVerdict.NEEDS_LOGIN]
    with pytest.raises(TokenRefused, match="organisation"):
        await keeper.bearer(1)


async def test_rejections_far_apart_are_only_renewals(app: AppCredential, clock: Clock) -> None:
    store, server = store_of(clock, app), Server(issued)
    keeper = keeper_of(store, server)
    await keeper.reject(1, await keeper.bearer(1))
    clock.at += 301
    await keeper.reject(1, await keeper.bearer(1))
    assert store.refusals == []
    assert (await keeper.bearer(1)).token == "ghs_3"


async def test_a_forbidden_answer_before_a_401_takes_nothing_away(app: AppCredential, clock: Clock) -> None:
    store, server = store_of(clock, app), Server(issued)
    keeper = keeper_of(store, server)
    await keeper.reject(1, await keeper.bearer(1), forbidden=True)
    await keeper.reject(1, await keeper.bearer(1))
    assert store.refusals == []


async def test_a_refusal_is_remembered_unless_the_app_was_added_anew_meanwhile(
    app: AppCredential, clock: Clock
) -> None:
    missing = json_answer(404, {"message": "Not Found"})
    store = store_of(clock, app)
    with pytest.raises(TokenRefused):
        await keeper_of(store, Server(missing)).bearer(1)
    assert [refusal.upstream_code for refusal in store.refusals] == ["not_installed"]

    store = store_of(clock, app)

    def added_anew(_number: int) -> httpx.Response:
        store.seats[1] = SeatCredential(1, "github.com", CredentialKind.APP, app=AppCredential(CLIENT, 78, "other"))
        return missing

    with pytest.raises(TokenRefused):
        await keeper_of(store, Server(added_anew)).bearer(1)
    assert store.refusals == []
