"""The fault table of the contract at the chat door: status, OpenAI's error object, what clients do next, the row."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway import Gateway
from tests.proxy.conftest import new_gateway
from tests.simulator.server import SimulatorServer

HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def http(gateway: Gateway) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=gateway.url, headers={"authorization": f"Bearer {gateway.key}"}, timeout=30, trust_env=False
    ) as client:
        yield client


def ask(http: httpx.Client, question: str = "Hello", **fields: Any) -> httpx.Response:
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": question}], **fields}
    return http.post("/v1/chat/completions", json=body)


def error_of(answer: httpx.Response, status: int, code: str) -> str:
    """The sentence of a refusal that has OpenAI's shape in full."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == code
    assert error["message"]
    assert status < 500 or "x-should-retry" not in answer.headers
    if 400 <= status < 500:
        assert error["type"] not in {"server_error", "overloaded_error"}
    return str(error["message"])


# --- What the caller did ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat/completions"])
@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer brg_wrong"}, {"x-api-key": "wrong"}])
def test_a_missing_or_wrong_key_is_401_before_the_body_is_read(
    gateway: Gateway, path: str, headers: dict[str, str]
) -> None:
    rows = len(gateway.rows())
    answer = httpx.post(f"{gateway.url}{path}", content=b"not json", headers=headers, trust_env=False)
    error_of(answer, 401, "invalid_api_key")
    assert answer.headers["x-should-retry"] == "false"
    assert len(gateway.rows()) == rows, "an unauthenticated request became a ledger row"


@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
def test_both_key_headers_open_every_door(gateway: Gateway, header: str) -> None:
    value = f"Bearer {gateway.key}" if header == "authorization" else gateway.key
    with httpx.Client(base_url=gateway.url, headers={header: value}, trust_env=False) as http:
        assert ask(http).status_code == 200
        assert http.get("/v1/models").status_code == 200
        assert http.get("/models/gpt-4o").status_code == 200


def test_a_key_in_the_address_is_refused(gateway: Gateway) -> None:
    answer = httpx.get(f"{gateway.url}/v1/models?api_key={gateway.key}", trust_env=False)
    assert "header" in error_of(answer, 401, "invalid_api_key")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"not json", None),
        (b"", None),
        (b"[1]", None),
        (b'"text"', None),
        (b'{"model":"gpt-4o"}', "messages"),
        (b'{"model":"gpt-4o","messages":"x"}', "messages"),
        (b'{"model":"gpt-4o","messages":[]}', "messages"),
        (b'{"model":"gpt-4o","messages":["x"]}', "messages[0]"),
        (b'{"model":"gpt-4o","messages":[{"role":"boss","content":"x"}]}', "messages[0].role"),
        (b'{"messages":[{"role":"user","content":"x"}]}', "model"),
        (b'{"model":7,"messages":[{"role":"user","content":"x"}]}', "model"),
        (b'{"model":"gpt-4o","stream":"yes","messages":[{"role":"user","content":"x"}]}', "stream"),
        (b'{"model":"gpt-4o","n":3,"messages":[{"role":"user","content":"x"}]}', "n"),
        (b'{"model":"gpt-4o","max_tokens":"many","messages":[{"role":"user","content":"x"}]}', "max_tokens"),
        (b'{"model":"gpt-4o","stream_options":3,"messages":[{"role":"user","content":"x"}]}', "stream_options"),
        (b'{"model":"gpt-4o","messages":[{"role":"user","content":"\xff"}]}', None),
        (b"[" * 100_000, None),
        (b'{"model":"gpt-4o","messages":' + b"[" * 100_000, None),
    ],
)
def test_bad_input_is_400_and_a_row(
    http: httpx.Client, gateway: Gateway, simulator: SimulatorServer, body: bytes, param: str | None
) -> None:
    sent = len(simulator.world.log)
    answer = http.post("/v1/chat/completions", content=body)
    error_of(answer, 400, "invalid_request_error")
    assert answer.json()["error"]["param"] == param
    assert len(simulator.world.log) == sent, "bad input went upstream"
    row = gateway.row(answer.headers["x-request-id"])
    assert (row["status"], row["http_status"]) == ("refused", 400)


def test_an_unknown_model_is_404_with_the_nearest_names(http: httpx.Client) -> None:
    assert "claude-sonnet-4.5" in error_of(ask(http, model="claude-sonett-4.5"), 404, "model_not_found")
    assert "GET /v1/models" in error_of(ask(http, model="zzz"), 404, "model_not_found")


