"""The model lists at the doors: OpenAI's and Claude's, of chat models in every upstream format and of embeddings."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.gateway import Gateway
from tests.proxy.asking import error_of

CLAUDE = {"anthropic-version": "2023-06-01"}
TEXT_DOORS = ["/v1/chat/completions", "/v1/responses", "/v1/messages"]


def listed(http: httpx.Client) -> dict[str, dict[str, Any]]:
    answer = http.get("/v1/models")
    assert answer.status_code == 200, answer.text
    assert answer.json()["object"] == "list"
    return {entry["id"]: entry for entry in answer.json()["data"]}


def test_openais_list_has_models_of_every_upstream_format_and_embeddings(http: httpx.Client) -> None:
    models = listed(http)
    assert models["gpt-5.5"]["upstream_endpoints"] == ["/responses", "ws:/responses"]
    assert models["claude-opus-5"]["upstream_endpoints"] == ["/chat/completions", "/v1/messages"]
    assert models["grok-4.7"]["endpoints"] == models["gpt-5.5"]["endpoints"] == TEXT_DOORS
    assert models["text-embedding-3-small"]["endpoints"] == ["/v1/embeddings"]
    assert "gpt-41-copilot" not in models, "a completion model answers nowhere here"
    for entry in models.values():
        assert (entry["object"], entry["created"]) == ("model", 0)
        assert isinstance(entry["owned_by"], str)
        assert entry["endpoints"]
    assert list(models) == sorted(models)


def test_limits_abilities_and_warnings_are_those_of_the_live_list(http: httpx.Client) -> None:
    models = listed(http)
    opus = models["claude-opus-5"]
    assert opus["capabilities"]["vision"]
    assert opus["capabilities"]["reasoning_efforts"][:3] == ["low", "medium", "high"]
    assert opus["max_output_tokens"] > 0
    assert any("retire" in warning.lower() for warning in opus["warnings"])
    assert models["claude-opus-5.5"]["warnings"] == []


def pages(http: httpx.Client, **query: Any) -> list[dict[str, Any]]:
    """Every page from the first on, as Claude's SDK turns them."""
    found = []
    while True:
        answer = http.get("/v1/models", params=query, headers=CLAUDE)
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
        if not found[-1]["has_more"]:
            return found
        query["after_id"] = found[-1]["last_id"]


def test_claudes_list_turns_page_by_page_until_it_ends(http: httpx.Client) -> None:
    (whole,) = pages(http, limit=1000)
    entries = [entry for page in pages(http, limit=7) for entry in page["data"]]
    assert entries == whole["data"]
    assert len(pages(http)[0]["data"]) == 20
    assert {entry["type"] for entry in entries} == {"model"}
    assert {entry["id"] for entry in entries} == {
        name for name, entry in listed(http).items() if entry["endpoints"] == TEXT_DOORS
    }
    before = http.get("/v1/models", params={"limit": 2, "before_id": entries[3]["id"]}, headers=CLAUDE).json()
    assert [entry["id"] for entry in before["data"]] == [entries[1]["id"], entries[2]["id"]]
    assert before["has_more"]


def test_claudes_entries_tell_what_a_request_through_here_can_use(http: httpx.Client) -> None:
    entries = {entry["id"]: entry for entry in pages(http, limit=1000)[0]["data"]}
    opus, gpt = entries["claude-opus-5"], entries["gpt-5.5"]
    assert opus["created_at"] == "1970-01-01T00:00:00Z"
    assert opus["lifecycle"] == "deprecated"
    assert opus["capabilities"]["context_management"]["clear_thinking_20251015"]["supported"]
    assert opus["capabilities"]["thinking"]["types"]["adaptive"]["supported"]
    assert gpt["capabilities"]["thinking"]["types"]["enabled"]["supported"]
    assert gpt["capabilities"]["server_tools"]["web_search"]["supported"]
    assert not gpt["capabilities"]["context_management"]["supported"]


@pytest.mark.parametrize(
    "name",
    ["claude-opus-4.8", "claude-opus-4-8", "claude-opus-4-8-20260501", "copilot/gpt-5.5", "gpt-5.5", "Claude-Sonnet-5"],
)
def test_one_model_is_found_by_any_name_in_both_shapes(http: httpx.Client, name: str) -> None:
    ours = http.get(f"/v1/models/{name}")
    assert (ours.status_code, ours.json()["id"], ours.json()["object"]) == (200, name, "model")
    claudes = http.get(f"/v1/models/{name}", headers=CLAUDE)
    assert (claudes.status_code, claudes.json()["id"], claudes.json()["type"]) == (200, name, "model")


def test_an_unknown_model_is_404_in_the_shape_that_was_asked_for(http: httpx.Client) -> None:
    error_of(http.get("/v1/models/no/such-model"), 404, "model_not_found")
    answer = http.get("/v1/models/no/such-model", headers=CLAUDE)
    assert answer.status_code == 404
    assert answer.json()["type"] == "error"
    assert answer.json()["error"]["type"] == "not_found_error"
    assert answer.json()["request_id"]


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=1001", "after_id=nobody", "after_id=a&before_id=b"])
def test_a_page_that_cannot_be_is_refused(http: httpx.Client, query: str) -> None:
    answer = http.get(f"/v1/models?{query}", headers=CLAUDE)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert http.get(f"/v1/models?{query}").status_code == 200, "OpenAI's list has no pages"


def test_a_key_is_needed_in_either_shape(gateway: Gateway) -> None:
    with httpx.Client(base_url=gateway.url, trust_env=False) as client:
        error_of(client.get("/v1/models"), 401, "invalid_api_key")
        answer = client.get("/v1/models", headers=CLAUDE)
        assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")
        assert client.get("/v1/models", headers=CLAUDE | {"x-api-key": gateway.key}).status_code == 200
