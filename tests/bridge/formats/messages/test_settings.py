"""Messages: thinking, effort and sampling in the words that each model takes."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.formats.messages.settings import fit_settings
from bridge.target import Target

ADAPTIVE = Target("a", adaptive_thinking=True, efforts=("low", "medium", "high"), max_output_tokens=64_000)
BUDGET = Target("b", min_thinking_budget=1024, max_thinking_budget=32_000, max_output_tokens=16_000)
PLAIN = Target("p", max_output_tokens=8000)


def fitted(target: Target, *, missing: bool = False, **settings: Any) -> tuple[dict[str, Any], list[str]]:
    dropped: list[str] = []
    whole: dict[str, Any] = {"max_tokens": 4096} | settings
    fit_settings(whole, target, dropped, thought_is_missing=missing)
    return whole, dropped


def enabled(budget: int) -> dict[str, Any]:
    return {"type": "enabled", "budget_tokens": budget}


def shown(display: str = "summarized") -> dict[str, Any]:
    return {"type": "adaptive", "display": display}


@pytest.mark.parametrize(("budget", "effort"), [(2000, "low"), (8000, "medium"), (31_999, "high")])
def test_a_budget_becomes_an_effort_where_the_model_decides(budget: int, effort: str) -> None:
    settings, dropped = fitted(ADAPTIVE, thinking=enabled(budget))
    assert settings == {"max_tokens": 4096, "thinking": shown(), "output_config": {"effort": effort}}
    assert dropped == []


def test_an_effort_said_wins_over_one_from_a_budget() -> None:
    settings, _ = fitted(ADAPTIVE, thinking=enabled(31_999), output_config={"effort": "low"})
    assert settings["output_config"] == {"effort": "low"}


def test_a_summary_of_thoughts_is_asked_for_unless_the_client_said_otherwise() -> None:
    assert fitted(ADAPTIVE, thinking={"type": "adaptive"})[0]["thinking"] == shown()
    assert fitted(ADAPTIVE, thinking=shown("omitted"))[0]["thinking"] == shown("omitted")


@pytest.mark.parametrize(("effort", "budget"), [("low", 2048), ("high", 16_384), (None, 16_384), ("max", 32_000)])
def test_an_effort_becomes_a_budget_where_the_model_wants_one(effort: str | None, budget: int) -> None:
    config: dict[str, Any] = {"output_config": {"effort": effort}} if effort else {}
    target = Target("b", min_thinking_budget=1024, max_thinking_budget=32_000)
    settings, dropped = fitted(target, thinking={"type": "adaptive"}, max_tokens=60_000, **config)
    assert settings == {"max_tokens": 60_000, "thinking": enabled(budget)}
    assert dropped == []


def test_budgets_are_held_to_the_models_bounds() -> None:
    target = Target("b", min_thinking_budget=1024, max_thinking_budget=5000)
    assert fitted(target, thinking=enabled(9000), max_tokens=60_000)[0]["thinking"] == enabled(5000)
    assert fitted(target, thinking=enabled(5), max_tokens=60_000)[0]["thinking"] == enabled(1024)


@pytest.mark.parametrize(
    ("limit", "budget", "raised", "left"),
    [(4096, 2000, 4096, 2000), (4096, 8000, 12_096, 8000), (32_000, 31_999, 16_000, 12_000), (2000, 2000, 4000, 2000)],
)
def test_a_budget_leaves_room_for_the_answer(limit: int, budget: int, raised: int, left: int) -> None:
    settings, dropped = fitted(BUDGET, max_tokens=limit, thinking=enabled(budget))
    assert (settings["max_tokens"], settings["thinking"]["budget_tokens"], dropped) == (raised, left, [])


def test_a_probe_is_not_thought_about() -> None:
    settings, dropped = fitted(BUDGET, max_tokens=1, thinking=enabled(8000))
    assert (settings, dropped) == ({"max_tokens": 1}, ["thinking"])


def test_results_for_a_turn_without_thinking_are_answered_without() -> None:
    assert fitted(BUDGET, missing=True, thinking=enabled(2000)) == ({"max_tokens": 4096}, ["thinking"])
    assert fitted(ADAPTIVE, missing=True, thinking={"type": "adaptive"})[0]["thinking"] == shown()


def test_models_that_do_not_think_are_not_asked_to() -> None:
    assert fitted(PLAIN, thinking=enabled(2000)) == ({"max_tokens": 4096}, ["thinking"])
    assert fitted(PLAIN, thinking={"type": "adaptive"}) == ({"max_tokens": 4096}, ["thinking"])
    assert fitted(PLAIN, thinking={"type": "disabled"}) == ({"max_tokens": 4096}, [])
    assert fitted(ADAPTIVE, thinking={"type": "disabled"})[0]["thinking"] == {"type": "disabled"}


@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "f"}])
@pytest.mark.parametrize("target", [ADAPTIVE, BUDGET])
def test_a_forced_call_wins_over_thinking(target: Target, choice: dict[str, Any]) -> None:
    settings, dropped = fitted(target, tool_choice=choice, thinking=enabled(2000))
    assert (settings, dropped) == ({"max_tokens": 4096, "tool_choice": choice}, ["thinking"])


def test_thinking_wins_over_sampling() -> None:
    settings, dropped = fitted(ADAPTIVE, thinking={"type": "adaptive"}, temperature=0.5, top_k=3, top_p=0.9)
    assert settings.keys() == {"max_tokens", "thinking"}
    assert dropped == ["temperature", "top_k", "top_p"]
    settings, dropped = fitted(ADAPTIVE, thinking={"type": "adaptive"}, temperature=1)
    assert (settings["temperature"], dropped) == (1, [])
    assert fitted(ADAPTIVE, thinking={"type": "adaptive"}, top_p=0.99)[0]["top_p"] == 0.99


def test_of_temperature_and_top_p_one_is_left() -> None:
    assert fitted(PLAIN, temperature=0.5, top_p=0.9) == ({"max_tokens": 4096, "temperature": 0.5}, ["top_p"])


def test_an_effort_the_model_does_not_list_becomes_the_nearest() -> None:
    settings, dropped = fitted(ADAPTIVE, output_config={"effort": "max", "format": {}})
    assert (settings["output_config"], dropped) == ({"effort": "high", "format": {}}, ["effort"])
    assert fitted(Target("m", efforts=()), output_config={"effort": "low"}) == ({"max_tokens": 4096}, ["effort"])
    assert fitted(PLAIN, output_config={"effort": "low"}) == ({"max_tokens": 4096}, ["effort"])
    unlisted = Target("m", adaptive_thinking=True)
    assert fitted(unlisted, output_config={"effort": "max"})[0]["output_config"] == {"effort": "max"}


def test_the_limit_is_held_to_the_models() -> None:
    assert fitted(PLAIN, max_tokens=64_000) == ({"max_tokens": 8000}, [])


def test_of_metadata_only_the_user_is_known() -> None:
    assert fitted(PLAIN, metadata={"user_id": "u"})[0]["metadata"] == {"user_id": "u"}
    assert fitted(PLAIN, metadata={"user_id": "u", "team": "t"})[1] == ["metadata"]
    assert fitted(PLAIN, metadata={"user_id": "u" * 300}) == ({"max_tokens": 4096}, ["metadata"])


def test_a_model_that_always_thinks_may_still_be_asked_to() -> None:
    always = Target("a", adaptive_thinking=True, refused=frozenset({"thinking"}))
    assert fitted(always, thinking={"type": "disabled"}) == ({"max_tokens": 4096}, ["thinking"])
    assert fitted(always, thinking={"type": "adaptive"}) == ({"max_tokens": 4096, "thinking": shown()}, [])
    budget = Target("b", max_thinking_budget=32_000, refused=frozenset({"thinking"}))
    assert fitted(budget, thinking=enabled(2000)) == ({"max_tokens": 4096}, ["thinking"])
