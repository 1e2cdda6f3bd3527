"""A gateway with Redis: limits shared by its worker processes, and what it says when Redis is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.gateway import Gateway
from tests.proxy.asking import HELLO, error_of
from tests.proxy.conftest import new_gateway
from tests.proxy.second_process import SecondProcess
from tests.redis_server import RedisServer
from tests.simulator.server import SimulatorServer


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def gateway(
    simulator: SimulatorServer, redis: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    settings = {"REDIS_URL": redis.url, "TRUSTED_PROXIES": "127.0.0.1", "WEB_CONCURRENCY": "2"}
    installation = new_gateway(tmp_path_factory.mktemp("gateway"), simulator, "credits", **settings)
    installation.serve()
    yield installation
    installation.stop()


@pytest.fixture(scope="module")
def other(gateway: Gateway) -> Iterator[SecondProcess]:
    process = SecondProcess(gateway)
    yield process
    process.stop()


# Each on a connection of its own, of which every process takes some.
_IN_A_ROW = 12


def a_key(other: SecondProcess, **limits: Any) -> dict[str, str]:
    """The headers of a new key, once every process knows it."""
    secret = other.run(f"print(ApiKey.objects.issue(Member.objects.get(), 'key', **{limits!r})[1])")
    headers = {"authorization": f"Bearer {secret}"}
    deadline = time.monotonic() + 20
    in_a_row = 0
    while in_a_row < _IN_A_ROW:
        assert time.monotonic() < deadline, "the key was not heard of"
        is_known = httpx.get(f"{other.url}/v1/models", headers=headers, trust_env=False).status_code != 401
        in_a_row = in_a_row + 1 if is_known else 0
        time.sleep(0.05)
    return headers


def ask(gateway: Gateway, headers: dict[str, str], question: str = "Hello") -> httpx.Response:
    """A request on a connection of its own, which any of the processes may take."""
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": question}]}
    return httpx.post(f"{gateway.url}/v1/chat/completions", json=body, headers=headers, timeout=20, trust_env=False)


def test_the_processes_of_a_gateway_count_together(gateway: Gateway, other: SecondProcess) -> None:
    """Which process takes a connection is the kernel's choice: it is asked until both have had their say."""
    headers = a_key(other, requests_per_minute=7)
    began = time.monotonic()
    statuses: list[int] = []
    known = len(gateway.rows())
    with ThreadPoolExecutor(10) as pool:
        while len({row["instance"] for row in gateway.rows()[known:]}) < 2:
            assert time.monotonic() - began < 50, "one process answered everything: nothing was shared"
            first = len(statuses)
            statuses += pool.map(lambda n: ask(gateway, headers, str(n)).status_code, range(first, first + 24))
    assert (statuses.count(200), statuses.count(429)) == (7, len(statuses) - 7)


def test_an_address_is_what_a_trusted_proxy_says(gateway: Gateway, other: SecondProcess) -> None:
    headers = a_key(other, addresses=["10.9.0.0/16"])
    url = f"{gateway.url}/v1/me"
    for forwarded, status in (
        ("10.9.1.1", 200),
        ("192.0.2.1, 10.9.1.1", 200),  # what is left of the hop that the proxy saw, the client wrote
        ("10.9.1.1, 192.0.2.1", 403),
        ("10.8.1.1", 403),
        ("", 403),
    ):
        answer = httpx.get(url, headers={**headers, "x-forwarded-for": forwarded}, trust_env=False)
        assert answer.status_code == status, forwarded
    body = {"model": "gpt-4o", "messages": HELLO}
    refused = httpx.post(f"{gateway.url}/v1/chat/completions", json=body, headers=headers, trust_env=False)
    assert "address" in error_of(refused, 403, "permission_denied")


def test_without_its_redis_the_gateway_serves_on_and_says_so_until_it_is_back(
    gateway: Gateway, other: SecondProcess, redis: RedisServer
) -> None:
    headers = a_key(other, requests_per_minute=30)
    ready = f"{gateway.url}/readyz"
    assert httpx.get(ready, trust_env=False).json()["notes"] == []
    redis.stop()
    try:
        seen: set[str] = set()
        deadline = time.monotonic() + 20
        while not any("counted by each process alone" in note for note in seen):
            began = time.monotonic()
            assert ask(gateway, headers, str(began)).status_code == 200
            assert time.monotonic() - began < 5
            answer = httpx.get(ready, trust_env=False)
            assert (answer.status_code, answer.json()["status"]) == (200, "ready")
            seen |= set(answer.json()["notes"])
            assert time.monotonic() < deadline
    finally:
        redis.start()
    deadline = time.monotonic() + 20
    healthy = 0
    while healthy < 10:
        healthy = 0 if httpx.get(ready, trust_env=False).json()["notes"] else healthy + 1
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert "Redis is lost" in gateway.log.read_text()
    assert redis.url not in gateway.log.read_text()