def test_names_are_read_as_clients_write_them(http: httpx.Client) -> None:
    for name in ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5", "Claude-Sonnet-4.5", "claude-sonnet-4.5-latest"):
        answer = ask(http, model=name)
        assert answer.headers["x-bridge-model"] == "claude-sonnet-4.5", answer.text
        assert answer.json()["model"] == name


def test_a_body_over_the_limit_is_413_and_a_row(http: httpx.Client, gateway: Gateway) -> None:
    filler = b'{"model":"gpt-4o","messages":[{"role":"user","content":"' + b"x" * (33 * 1024 * 1024)
    answer = http.post("/v1/chat/completions", content=filler)
    error_of(answer, 413, "request_too_large")
    assert gateway.row(answer.headers["x-request-id"])["status"] == "refused"

    def chunks() -> Iterator[bytes]:  # without a content-length
        yield from (filler[at : at + 65536] for at in range(0, len(filler), 65536))

    error_of(http.post("/v1/chat/completions", content=chunks()), 413, "request_too_large")


def test_ten_megabytes_are_taken(http: httpx.Client) -> None:
    """Refused upstream as too long for the model, but not by the gateway's own door."""
    answer = ask(http, "x" * (10 * 1024 * 1024))
    assert "prompt is too long" in error_of(answer, 400, "context_length_exceeded")


