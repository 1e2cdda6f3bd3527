"""The model list in OpenAI's shape and in Claude's, page by page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from anthropic.types import ModelInfo
from hypothesis import given
from hypothesis import strategies as st
from openai.types import Model as OpenAIModel

from bridge.catalogue_shapes import (
    ListedModel,
    Page,
    claude_model,
    claude_page,
    openai_list,
    openai_model,
    read_page,
)
from bridge.errors import BadRequest

OPUS = ListedModel(
    id="claude-opus-4.6",
    name="Claude Opus 4.6",
    vendor="Anthropic",
    max_context=1_000_000,
    max_input=936_000,
    max_output=64_000,
    vision=True,
    tools=True,
    structured_outputs=True,
    documents=True,
    context_edits=("clear_thinking_20251015",),
    efforts=("low", "medium", "high", "max"),
    thinks_adaptively=True,
    doors=("/v1/chat/completions", "/v1/responses", "/v1/messages"),
    upstream=("/chat/completions", "/v1/messages"),
    warnings=("Retires on 2026-11-16.",),
    retires=True,
)


def shelf(*names: str) -> list[ListedModel]:
    return [ListedModel(id=name, name=name) for name in names]


def ids(page: dict[str, Any]) -> list[str]:
    return [entry["id"] for entry in page["data"]]


def test_openais_object_has_its_own_fields_and_what_else_is_worth_knowing() -> None:
    shown = openai_model(OPUS)
    sdk = OpenAIModel.model_validate(shown, strict=True)
    assert (sdk.id, sdk.object, sdk.created, sdk.owned_by) == ("claude-opus-4.6", "model", 0, "Anthropic")
    assert shown["capabilities"] == {
        "vision": True,
        "tools": True,
        "parallel_tool_calls": False,
        "structured_outputs": True,
        "reasoning_efforts": ["low", "medium", "high", "max"],
    }
    assert shown["endpoints"] == ["/v1/chat/completions", "/v1/responses", "/v1/messages"]
    assert shown["upstream_endpoints"] == ["/chat/completions", "/v1/messages"]
    assert shown["warnings"] == ["Retires on 2026-11-16."]
    assert (shown["context_window"], shown["max_input_tokens"], shown["max_output_tokens"]) == (
        1_000_000,
        936_000,
        64_000,
    )
    assert openai_list([OPUS]) == {"object": "list", "data": [shown]}


def test_claudes_object_is_what_its_sdk_reads() -> None:
    sdk = ModelInfo.model_validate(json.loads(json.dumps(claude_model(OPUS))))
    assert (sdk.type, sdk.id, sdk.display_name) == ("model", "claude-opus-4.6", "Claude Opus 4.6")
    assert sdk.created_at.timestamp() == 0
    assert (sdk.max_input_tokens, sdk.max_tokens, sdk.lifecycle) == (936_000, 64_000, "deprecated")
    able = sdk.capabilities
    assert able is not None
    assert not able.model_extra
    assert able.effort.supported
    assert able.effort.max.supported
    assert able.effort.xhigh is not None
    assert not able.effort.xhigh.supported
    assert able.thinking.types.adaptive.supported
    assert not able.thinking.types.enabled.supported
    assert able.context_management.clear_thinking_20251015 is not None
    assert able.context_management.clear_thinking_20251015.supported
    assert able.image_input.supported
    assert able.pdf_input.supported
    assert not able.server_tools.supported


def test_a_model_of_which_little_is_known_is_listed_all_the_same() -> None:
    (plain,) = shelf("x")
    assert ModelInfo.model_validate(claude_model(plain)).lifecycle == "active"
    assert openai_model(plain)["owned_by"] == "github-copilot"


def test_a_page_says_where_it_begins_and_ends_and_whether_more_follows() -> None:
    page = claude_page(shelf("a", "b", "c"), Page(limit=2))
    assert (ids(page), page["has_more"], page["first_id"], page["last_id"]) == (["a", "b"], True, "a", "b")
    page = claude_page(shelf("a", "b", "c"), Page(limit=2, after_id="b"))
    assert (ids(page), page["has_more"], page["first_id"], page["last_id"]) == (["c"], False, "c", "c")
    page = claude_page(shelf("a", "b", "c"), Page(limit=1, before_id="c"))
    assert (ids(page), page["has_more"]) == (["b"], True)
    page = claude_page([], Page())
    assert page == {"data": [], "has_more": False, "first_id": None, "last_id": None}


@given(st.integers(0, 30), st.integers(1, 7))
def test_paging_in_either_direction_ends_and_shows_every_model_once(count: int, limit: int) -> None:
    models = shelf(*(f"m{number:02}" for number in range(count)))
    page, seen = claude_page(models, Page(limit)), []
    while True:
        seen += ids(page)
        if not page["has_more"]:
            break
        page = claude_page(models, Page(limit, after_id=str(page["last_id"])))
    assert seen == [model.id for model in models]
    if models:
        back = seen[-1:]
        page = claude_page(models, Page(limit, before_id=back[0]))
        while page["data"]:
            back = ids(page) + back
            page = claude_page(models, Page(limit, before_id=back[0]))
        assert back == seen


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "1001"}, {"limit": "x"}, {"limit": "-1"}, {"limit": "²"}, {"limit": "1" * 5000}]
)
def test_a_limit_out_of_bounds_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(BadRequest) as caught:
        read_page(query)
    assert caught.value.param == "limit"


def test_the_query_string_chooses_the_page() -> None:
    assert read_page({}) == Page(20)
    assert read_page({"limit": "1000", "after_id": "a", "beta": "true"}) == Page(1000, after_id="a")
    with pytest.raises(BadRequest, match="exclude"):
        read_page({"after_id": "a", "before_id": "b"})
    with pytest.raises(BadRequest, match="names no model"):
        claude_page(shelf("a"), Page(after_id="z"))
