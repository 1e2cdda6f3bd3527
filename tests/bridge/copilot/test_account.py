"""Who a token belongs to, and the account in its four shapes."""

from __future__ import annotations

import httpx
import pytest

from bridge.copilot.account import GitHubUser, fetch_account, fetch_user, read_account
from bridge.copilot.identity import Profile
from bridge.copilot.origins import origins_for
from bridge.copilot.verdicts import SeatVerdict, TokenRefused
from bridge.errors import RateLimited, Unavailable
from tests.bridge.copilot.memory import Server, json_answer

GITHUB = origins_for("github.com")
JULY = 1_782_864_000.0  # 2026-07-01T00:00:00Z


def snapshot(**fields: object) -> dict[str, object]:
    return {"unlimited": False, "entitlement": 300, "remaining": 10, "percent_remaining": 3.3} | fields


async def test_a_token_belongs_to_a_user() -> None:
    server = Server(json_answer(200, {"login": "octocat", "id": 583231, "name": "The Octocat"}))
    assert await fetch_user(server.http, GITHUB, Profile(), "ghu_1") == GitHubUser("octocat", 583231, "The Octocat")
    request = server.requests[0]
    assert str(request.url) == "https://api.github.com/user"
    assert request.headers["authorization"] == "token ghu_1"
    assert request.headers["x-github-api-version"] == "2022-11-28"


async def test_a_user_without_a_public_name_is_fine() -> None:
    server = Server(json_answer(200, {"login": "octocat", "id": 1, "name": None}))
    assert (await fetch_user(server.http, GITHUB, Profile(), "t")).name == ""


async def test_a_revoked_token_needs_a_new_login() -> None:
    with pytest.raises(TokenRefused) as caught:
        await fetch_user(Server(json_answer(401, {"message": "Bad credentials"})).http, GITHUB, Profile(), "t")
    assert caught.value.state is SeatVerdict.NEEDS_LOGIN


async def test_a_vanished_page_says_nothing_about_the_seat() -> None:
    with pytest.raises(Unavailable):
        await fetch_account(Server(httpx.Response(404)).http, GITHUB, Profile(), "t")


async def test_an_exhausted_rest_api_is_a_rate_limit() -> None:
    body = {"message": "API rate limit exceeded for user ID 12345.", "status": "403"}
    reset = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000090", "date": "Fri, 15 Jan 2027 08:00:00 GMT"}
    with pytest.raises(RateLimited) as caught:
        await fetch_account(Server(json_answer(403, body, **reset)).http, GITHUB, Profile(), "t")
    assert caught.value.retry_after == 90
    assert caught.value.final


async def test_a_page_that_is_no_json_is_the_upstreams_fault() -> None:
    with pytest.raises(Unavailable):
        await fetch_account(Server(httpx.Response(200, content=b"<html>")).http, GITHUB, Profile(), "t")


async def test_a_seat_billed_by_token() -> None:
    body = {
        "login": "octocat",
        "access_type_sku": "copilot_standalone_seat_quota",
        "chat_enabled": True,
        "copilot_plan": "business",
        "endpoints": {"api": "https://api.business.githubcopilot.com"},
        "quota_reset_date": "2026-07-01",
        "quota_reset_date_utc": "2026-07-01T00:00:00.000Z",
        "token_based_billing": True,
        "quota_snapshots": {
            "chat": snapshot(quota_id="chat", unlimited=True, entitlement=0, quota_reset_at=0),
            "premium_interactions": snapshot(
                entitlement=3000, remaining=252, quota_remaining=252.6, percent_remaining=8.4, overage_permitted=True
            ),
        },
    }
    server = Server(json_answer(200, body))
    account = await fetch_account(server.http, GITHUB, Profile(), "ghu_1")
    assert server.requests[0].url.path == "/copilot_internal/user"
    assert (account.plan, account.login, account.token_based, account.free) == ("business", "octocat", True, False)
    assert account.api == "https://api.business.githubcopilot.com"
    assert account.reset_at == JULY
    chat, premium = account.quotas
    assert chat.unlimited
    assert chat.reset_at == JULY
    assert (premium.name, premium.entitlement, premium.remaining) == ("premium_interactions", 3000, 252.6)
    assert not premium.exhausted


def test_a_paid_seat_of_the_request_era_below_zero() -> None:
    account = read_account(
        {
            "copilot_plan": "individual",
            "quota_reset_date": "2026-07-01",
            "quota_snapshots": {
                "premium_interactions": snapshot(
                    remaining=-1, quota_remaining=-1, percent_remaining=-0.33333, overage_permitted=False
                )
            },
        }
    )
    assert not account.token_based
    assert account.quotas[0].remaining == -1
    assert account.quotas[0].exhausted


def test_a_free_seat_of_the_older_shape() -> None:
    account = read_account(
        {
            "access_type_sku": "free_limited_copilot",
            "limited_user_quotas": {"chat": 480, "completions": 4000},
            "monthly_quotas": {"chat": 500, "completions": 4000},
            "limited_user_reset_date": "2026-07-01",
        }
    )
    assert account.free
    chat, completions = account.quotas
    assert (chat.name, chat.remaining, chat.entitlement, chat.percent_remaining) == ("chat", 480, 500, 96.0)
    assert completions.percent_remaining == 100.0
    assert chat.reset_at == JULY


def test_a_free_seat_of_the_newer_shape() -> None:
    account = read_account(
        {
            "access_type_sku": "free_limited_copilot",
            "quota_snapshots": {
                "chat": snapshot(entitlement=200, remaining=200, percent_remaining=100),
                "premium_interactions": snapshot(entitlement=0, remaining=0, percent_remaining=0),
            },
        }
    )
    assert [quota.exhausted for quota in account.quotas] == [False, True]


def test_an_account_that_says_nothing_is_still_an_account() -> None:
    account = read_account({})
    assert (account.plan, account.quotas, account.reset_at, account.chat_enabled) == ("", (), None, True)
