"""Limits of keys and teams at the doors of a running gateway, and how keys, members and streams end there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.gateway import Gateway
from tests.proxy.asking import HELLO, ask, error_of
from tests.proxy.second_process import SecondProcess

LONG = "@@n=400,d=50,s=50@@"
STREAM = {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": LONG}]}


@pytest.fixture(scope="module")
def other(gateway: Gateway) -> Iterator[SecondProcess]:
    process = SecondProcess(gateway)
    yield process
    process.stop()


@contextmanager
def caller(gateway: Gateway, other: SecondProcess, member: str = "owner", **limits: Any) -> Iterator[httpx.Client]:
    """A client with a new key, once the running gateway knows it."""
    owner = f"Member.objects.get(username={member!r})"
    secret = other.run(f"print(ApiKey.objects.issue({owner}, 'key', **{limits!r})[1])")
    with client_of(gateway, secret) as http:
        yield http


@contextmanager
def client_of(gateway: Gateway, secret: str) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {secret}"}
    with httpx.Client(base_url=gateway.url, headers=headers, timeout=20, trust_env=False) as http:
        until(lambda: http.get("/v1/me").status_code == 200)
        yield http


def until(holds: Callable[[], bool], seconds: float = 3.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


def limits_of(http: httpx.Client) -> dict[str, dict[str, int]]:
    answer = http.get("/v1/me")
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["key"]["limits"])


def test_requests_over_the_minutes_limit_are_refused_with_the_time_to_wait(
    gateway: Gateway, other: SecondProcess
) -> None:
    with caller(gateway, other, requests_per_minute=2) as http:
        assert [ask(http, f"Hello {number}").status_code for number in range(2)] == [200, 200]
        refused = ask(http, "Hello 3")
        told = error_of(refused, 429, "rate_limit_exceeded")
        assert "2 requests a minute" in told
        assert "This key" in told
        assert 50 <= int(refused.headers["retry-after"]) <= 60
        assert "x-should-retry" not in refused.headers
        row = gateway.row(refused.headers["x-request-id"])
        assert (row["status"], row["http_status"], row["error_code"]) == ("refused", 429, "rate_limit_exceeded")
        assert limits_of(http)["requests_per_minute"] == {"limit": 2, "used": 2, "left": 0}


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/v1/messages", {"model": "gpt-4o", "max_tokens": 50, "messages": HELLO}, "rate_limit_error"),
        ("/v1/responses", {"model": "gpt-4o", "input": "Hello"}, "rate_limit_exceeded"),
        ("/v1/embeddings", {"model": "text-embedding-3-small", "input": ["Hello"]}, "rate_limit_exceeded"),
    ],
)
def test_every_door_refuses_in_its_own_dialect(
    gateway: Gateway, other: SecondProcess, path: str, body: dict[str, Any], kind: str
) -> None:
    with caller(gateway, other, requests_per_minute=1) as http:
        assert http.post(path, json=body).status_code == 200
        refused = http.post(path, json=body)
        assert refused.status_code == 429
        assert refused.headers["retry-after"]
        error = refused.json()["error"]
        assert kind in (error["type"], error.get("code"))
        assert "requests a minute" in error["message"]


def test_counting_tokens_and_listing_models_is_not_limited(gateway: Gateway, other: SecondProcess) -> None:
    with caller(gateway, other, requests_per_minute=1) as http:
        body = {"model": "gpt-4o", "max_tokens": 50, "messages": HELLO}
        assert {http.post("/v1/messages/count_tokens", json=body).status_code for _ in range(5)} == {200}
        assert http.get("/v1/models").status_code == 200
        assert ask(http).status_code == 200


def test_tokens_count_as_they_were_used_and_a_large_request_waits_for_an_empty_minute(
    gateway: Gateway, other: SecondProcess
) -> None:
    with caller(gateway, other, tokens_per_minute=300) as http:
        answer = ask(http, "word " * 40)
        used = answer.json()["usage"]["total_tokens"]
        assert limits_of(http)["tokens_per_minute"] == {"limit": 300, "used": used, "left": max(0, 300 - used)}
        refused = ask(http, "word " * 2000)
        assert "300 tokens a minute" in error_of(refused, 429, "rate_limit_exceeded")
        assert 1 <= int(refused.headers["retry-after"]) <= 60


def test_a_stream_holds_its_place_and_gives_it_back_when_it_ends_or_is_left(
    gateway: Gateway, other: SecondProcess
) -> None:
    with caller(gateway, other, concurrent_requests=1) as http:
        with http.stream("POST", "/v1/chat/completions", json=STREAM) as answer:
            lines = answer.iter_lines()
            next(lines)
            refused = ask(http)
            assert "1 requests at once" in error_of(refused, 429, "rate_limit_exceeded")
            assert refused.headers["retry-after"] == "1"
        until(lambda: limits_of(http)["concurrent_requests"]["used"] == 0)
        for number in range(5):
            assert ask(http, f"Hello {number}").status_code == 200, "the place was not free when the answer was whole"
        body = {**STREAM, "messages": HELLO}
        for _ in range(5):
            assert http.post("/v1/chat/completions", json=body).status_code == 200


@pytest.mark.parametrize(
    ("wish", "status"),
    [({"fault": "status", "status": 500}, 502), ({"fault": "status", "status": 400}, 400)],
)
def test_a_request_that_fails_upstream_gives_its_place_back(
    gateway: Gateway, other: SecondProcess, wish: dict[str, object], status: int
) -> None:
    with caller(gateway, other, concurrent_requests=1, tokens_per_minute=1000) as http:
        assert ask(http, f"Hello @sim{json.dumps(wish)}").status_code == status
        held = limits_of(http)
        assert (held["concurrent_requests"]["used"], held["tokens_per_minute"]["used"]) == (0, 0)


def test_requests_that_are_refused_before_they_are_sent_give_their_place_back(
    gateway: Gateway, other: SecondProcess
) -> None:
    with caller(gateway, other, concurrent_requests=1) as http:
        for _ in range(3):
            assert ask(http, model="no-such-model").status_code == 404
        assert limits_of(http)["concurrent_requests"]["used"] == 0


def test_a_teams_limit_is_shared_by_its_members_and_named(gateway: Gateway, other: SecondProcess) -> None:
    other.run(
        "t = Team.objects.create(name='Platform', requests_per_minute=2);"
        "[Member.objects.create_user(n, team=t) for n in ('ada', 'ben')]",
    )
    with caller(gateway, other, member="ada") as ada, caller(gateway, other, member="ben") as ben:
        assert ask(ada).status_code == ask(ben).status_code == 200
        told = error_of(ask(ada, "again"), 429, "rate_limit_exceeded")
        assert "The team Platform may make 2 requests a minute" in told
        team = ben.get("/v1/me").json()["team"]
        assert (team["name"], team["limits"]["requests_per_minute"]["used"]) == ("Platform", 2)


def test_a_limit_that_is_raised_is_heard_within_a_second(gateway: Gateway, other: SecondProcess) -> None:
    with caller(gateway, other, requests_per_minute=1) as http:
        assert [ask(http, str(number)).status_code for number in range(2)] == [200, 429]
        other.run("ApiKey.objects.filter(requests_per_minute=1).update(requests_per_minute=50)")
        until(lambda: limits_of(http)["requests_per_minute"]["limit"] == 50, 1.5)
        assert ask(http, "now").status_code == 200


def ended_stream(
    gateway: Gateway, other: SecondProcess, http: httpx.Client, code: str
) -> tuple[list[str], dict[str, Any]]:
    """The lines that a stream ends with when `code` happens meanwhile, within a second of it; and its row."""
    with http.stream("POST", "/v1/chat/completions", json=STREAM) as answer:
        lines = answer.iter_lines()
        next(lines)
        other.run(code)
        done = time.monotonic()
        rest = [line for line in lines if line]
        assert time.monotonic() - done < 1.5
    return rest, gateway.row(answer.headers["x-request-id"])


def test_a_member_who_is_disabled_loses_keys_streams_and_page_sessions_at_once(
    gateway: Gateway, other: SecondProcess
) -> None:
    other.run("Member.objects.create_user('leaver', password='a long passphrase')")
    with (
        caller(gateway, other, concurrent_requests=2, member="leaver") as http,
        httpx.Client(base_url=gateway.url, headers={"accept": "text/html"}, trust_env=False) as browser,
    ):
        page = browser.get("/signin").text
        token = page.split('name="csrfmiddlewaretoken" value="', 1)[1].split('"', 1)[0]
        form = {"username": "leaver", "password": "a long passphrase", "csrfmiddlewaretoken": token}
        assert browser.post("/signin", data=form).status_code == 302
        assert browser.get("/me/keys").status_code == 200
        sessions = len(gateway.query("SELECT session_key FROM django_session"))
        rest, row = ended_stream(gateway, other, http, "Member.objects.get(username='leaver').deactivate()")
        assert "revoked" in rest[-1]
        assert (row["status"], row["error_code"]) == ("cancelled", "key_revoked")
        error_of(http.get("/v1/models"), 401, "invalid_api_key")
        assert browser.get("/me/keys").status_code == 302
        assert len(gateway.query("SELECT session_key FROM django_session")) == sessions - 1


def test_revoking_ends_a_stream_and_expiry_ends_new_requests_alone(gateway: Gateway, other: SecondProcess) -> None:
    with caller(gateway, other) as http:
        newest = "k = ApiKey.objects.latest('id'); "
        rest, row = ended_stream(gateway, other, http, newest + "k.revoke()")
        assert "[DONE]" not in rest[-1]
        assert (row["status"], row["error_code"]) == ("cancelled", "key_revoked")
    with caller(gateway, other) as http:
        body = {**STREAM, "messages": [{"role": "user", "content": "@@n=30,d=50,s=50@@"}]}
        with http.stream("POST", "/v1/chat/completions", json=body) as answer:
            lines = answer.iter_lines()
            next(lines)
            other.run(newest + "k.expires_at = now(); k.save()")
            until(lambda: http.get("/v1/models").status_code == 401, 1.5)
            rest = [line for line in lines if line]
        assert rest[-1] == "data: [DONE]"
        assert gateway.row(answer.headers["x-request-id"])["status"] == "settled"


def test_a_rotated_key_and_its_successor_both_work_until_the_overlap_is_over(
    gateway: Gateway, other: SecondProcess
) -> None:
    with caller(gateway, other, requests_per_minute=40, doors=["chat"]) as http:
        secret = other.run("k, text = ApiKey.objects.latest('id').rotate(timedelta(seconds=30)); print(text)")
        with client_of(gateway, secret) as successor:
            held = successor.get("/v1/me").json()["key"]
            assert (held["doors"], held["limits"]["requests_per_minute"]["limit"]) == (["chat"], 40)
            assert ask(http).status_code == ask(successor).status_code == 200
            other.run("k.replaces.expires_at = now(); k.replaces.save()")
            until(lambda: http.get("/v1/me").status_code == 401, 1.5)
            assert ask(successor).status_code == 200


def test_addresses_are_those_that_a_trusted_proxy_tells(gateway: Gateway, other: SecondProcess) -> None:
    with caller(gateway, other, addresses=["127.0.0.0/8"]) as http:
        other.run("k = ApiKey.objects.latest('id'); k.addresses = ['10.9.0.0/16']; k.save()")
        until(lambda: http.get("/v1/models").status_code == 403, 1.5)
        for path in ("/v1/models", "/v1/me"):
            # The peer is no proxy that is trusted here: what it says of others is not believed.
            refused = http.get(path, headers={"x-forwarded-for": "10.9.1.1"})
            assert "address" in error_of(refused, 403, "permission_denied")


def test_me_is_open_to_a_key_of_any_door_and_to_nobody_without_one(gateway: Gateway, other: SecondProcess) -> None:
    for door in ("embeddings", "management"):
        with caller(gateway, other, doors=[door]) as http:
            assert http.get("/v1/me").json()["key"]["doors"] == [door]
            error_of(http.get("/v1/models"), 403, "permission_denied")
    error_of(httpx.get(f"{gateway.url}/v1/me", trust_env=False), 401, "invalid_api_key")
