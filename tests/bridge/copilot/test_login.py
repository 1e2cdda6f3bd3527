"""The device flow, in every outcome."""

from __future__ import annotations

import json

import httpx
import pytest

from bridge.copilot.identity import Profile
from bridge.copilot.login import (
    Denied,
    DeviceCode,
    Expired,
    Failed,
    Granted,
    LoginAnswer,
    Pending,
    SlowDown,
    poll_login,
    start_login,
)
from bridge.copilot.origins import origins_for
from bridge.errors import RateLimited, TimedOut, Unavailable, Unreachable
from tests.bridge.copilot.memory import Server, json_answer

GITHUB = origins_for("github.com")
CODE = {
    "device_code": "dc-secret",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://github.com/login/device",
    "expires_in": 899,
    "interval": 5,
}


async def start(server: Server) -> DeviceCode:
    return await start_login(server.http, GITHUB, Profile())


async def poll(server: Server) -> LoginAnswer:
    return await poll_login(server.http, GITHUB, Profile(), "dc-secret")


async def test_a_sign_in_starts_with_a_code() -> None:
    server = Server(json_answer(200, CODE))
    code = await start(server)
    assert code == DeviceCode("dc-secret", "WDJB-MJHT", "https://github.com/login/device", 5, 899)
    request = server.requests[0]
    assert (request.method, str(request.url)) == ("POST", "https://github.com/login/device/code")
    assert request.headers["accept"] == "application/json"
    assert json.loads(request.content) == {"client_id": "Iv1.b507a08c87ecfe98", "scope": "read:user"}


async def test_the_device_code_is_not_shown_in_a_repr() -> None:
    code = await start(Server(json_answer(200, CODE)))
    assert "dc-secret" not in repr(code)
    assert "ghu_" not in repr(Granted("ghu_secret"))


async def test_a_form_encoded_code_is_understood() -> None:
    server = Server(httpx.Response(200, content=b"device_code=d&user_code=A-B&expires_in=900&interval=7"))
    code = await start(server)
    assert (code.user_code, code.interval, code.expires_in) == ("A-B", 7, 900)


async def test_an_address_that_is_no_web_page_is_replaced() -> None:
    code = await start(Server(json_answer(200, CODE | {"verification_uri": "javascript:alert(1)"})))
    assert code.verification_uri == "https://github.com/login/device"


async def test_a_refused_start_says_why() -> None:
    server = Server(json_answer(200, {"error": "device_flow_disabled", "error_description": "Device Flow is off."}))
    with pytest.raises(Unavailable, match="Device Flow is off") as caught:
        await start(server)
    assert caught.value.upstream_code == "device_flow_disabled"


async def test_too_many_starts_say_how_long_to_wait() -> None:
    with pytest.raises(RateLimited) as caught:
        await start(Server(json_answer(429, {"message": "slow"}, **{"retry-after": "30"})))
    assert caught.value.retry_after == 30


def oauth(error: str, **more: object) -> dict[str, object]:
    return {"error": error, "error_description": f"It was {error}.", "error_uri": "https://docs.github.com"} | more


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"access_token": "ghu_1", "token_type": "bearer", "scope": ""}, Granted("ghu_1")),
        (oauth("authorization_pending"), Pending()),
        (oauth("slow_down", interval=10), SlowDown(10)),
        (oauth("slow_down"), SlowDown(None)),
        (oauth("expired_token"), Expired()),
        (oauth("access_denied"), Denied()),
        (oauth("incorrect_device_code"), Failed("It was incorrect_device_code.")),
        ({"error": "brand_new"}, Failed("brand_new")),
    ],
)
async def test_the_body_decides_whatever_the_status(status: int, body: object, outcome: LoginAnswer) -> None:
    assert await poll(Server(json_answer(status, body))) == outcome


async def test_a_form_encoded_grant_is_understood() -> None:
    server = Server(httpx.Response(200, content=b"access_token=gho_2&scope=read%3Auser&token_type=bearer"))
    assert await poll(server) == Granted("gho_2")
    assert json.loads(server.requests[0].content)["grant_type"] == "urn:ietf:params:oauth:grant-type:device_code"


async def test_a_rate_limit_while_polling_slows_down() -> None:
    assert await poll(Server(httpx.Response(429, headers={"retry-after": "12"}))) == SlowDown(12)


@pytest.mark.parametrize("answer", [httpx.Response(502, content=b"<html>"), httpx.Response(200, content=b"")])
async def test_an_answer_with_nothing_to_read_is_the_upstreams_fault(answer: httpx.Response) -> None:
    with pytest.raises(Unavailable):
        await poll(Server(answer))


async def test_trouble_on_the_road_has_its_names() -> None:
    with pytest.raises(Unreachable, match=r"github\.com failed: ConnectError"):
        await poll(Server(httpx.ConnectError("refused")))
    with pytest.raises(TimedOut):
        await start(Server(httpx.ReadTimeout("slow")))


async def test_redirects_are_not_followed() -> None:
    server = Server(httpx.Response(302, headers={"location": "https://evil.example/"}))
    with pytest.raises(Unavailable):
        await poll(server)
    assert len(server.requests) == 1
