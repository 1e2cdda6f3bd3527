"""What each model family refuses."""

from __future__ import annotations

import pytest

from bridge.formats.chat.families import refused_fields


@pytest.mark.parametrize("family", ["o1", "o3-mini", "o4-mini", "gpt-5", "gpt-5.3-codex", "gpt-6.1-sol", "raptor-mini"])
def test_openais_reasoning_models_take_no_sampling_and_the_newer_limit(family: str) -> None:
    assert {"temperature", "top_p", "logprobs", "max_tokens"} <= refused_fields(family)
    assert "max_completion_tokens" not in refused_fields(family)


@pytest.mark.parametrize("family", ["gemini-3.7-pro", "gemini-4-flash"])
def test_newer_geminis_take_no_sampling_but_the_older_limit(family: str) -> None:
    assert "temperature" in refused_fields(family)
    assert "max_tokens" not in refused_fields(family)


@pytest.mark.parametrize(
    "family", ["gpt-4o", "gpt-4.1", "gemini-2.5-pro", "gemini-3-pro", "claude-opus-5", "grok-4", ""]
)
def test_the_others_take_everything(family: str) -> None:
    assert refused_fields(family) == frozenset()
