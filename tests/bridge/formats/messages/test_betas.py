"""Messages: which betas are sent on, and that body and header agree."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.formats.messages.betas import ADVANCED_TOOL_USE, CACHE_TTL, CONTEXT_MANAGEMENT, INTERLEAVED
from bridge.formats.messages.verbatim import betas_of, edit_request, open_request
from tests.bridge.formats.messages.upstream import body_of, refusal_of, target_of

CLIENT = (INTERLEAVED, CONTEXT_MANAGEMENT, ADVANCED_TOOL_USE, "claude-code-20250219", "context-1m-2025-08-07")
ON = {"type": "enabled", "budget_tokens": 2000}
CLEAR = {"type": "clear_thinking_20251015", "keep": "all"}
TOOL = {"name": "f", "input_schema": {"type": "object"}}
ONE_HOUR = [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]


def betas(client: tuple[str, ...] = CLIENT, *, adaptive: bool = False, **members: Any) -> tuple[str, ...]:
    return betas_of(open_request(body_of(**members)), client, adaptive)


@pytest.mark.parametrize(
    ("members", "sent"),
    [
        ({}, ()),
        ({"thinking": ON}, (INTERLEAVED,)),
        ({"thinking": {"type": "disabled"}}, ()),
        ({"context_management": {"edits": [CLEAR]}}, (CONTEXT_MANAGEMENT,)),
        ({"context_management": {"edits": [{"type": "compact_20260112"}]}}, ()),
        ({"context_management": {}}, ()),
        ({"tools": [TOOL | {"defer_loading": True}]}, (ADVANCED_TOOL_USE,)),
        ({"tools": [TOOL]}, ()),
        ({"system": ONE_HOUR}, (CACHE_TTL,)),
    ],
)
def test_a_beta_is_sent_with_its_use_alone(members: dict[str, Any], sent: tuple[str, ...]) -> None:
    assert betas(**members) == sent


def test_what_the_client_did_not_ask_for_is_not_sent() -> None:
    assert betas((), thinking=ON, context_management={"edits": [CLEAR]}, tools=[TOOL | {"defer_loading": True}]) == ()
    assert betas((), system=ONE_HOUR) == (CACHE_TTL,)


def test_adaptive_models_think_between_calls_without_a_beta() -> None:
    assert betas(adaptive=True, thinking=ON) == ()


def written(name: str, client: tuple[str, ...], **members: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    asked, target = open_request(body_of(**members)), target_of(name)
    sent = betas_of(asked, client, target.adaptive_thinking)
    edited = edit_request(asked, target, sent)
    assert refusal_of(edited, name, sent) is None
    body: dict[str, Any] = json.loads(edited.body)
    return body, edited.dropped


def test_fields_go_with_their_beta_or_not_at_all() -> None:
    members = {
        "thinking": ON,
        "context_management": {"edits": [CLEAR, {"type": "clear_tool_uses_20250919"}]},
        "tools": [TOOL | {"defer_loading": True, "input_examples": [{}]}],
        "system": ONE_HOUR,
    }
    body, dropped = written("claude-sonnet-4.5", CLIENT, **members)
    assert body["context_management"] == members["context_management"]
    assert body["tools"][0]["defer_loading"] is True
    assert body["system"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert dropped == ()
    body, dropped = written("claude-sonnet-4.5", (), **members)
    assert "context_management" not in body
    assert body["tools"] == [TOOL]
    assert dropped == ("input_examples", "context_management")


def test_clearing_thoughts_of_a_model_that_does_not_think_is_left_out() -> None:
    body, dropped = written("claude-sonnet-4.5", CLIENT, context_management={"edits": [CLEAR]})
    assert "context_management" not in body
    assert dropped == ()


def test_an_edit_the_upstream_does_not_know_is_named() -> None:
    edits = {"edits": [{"type": "compact_20260112"}, CLEAR]}
    body, dropped = written("claude-sonnet-4.5", CLIENT, thinking=ON, context_management=edits)
    assert body["context_management"] == {"edits": [CLEAR]}
    assert dropped == ("context_management",)
