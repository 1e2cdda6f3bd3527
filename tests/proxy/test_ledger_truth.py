"""What the ledger says of requests that went wrong is what their callers saw, and what the upstream did."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.gateway import Gateway
from tests.proxy.asking import HELLO, ask
from tests.simulator.server import SimulatorServer

STREAM = "text/event-stream"
CONTENT = '{"id":"c1","created":1,"model":"gpt-4o","choices":[{"index":0,"delta":{"role":"assistant","content":"So"}}]}'
ZEROS = '{"completion_tokens":0,"prompt_tokens":0,"total_tokens":0}'
ERROR = '{"choices":null,"error":{"code":"internal_error","message":"stream error"}}'


def packet(*frames: str) -> str:
    return "".join(f"data: {frame}\n\n" for frame in frames)


def a_key(gateway: Gateway, **limits: object) -> str:
    code = (
        "from accounts.models import ApiKey, Member;"
        f"print(ApiKey.objects.issue(Member.objects.get(username='owner'), 'limited', **{limits!r})[1])"
    )
    return gateway.manage("shell", "--no-imports", "-c", code).strip()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/messages", {"model": "gpt-4o", "max_tokens": 9, "messages": HELLO}),
        ("/v1/responses", {"model": "gpt-4o", "input": "Hello"}),
        ("/v1/embeddings", {"model": "text-embedding-3-small", "input": "Hello"}),
    ],
)
def test_a_known_key_that_is_refused_at_a_door_has_its_row(
    gateway: Gateway, path: str, body: dict[str, object]
) -> None:
    bearer = {"x-api-key": a_key(gateway, doors=["chat"])}
    deadline = time.monotonic() + 10
    while (answer := httpx.post(gateway.url + path, json=body, headers=bearer, trust_env=False)).status_code == 401:
        assert time.monotonic() < deadline, "the serving process never heard of the key"
        time.sleep(0.05)
    assert answer.status_code == 403, answer.text
    row = gateway.row(answer.headers["x-request-id"])
    assert (row["status"], row["http_status"], row["error_code"]) == ("refused", 403, "permission_denied")
    assert (row["key_name"], row["attempts"]) == ("limited", 0)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/chat/completions", 503), ("/v1/messages", 529)],
)
def test_the_row_of_a_failed_request_has_the_status_that_its_caller_got(
    http: httpx.Client, gateway: Gateway, simulator: SimulatorServer, path: str, status: int
) -> None:
    simulator.ask({"fault": "status", "status": 503}, times=3, path="/chat/completions")
    answer = http.post(path, json={"model": "gpt-4o", "max_tokens": 50, "messages": HELLO})
    assert answer.status_code == status, answer.text
    row = gateway.row(answer.headers["x-request-id"])
    assert (row["status"], row["http_status"], row["attempts"]) == ("failed", status, 3)


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("content", [CONTENT, f'{CONTENT[:-1]},"usage":{ZEROS}}}'], ids=["uncounted", "zeros"])
def test_content_and_failure_in_one_packet_are_a_failed_request_with_an_estimate(
    http: httpx.Client, gateway: Gateway, simulator: SimulatorServer, content: str, streamed: bool
) -> None:
    raw = {"status": 200, "body": packet(content, ERROR), "content_type": STREAM}
    simulator.ask({"raw": raw}, path="/chat/completions")
    answer = ask(http, stream=streamed)
    row = gateway.row(answer.headers["x-request-id"])
    assert (row["status"], row["cost_source"], row["nano_reported"]) == ("failed", "estimated", None)
    assert row["input_tokens"] > 0
    assert row["nano_computed"] > 0
