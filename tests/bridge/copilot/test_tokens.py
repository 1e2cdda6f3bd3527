"""The token exchange: what it asks, what it believes, what its refusals mean."""

from __future__ import annotations

from itertools import chain

import httpx
import pytest

from bridge.copilot.identity import Profile
from bridge.copilot.origins import origins_for
from bridge.copilot.tokens import CopilotToken, SeatVerdict, TokenRefused, exchange
from bridge.errors import RateLimited, TimedOut, Unavailable, Unreachable
from tests.bridge.copilot.memory import Clock, Server, json_answer, token_answer

NOW = 1_800_000_000.0
DATE = "Fri, 15 Jan 2027 08:00:00 GMT"  # NOW


class Pauses:
    """A sleep that only notes how long it was asked to take."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


async def ask(
    server: Server, *, host: str = "github.com", operator: str | None = None, pauses: Pauses | None = None
) -> CopilotToken:
    return await exchange(
        server.http,
        origins_for(host),
        Profile(),
        "ghu_secret",
        host=host,
        operator=operator,
        now=Clock(NOW),
        sleep=pauses or Pauses(),
    )


async def test_a_github_token_becomes_a_copilot_token() -> None:
    server = Server(token_answer())
    token = await ask(server)
    request = server.requests[0]
    assert (request.method, str(request.url)) == ("GET", "https://api.github.com/copilot_internal/v2/token")
    assert request.headers["authorization"] == "token ghu_secret"
    assert token.api_base == "https://api.business.githubcopilot.com"
    assert token.sku == "copilot_for_business_seat_quota"
    assert token.token not in repr(token)


async def test_a_tenants_token_is_asked_of_the_tenant() -> None:
    server = Server(token_answer(endpoints={"api": "https://copilot-api.octo.ghe.com"}))
    token = await ask(server, host="octo.ghe.com")
    assert server.requests[0].url.host == "api.octo.ghe.com"
    assert token.api_base == "https://copilot-api.octo.ghe.com"


async def test_without_endpoints_the_token_string_implies_the_host() -> None:
    answer = token_answer(token="tid=a;proxy-ep=proxy.enterprise.githubcopilot.com:mac", endpoints=None)
    assert (await ask(Server(answer))).api_base == "https://api.enterprise.githubcopilot.com"


async def test_a_foreign_host_in_the_answer_is_not_believed() -> None:
    token = await ask(Server(token_answer(endpoints={"api": "https://evil.example"})))
    assert token.api_base == "https://api.githubcopilot.com"


async def test_the_operators_address_wins() -> None:
    assert (await ask(Server(token_answer()), operator="http://127.0.0.1:5/c")).api_base == "http://127.0.0.1:5/c"


@pytest.mark.parametrize("skew", [-86_400, 0, 86_400])
async def test_a_wrong_clock_does_not_change_how_long_a_token_lives(skew: int) -> None:
    token = await ask(Server(token_answer(expires_at=int(NOW) + skew + 1800, refresh_in=1500)))
    assert (token.renew_at - NOW, token.expires_at - NOW) == (1260, 1560)


async def test_the_answers_own_date_shortens_what_refresh_in_promises() -> None:
    answer = token_answer(expires_at=int(NOW) + 100, refresh_in=1500)
    answer.headers["date"] = DATE
    token = await ask(Server(answer))
    assert (token.renew_at - NOW, token.expires_at - NOW) == (80, 100)


@pytest.mark.parametrize("refresh_in", [None, 0, -5, "soon"])
async def test_a_missing_span_is_the_usual_one(refresh_in: object) -> None:
    token = await ask(Server(token_answer(refresh_in=refresh_in)))
    assert token.expires_at - NOW == 1560


async def test_a_short_lived_token_is_not_renewed_at_once() -> None:
    token = await ask(Server(token_answer(refresh_in=30)))
    assert NOW + 30 <= token.renew_at < token.expires_at == NOW + 90


@pytest.mark.parametrize("token", [None, "", "two words", "line\nbreak", "ü"])
async def test_an_answer_without_a_usable_token_is_not_retried(token: object) -> None:
    server = Server(token_answer(token=token))
    with pytest.raises(Unavailable):
        await ask(server)
    assert len(server.requests) == 1


def refusal(reason: str) -> httpx.Response:
    details = {
        "message": "Contact Support.",
        "notification_id": reason,
        "title": "T",
        "url": "https://support.github.com",
    }
    return json_answer(403, {"error_details": details, "message": "Resource not accessible by integration"})


SUSPENDED = ["spammy_user", "access_revoked", "trade_restricted", "programmatic_token_generation", "go_http_client"]
NO_ACCESS = [
    "no_copilot_access",
    "not_signed_up",
    "subscription_ended",
    "billing_locked",
    "feature_flag_blocked",
    "new_one",
]


@pytest.mark.parametrize(
    ("reason", "state"),
    list(
        chain(
            ((reason, SeatVerdict.SUSPENDED) for reason in SUSPENDED),
            ((reason, SeatVerdict.NO_ACCESS) for reason in NO_ACCESS),
        )
    ),
)
async def test_the_reason_of_a_403_decides_the_state_of_the_seat(reason: str, state: SeatVerdict) -> None:
    server = Server(refusal(reason))
    with pytest.raises(TokenRefused) as caught:
        await ask(server)
    assert caught.value.state is state
    assert caught.value.upstream_code == reason
    assert caught.value.detail == "Contact Support."
    assert caught.value.url == "https://support.github.com"
    assert "Contact Support." in str(caught.value)
    assert caught.value.status == 403
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        json_answer(401, {"message": "Bad credentials"}),
        httpx.Response(404, content=b"Not Found"),
        json_answer(403, {"message": "Resource not accessible by personal access token"}),
    ],
)
async def test_a_sign_in_that_no_longer_works_needs_a_new_one(answer: httpx.Response) -> None:
    with pytest.raises(TokenRefused) as caught:
        await ask(Server(answer))
    assert caught.value.state is SeatVerdict.NEEDS_LOGIN
    assert "again" in str(caught.value) or "code" in str(caught.value)


async def test_a_403_without_any_reason_is_no_access() -> None:
    with pytest.raises(TokenRefused, match="no reason given") as caught:
        await ask(Server(httpx.Response(403, content=b"<html>")))
    assert caught.value.state is SeatVerdict.NO_ACCESS


@pytest.mark.parametrize(
    "answer",
    [
        json_answer(403, {"message": "API rate limit exceeded for user ID 12345. If you reach out ..."}),
        json_answer(403, {"message": "You have exceeded a secondary rate limit."}),
        httpx.Response(429),
    ],
)
async def test_a_rate_limit_is_told_and_not_waited_out(answer: httpx.Response) -> None:
    server, pauses = Server(answer), Pauses()
    with pytest.raises(RateLimited) as caught:
        await ask(server, pauses=pauses)
    assert caught.value.retry_after == 60
    assert (len(server.requests), pauses.taken) == (1, [])


async def test_a_short_wait_is_waited_for() -> None:
    server, pauses = Server(httpx.Response(429, headers={"retry-after": "3"}), token_answer()), Pauses()
    await ask(server, pauses=pauses)
    assert pauses.taken == [3.0]


@pytest.mark.parametrize(
    "fault",
    [
        httpx.Response(502),
        httpx.Response(500, content=b"oops"),
        refusal("server_error"),
        httpx.ConnectError("x"),
        httpx.ReadTimeout("x"),
    ],
)
async def test_a_passing_fault_is_tried_again(fault: httpx.Response | Exception) -> None:
    server, pauses = Server(fault, fault, token_answer()), Pauses()
    assert (await ask(server, pauses=pauses)).sku
    assert pauses.taken == [1.0, 2.0]


@pytest.mark.parametrize(
    ("fault", "error"),
    [(httpx.Response(503), Unavailable), (httpx.ConnectError("x"), Unreachable), (httpx.ReadTimeout("x"), TimedOut)],
)
async def test_three_faults_are_enough(fault: httpx.Response | Exception, error: type[Exception]) -> None:
    server = Server(fault)
    with pytest.raises(error):
        await ask(server)
    assert len(server.requests) == 3


async def test_a_redirect_is_neither_followed_nor_retried() -> None:
    server = Server(httpx.Response(301, headers={"location": "https://evil.example/"}))
    with pytest.raises(Unavailable, match="301"):
        await ask(server)
    assert len(server.requests) == 1
