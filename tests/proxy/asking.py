"""How the tests of the doors ask, and what every refusal must look like."""

from __future__ import annotations

from typing import Any

import httpx

HELLO = [{"role": "user", "content": "Hello"}]


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