def test_a_prompt_over_the_models_limit_says_both_numbers(http: httpx.Client) -> None:
    said = error_of(ask(http, "word " * 200_000), 400, "context_length_exceeded")
    tokens, limit = (int(word) for word in said.split() if word.isdigit())
    assert tokens > limit


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/chat/completions", 405),
        ("POST", "/v1/models", 405),
        ("GET", "/v1/nothing", 404),
        ("POST", "/nothing/at/all", 404),
        ("GET", "/v1", 404),
        ("GET", "/v1/chat/completions/", 404),
    ],
)
def test_unknown_paths_and_methods_are_json(http: httpx.Client, method: str, path: str, status: int) -> None:
    answer = http.request(method, path)
    error_of(answer, status, "not_found" if status == 404 else "method_not_allowed")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /v1/models?q=\xff\xfe HTTP/1.1\r\nhost: x\r\n",
        b"GET /v1/mod\xc3\xa9ls HTTP/1.1\r\nhost: x\r\n",
        b"GET /v1/%ff%fe HTTP/1.1\r\nhost: x\r\n",
        b"GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer \xff\xe9\r\n",
        b"GET /v1/models HTTP/1.1\r\nhost: \xff\r\n",
    ],
)
def test_odd_bytes_in_the_head_are_refused_and_break_nothing(gateway: Gateway, head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as connection:
        connection.sendall(head + b"connection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert 400 <= int(answer.split(b" ", 2)[1]) < 500, answer


def test_a_session_header_of_any_kind_is_taken(
    http: httpx.Client, gateway: Gateway, simulator: SimulatorServer
) -> None:
    body = {"model": "gpt-4o", "messages": HELLO}
    for sent, kept in (("0195-ab.c:1", True), ("café ÿ", False), ("x" * 5000, False)):
        answer = http.post(
            "/v1/chat/completions", json=body, headers=httpx.Headers([("x-session-id", sent)], encoding="latin-1")
        )
        assert answer.status_code == 200, answer.text
        row = gateway.row(answer.headers["x-request-id"])
        assert (row["session"] == sent) is kept
        assert simulator.world.log[-1].request.headers["x-interaction-id"] == row["session"]


def test_a_key_limited_to_models_and_doors_is_403(gateway: Gateway) -> None:
    secret = gateway.manage("issuekey", "owner", "--name", "limited").strip()
    database = gateway.query("SELECT id FROM accounts_apikey WHERE name = 'limited'")
    limit = f"from accounts.models import ApiKey; k = ApiKey.objects.get(pk={database[0]['id']});"
    gateway.manage("shell", "--no-imports", "-c", f"{limit} k.models = ['claude-*']; k.doors = ['chat']; k.save()")
    with httpx.Client(base_url=gateway.url, headers={"x-api-key": secret}, trust_env=False) as http:
        deadline = time.monotonic() + 1.5
        while (answer := ask(http)).status_code == 401 or answer.status_code == 200:
            assert time.monotonic() < deadline, "the change was not seen within a second"
            time.sleep(0.05)
        assert "claude-*" in error_of(answer, 403, "permission_denied")
        assert ask(http, model="claude-sonnet-4.5").status_code == 200
        error_of(http.get("/v1/models"), 403, "permission_denied")


def test_a_revoked_key_is_refused_within_a_second_and_its_stream_ends(gateway: Gateway) -> None:
    secret = gateway.manage("issuekey", "owner", "--name", "to be revoked").strip()
    body = {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": "@@n=300,d=50,s=50@@"}]}
    with httpx.Client(base_url=gateway.url, headers={"x-api-key": secret}, timeout=20, trust_env=False) as http:
        deadline = time.monotonic() + 2
        while http.get("/v1/models").status_code == 401:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with http.stream("POST", "/v1/chat/completions", json=body) as answer:
            lines = answer.iter_lines()
            next(lines)
            gateway.manage(
                "shell", "--no-imports", "-c",
                "from accounts.models import ApiKey; ApiKey.objects.get(name='to be revoked').revoke()",
            )  # fmt: skip
            rest = list(lines)
        assert "revoked" in [line for line in rest if line][-1]
        assert "[DONE]" not in rest[-2:]
        error_of(http.get("/v1/models"), 401, "invalid_api_key")
    row = gateway.row(answer.headers["x-request-id"])
    assert (row["status"], row["error_code"]) == ("cancelled", "key_revoked")


def test_a_client_in_a_loop_is_slowed_down(gateway: Gateway, http: httpx.Client) -> None:
    waits = []
    for _ in range(23):
        answer = ask(http, "the very same question")
        if answer.status_code == 429:
            error_of(answer, 429, "rate_limit_exceeded")
            waits.append(int(answer.headers["retry-after"]))
    assert waits == sorted(waits)
    assert len(waits) == 3
    assert waits[-1] > waits[0]


# --- What the upstream did -------------------------------------------------------------------------------------

UPSTREAM = [
    # what the upstream answers, status and code for the caller, whether clients are told not to retry
    ({"status": 402, "code": "quota_exceeded"}, 429, "insufficient_quota", True),
    ({"status": 429, "code": "user_model_rate_limited", "retry_after": 7}, 429, "rate_limit_exceeded", False),
    ({"status": 429, "code": "user_model_rate_limited", "retry_after": 7200}, 429, "rate_limit_exceeded", True),
    ({"status": 422, "code": "content_filter"}, 400, "content_filter", True),
    ({"status": 413, "code": "request_too_large"}, 413, "request_too_large", True),
    ({"status": 403, "code": "forbidden"}, 403, "seat_required", True),
    ({"status": 400, "code": "invalid_request_body", "message": "no such thing"}, 400, "invalid_request_error", True),
    ({"status": 500}, 502, "upstream_error", False),
    ({"status": 502}, 502, "upstream_error", False),
    ({"status": 503}, 503, "upstream_unavailable", False),
    ({"fault": "html_502"}, 502, "upstream_error", False),
    ({"fault": "reset_before_headers"}, 502, "upstream_unreachable", False),
    ({"fault": "reset_after_headers"}, 502, "upstream_stream_broken", False),
    ({"fault": "redirect"}, 502, "upstream_error", False),
]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("scenario", "status", "code", "is_final"), UPSTREAM)
def test_a_fault_of_the_upstream_keeps_its_meaning(
    http: httpx.Client,
    gateway: Gateway,
    simulator: SimulatorServer,
    scenario: dict[str, Any],
    status: int,
    code: str,
    is_final: bool,
    streamed: bool,
) -> None:
    wish = {"fault": "status", **scenario}
    answer = ask(http, f"Hello @sim{json.dumps(wish)} {streamed}", stream=streamed)
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["code"] == code
    assert (answer.headers.get("x-should-retry") == "false") is is_final
    if "retry_after" in scenario and not is_final:
        assert answer.headers["retry-after"] == str(scenario["retry_after"])
    else:
        assert "retry-after" not in answer.headers
    row = gateway.row(answer.headers["x-request-id"])
    assert row["status"] in ("failed", "refused")
    assert row["http_status"] == status
    if scenario.get("status") == 402:
        gateway.manage("checkseats")
        wait_until_usable(http)


def wait_until_usable(http: httpx.Client) -> None:
    deadline = time.monotonic() + 5
    while http.get("/readyz").status_code != 200:
        assert time.monotonic() < deadline, http.get("/readyz").text
        time.sleep(0.05)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    "wish", [{"fault": "status", "status": 502}, {"fault": "reset_before_headers"}, {"fault": "clean_eof"}]
)
def test_what_passes_is_tried_again_before_the_first_byte(
    http: httpx.Client, gateway: Gateway, wish: dict[str, Any], streamed: bool
) -> None:
    # The simulator counts the failures of each wish: the message keeps the two runs apart.
    once = {**wish, "fail_times": 1, "message": f"streamed: {streamed}"}
    answer = ask(http, f"Hello again @sim{json.dumps(once)}", stream=streamed)
    assert answer.status_code == 200, answer.text
    row = gateway.row(answer.headers["x-request-id"])
    assert (row["status"], row["attempts"]) == ("settled", 2)
    tries = gateway.query("SELECT * FROM accounts_usageattempt WHERE record_id = ? ORDER BY number", row["id"])
    assert [line["number"] for line in tries] == [1, 2]
    assert tries[1]["status"] == 200


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"fault": "cut", "after": 3}, "upstream_stream_broken"),
        ({"fault": "clean_eof", "after": 3}, "upstream_stream_broken"),
        ({"fault": "hang_up", "after": 3}, "upstream_stream_broken"),
        ({"fault": "error_event", "after": 3, "code": "rate_limited", "message": "slow down"}, "rate_limit_exceeded"),
        ({"fault": "error_event", "after": 3, "code": "internal_error"}, "upstream_error"),
    ],
)
def test_a_stream_that_breaks_ends_with_an_error_event_and_never_cleanly(
    http: httpx.Client, gateway: Gateway, wish: dict[str, Any], code: str
) -> None:
    body = {"model": "gpt-4o", "stream": True}
    body["messages"] = [{"role": "user", "content": f"Tell me a story. @sim{json.dumps({**wish, 'delay_ms': 30})}"}]
    with http.stream("POST", "/v1/chat/completions", json=body) as answer:
        frames = [line for line in answer.iter_lines() if line]
    assert answer.status_code == 200
    assert '"content"' in frames[1]
    assert "[DONE]" not in frames[-1]
    assert json.loads(frames[-1].removeprefix("data: "))["error"]["code"] == code
    row = gateway.row(answer.headers["x-request-id"])
    assert row["status"] == "failed"
    assert row["output_tokens"] > 0


