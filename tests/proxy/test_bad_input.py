"""What a caller does wrong at the chat door: status, OpenAI's error object, and the ledger row."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.gateway import Gateway
from tests.proxy.asking import HELLO, ask, error_of
from tests.simulator.server import SimulatorServer


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
        answer = ask(http, "the very same question", model="nope")
        if answer.status_code == 429:
            error_of(answer, 429, "rate_limit_exceeded")
            waits.append(int(answer.headers["retry-after"]))
    assert waits == sorted(waits)
    assert len(waits) == 3
    assert waits[-1] > waits[0]
