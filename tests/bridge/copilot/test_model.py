"""Entries of the model list, in the shapes of several eras."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.copilot.endpoints import Endpoint
from bridge.copilot.model import Model, TokenPrice, read_model

OPUS: dict[str, Any] = {
    "billing": {
        "restricted_to": ["pro"],
        "token_prices": {
            "batch_size": 1_000_000,
            "long_context": {
                "cache_price": 50,
                "cache_write_price": 625,
                "context_max": 936_000,
                "input_price": 500,
                "output_price": 2500,
            },
            "default": {
                "cache_price": 0.5,
                "cache_write_price": 625,
                "context_max": 200_000,
                "input_price": 12.5,
                "output_price": 2500,
            },
        },
    },
    "capabilities": {
        "family": "claude-opus-4.6",
        "limits": {
            "max_context_window_tokens": 1_000_000,
            "max_output_tokens": 64_000,
            "max_prompt_tokens": 936_000,
            "vision": {"max_prompt_images": 1},
        },
        "supports": {
            "adaptive_thinking": True,
            "max_thinking_budget": 32_000,
            "min_thinking_budget": 1024,
            "parallel_tool_calls": True,
            "reasoning_effort": ["low", "medium", "high", "max"],
            "streaming": True,
            "structured_outputs": True,
            "tool_calls": True,
            "vision": True,
        },
        "tokenizer": "o200k_base",
        "type": "chat",
    },
    "id": "claude-opus-4.6",
    "model_picker_enabled": True,
    "name": "Claude Opus 4.6",
    "policy": {"state": "enabled", "terms": "…"},
    "preview": False,
    "supported_endpoints": ["/v1/messages", "/chat/completions", "/brand/new"],
    "vendor": "Anthropic",
    "version": "claude-opus-4.6",
    "warning_messages": [{"code": "client_version_deprecated", "message": "Please update."}, {"code": "x"}],
}


def read(entry: object) -> Model:
    model = read_model(entry)
    assert model is not None
    return model


def test_a_model_of_the_token_era_is_read_whole() -> None:
    model = read(OPUS)
    assert model.endpoints == {Endpoint.MESSAGES, Endpoint.CHAT}
    assert (model.max_prompt_tokens, model.max_output_tokens, model.max_context) == (936_000, 64_000, 1_000_000)
    abilities = (model.vision, model.tools, model.parallel, model.structured_outputs, model.streaming)
    assert abilities == (True,) * 5
    assert model.reasoning_efforts == ("low", "medium", "high", "max")
    assert (model.adaptive_thinking, model.min_thinking_budget, model.max_thinking_budget) == (True, 1024, 32_000)
    assert (model.policy_state, model.needs_consent) == ("enabled", False)
    assert model.warnings == ("Please update.",)
    assert model.multiplier_thousandths is None
    assert model.raw["id"] == "claude-opus-4.6"


def test_prices_are_integers_and_tiers_ascend() -> None:
    default, long = read(OPUS).prices
    assert default == TokenPrice(
        "default", 0, 1_000_000, 12_500_000_000, 500_000_000, 625_000_000_000, 2_500_000_000_000
    )
    assert (long.tier, long.above_input_tokens, long.input) == ("long_context", 200_000, 500_000_000_000)


def test_prices_already_in_nano_aiu_stay_as_they_are() -> None:
    prices = {"batch_size": 1_000_000, "input_price": 500_000_000_000, "output_price": None}
    (price,) = read({"id": "m", "billing": {"token_prices": prices}}).prices
    assert (price.tier, price.input, price.output, price.cached_input) == ("default", 500_000_000_000, None, None)


@pytest.mark.parametrize(("multiplier", "thousandths"), [(0, 0), (0.33, 330), (1, 1000), (30, 30_000), ("x", None)])
def test_multipliers_of_the_request_era_are_thousandths(multiplier: object, thousandths: int | None) -> None:
    assert read({"id": "m", "billing": {"multiplier": multiplier}}).multiplier_thousandths == thousandths


@pytest.mark.parametrize(
    ("kind", "endpoints"),
    [
        ("chat", {Endpoint.CHAT}),
        ("embeddings", {Endpoint.EMBEDDINGS}),
        ("completion", set()),
        (None, {Endpoint.CHAT}),
        ("brand-new", {Endpoint.CHAT}),
    ],
)
def test_without_a_list_of_endpoints_the_type_decides(kind: object, endpoints: set[Endpoint]) -> None:
    assert read({"id": "m", "capabilities": {"type": kind}}).endpoints == endpoints


def test_a_list_of_endpoints_is_believed_even_if_none_is_known() -> None:
    assert read({"id": "m", "supported_endpoints": ["/brand/new"]}).endpoints == frozenset()
    listed = ["/responses", "ws:/responses", "/v1/chat/completions"]
    assert read({"id": "m", "supported_endpoints": listed}).endpoints == {
        Endpoint.RESPONSES,
        Endpoint.RESPONSES_WS,
        Endpoint.CHAT,
    }


@pytest.mark.parametrize("state", ["disabled", "unconfigured", "pending", "requires_consent"])
def test_terms_not_agreed_to_need_consent(state: str) -> None:
    assert read({"id": "m", "policy": {"state": state}}).needs_consent


def test_headers_for_a_model_never_carry_a_credential() -> None:
    given_headers = {"X-Model": "a", "AUTHORIZATION": "Bearer x", "Host": "evil", "X-Bad": "a\r\nb", "X-No": 3}
    assert read({"id": "m", "requestHeaders": given_headers}).request_headers == {"X-Model": "a"}


@pytest.mark.parametrize("entry", [None, [], "m", {}, {"id": ""}, {"id": 3}, {"name": "nameless"}])
def test_an_entry_without_an_id_is_no_model(entry: object) -> None:
    assert read_model(entry) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.sampled_from(sorted(set(OPUS) - {"id"})), JSON)
def test_a_field_of_any_shape_does_no_harm(name: str, value: object) -> None:
    assert read(OPUS | {name: value}).id == "claude-opus-4.6"


@given(st.sampled_from(["limits", "supports", "type", "family", "tokenizer"]), JSON)
def test_a_capability_of_any_shape_does_no_harm(name: str, value: object) -> None:
    assert read(OPUS | {"capabilities": OPUS["capabilities"] | {name: value}}).id == "claude-opus-4.6"
