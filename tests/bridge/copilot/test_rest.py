"""One request and its answer."""

from __future__ import annotations

import httpx
import pytest

from bridge.copilot.fields import number, whole
from bridge.copilot.rest import Answer, send
from bridge.errors import Unreachable
from tests.bridge.copilot.memory import Server

NOW = "Fri, 15 Jan 2027 08:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "Fri, 15 Jan 2027 08:01:00 GMT", "date": NOW}, 60.0),
        ({"retry-after": "soon"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000005", "date": NOW}, 5.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1", "date": NOW}, 0.0),
        ({"x-ratelimit-remaining": "4999", "x-ratelimit-reset": "1800000005", "date": NOW}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "later", "date": "today"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait_is_read_by_the_senders_clock(headers: dict[str, str], seconds: float | None) -> None:
    assert Answer(429, headers, b"").retry_after == seconds


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_is_none(body: bytes) -> None:
    assert Answer(200, {}, body).json() is None


async def test_header_names_come_in_lower_case() -> None:
    server = Server(httpx.Response(200, headers={"X-Thing": "1"}))
    assert (await send(server.http, "GET", "https://api.github.com/", headers={})).header("x-thing") == "1"


async def test_a_fault_names_the_host_and_no_secret() -> None:
    server = Server(httpx.ConnectError("connect to secret failed"))
    with pytest.raises(Unreachable) as caught:
        await send(server.http, "GET", "https://api.github.com/p?q=secret", headers={"Authorization": "token secret"})
    assert "secret" not in str(caught.value)
    assert "api.github.com" in str(caught.value)


@pytest.mark.parametrize("value", [True, None, "x", float("inf"), "nan", 10**400, [], "1e999"])
def test_what_is_no_finite_number_counts_as_absent(value: object) -> None:
    assert number({"n": value}, "n") is None


@pytest.mark.parametrize(("value", "found"), [(3, 3), (3.0, 3), (3.5, None), (True, None), ("3", None), (None, None)])
def test_only_integers_are_whole(value: object, found: int | None) -> None:
    assert whole({"n": value}, "n") == found