def test_a_bearer_that_expired_is_renewed_once_unseen(
    http: httpx.Client, gateway: Gateway, simulator: SimulatorServer
) -> None:
    assert ask(http).status_code == 200
    before = simulator.control("GET", "account/credits")["exchanges"]
    simulator.control("POST", "token/revoke", {"account": "credits"})
    answer = ask(http)
    assert answer.status_code == 200
    assert simulator.control("GET", "account/credits")["exchanges"] == before + 1
    assert gateway.row(answer.headers["x-request-id"])["attempts"] == 2


def test_a_parameter_that_the_model_refuses_is_dropped_and_named(http: httpx.Client) -> None:
    answer = ask(http, model="gpt-5-mini", temperature=0.2, max_tokens=50, store=True, user="u" * 150)
    assert answer.status_code == 200, answer.text
    assert {"temperature", "store", "user"} <= set(answer.headers["x-bridge-dropped"].split(", "))


# --- Seats -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("account", "status", "code"),
    [(None, 403, "seat_required"), ("exhausted", 429, "insufficient_quota"), ("limited", 429, "rate_limit_exceeded")],
)
def test_a_member_whose_seat_cannot_serve_is_told_why(
    simulator: SimulatorServer, tmp_path: Path, account: str | None, status: int, code: str
) -> None:
    installation = new_gateway(tmp_path, simulator, account)
    try:
        installation.serve()
        with httpx.Client(
            base_url=installation.url, headers={"x-api-key": installation.key}, timeout=30, trust_env=False
        ) as http:
            answer = ask(http)
            said = error_of(answer, status, code)
            assert account is not None or "/auth/device" in said
            assert installation.row(answer.headers["x-request-id"])["http_status"] == status
            assert http.get("/healthz").status_code == 200
            ready = http.get("/readyz")
            if account is None:
                assert ready.status_code == 503
                assert "/auth/device" in ready.json()["missing"][0]
    finally:
        installation.stop()


def test_github_down_is_a_5xx_that_passes(simulator: SimulatorServer, tmp_path: Path) -> None:
    with SimulatorServer() as other:
        installation = new_gateway(tmp_path, other, "credits")
    # From here on nobody listens at the upstream's address.
    try:
        installation.serve()
        answer = httpx.post(
            f"{installation.url}/v1/chat/completions",
            json={"model": "gpt-4o", "messages": HELLO},
            headers={"x-api-key": installation.key},
            timeout=60,
            trust_env=False,
        )
        assert answer.status_code in (502, 503, 504)
        assert answer.json()["error"]["message"]
        assert installation.row(answer.headers["x-request-id"])["status"] == "failed" or "refused"
    finally:
        installation.stop()
