"""The management API of a running gateway: keys, files that stream, the dry run with the live model list."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.gateway import Gateway

MODEL = "claude-sonnet-5.5"


@pytest.fixture(scope="module")
def manager(gateway: Gateway) -> Iterator[httpx.Client]:
    """A client with an owner's key for the management API alone."""
    key = gateway.manage("issuekey", "owner", "--name", "manager", "--doors", "management").strip()
    with httpx.Client(base_url=gateway.url, headers={"x-api-key": key}, timeout=30, trust_env=False) as client:
        deadline = time.monotonic() + 20
        while client.get("/v1/me").status_code == 401:  # the doors hear of a key within a second, if nothing is slow
            assert time.monotonic() < deadline, "the key was not heard of"
            time.sleep(0.05)
        yield client


def test_a_key_of_the_llm_doors_does_not_open_it_and_the_other_way_round(
    gateway: Gateway, http: httpx.Client, manager: httpx.Client
) -> None:
    assert http.get("/api/members/").status_code == 403
    assert http.get("/v1/models").status_code == 200
    assert manager.get("/v1/models").status_code == 403
    assert httpx.get(f"{gateway.url}/api/members/", trust_env=False).status_code == 401
    answer = manager.get("/api/members/")
    assert [row["username"] for row in answer.json()["results"]] == ["owner"]
    assert answer.headers["x-request-id"]


def test_a_request_is_found_by_its_id_and_in_the_file(http: httpx.Client, manager: httpx.Client) -> None:
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Say hello."}]}
    answered = http.post("/v1/chat/completions", json=body)
    request_id = answered.headers["x-request-id"]
    row = manager.get(f"/api/usage/{request_id}/").json()
    assert (row["status"], row["served_model"], row["member_name"]) == ("settled", MODEL, "owner")
    assert row["cost"]["nano"] > 0
    with manager.stream("GET", "/api/usage/export/?format=json") as answer:
        assert answer.headers["content-disposition"].startswith("attachment")
        lines = json.loads(answer.read())
    assert request_id in {line["id"] for line in lines}
    found = manager.get("/api/reports/?by=model").json()["results"]
    assert MODEL in {line["name"] for line in found}


def test_the_dry_run_says_what_the_request_then_gets(http: httpx.Client, manager: httpx.Client) -> None:
    said = manager.get("/api/explain/", params={"model": MODEL, "door": "chat"}).json()
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Say hello."}]}
    got = http.post("/v1/chat/completions", json=body)
    assert said["refusals"] == []
    assert (said["model"], said["upstream"]) == (got.headers["x-bridge-model"], got.headers["x-bridge-upstream"])
    refused = manager.get("/api/explain/", params={"model": "no-such-model", "door": "chat"}).json()["refusals"][0]
    answer = http.post("/v1/chat/completions", json={**body, "model": "no-such-model"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (refused["status"], refused["code"])


def test_a_key_revoked_here_ends_at_the_doors(gateway: Gateway, manager: httpx.Client) -> None:
    made = manager.post("/api/keys/", json={"name": "short-lived", "doors": ["models"]}).json()
    with httpx.Client(
        base_url=gateway.url, headers={"authorization": f"Bearer {made['secret']}"}, timeout=30, trust_env=False
    ) as program:
        assert _becomes(program, 200)
        manager.post(f"/api/keys/{made['id']}/revoke/")
        assert _becomes(program, 401)


def _becomes(program: httpx.Client, status: int) -> bool:
    """Whether the door answers with `status` within a few seconds: running processes hear of a change soon."""
    deadline = time.monotonic() + 5
    while program.get("/v1/models").status_code != status:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
