"""A Prompt's wishes as fields for the upstream, and what is said where there is no field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bridge.parts import (
    Text,
)
from bridge.prompt import (
    Choice,
    OutputWish,
    ReasoningWish,
    Sampling,
    Thinking,
    Tool,
    ToolChoice,
    WebSearch,
)
from bridge.target import Target
from tests.bridge.formats.chat.test_write_request import CLAUDE, GPT, REASONING, F, written


def field(name: str, target: Target = GPT, **fields: Any) -> Any:
    return written(target, **fields)[0].get(name)


def test_the_limit_has_the_name_and_the_size_the_model_takes() -> None:
    assert field("max_tokens", max_output=100) == 100
    assert field("max_tokens", max_output=10**9) == 16384
    assert field("max_completion_tokens", REASONING, max_output=100) == 100
    assert field("max_tokens", REASONING, max_output=100) is None
    assert field("max_tokens", Target("x"), max_output=10**9) == 10**9


def test_sampling_goes_where_it_is_taken_and_is_named_elsewhere() -> None:
    sampling = Sampling(0.5, 0.9, 4, 0.1, 0.2, 7, {"1": 2})
    body, dropped = written(GPT, sampling=sampling)
    assert dropped == ("top_k",)
    assert {name: body[name] for name in ("temperature", "top_p", "seed", "logit_bias")} == {
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
        "logit_bias": {"1": 2},
    }
    body, dropped = written(REASONING, sampling=sampling)
    assert set(dropped) == {"temperature", "top_p", "top_k", "presence_penalty", "frequency_penalty", "logit_bias"}
    assert body["seed"] == 7
    assert written(replace(GPT, refused=frozenset({"seed"})), sampling=Sampling(seed=7)) == (written()[0], ("seed",))


def test_four_stop_sequences_are_taken() -> None:
    assert written(stop=tuple("abcd"))[0]["stop"] == list("abcd")
    body, dropped = written(stop=tuple("abcde"))
    assert (body["stop"], dropped) == (list("abcd"), ("stop",))


def test_tools_and_the_choice_among_them() -> None:
    body, dropped = written(
        tools=(F, Tool("g", strict=True)), tool_choice=ToolChoice(Choice.NAMED, "f"), parallel_calls=False
    )
    assert body["tools"] == [
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}},
        {"type": "function", "function": {"name": "g", "strict": True}},
    ]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "f"}}
    assert (body["parallel_tool_calls"], dropped) == (False, ())
    for choice in (Choice.AUTO, Choice.NONE, Choice.REQUIRED):
        assert field("tool_choice", tools=(F,), tool_choice=ToolChoice(choice)) == choice.value


def test_without_tools_nothing_is_said_of_them() -> None:
    assert written(tool_choice=ToolChoice(Choice.AUTO), parallel_calls=True) == written()
    assert field("parallel_tool_calls", replace(GPT, parallel_calls=False), tools=(F,), parallel_calls=True) is None


@pytest.mark.parametrize(
    ("wish", "effort", "dropped"),
    [
        (ReasoningWish(), None, ()),
        (ReasoningWish(effort="medium"), "medium", ()),
        (ReasoningWish(effort="max"), "medium", ("reasoning_effort",)),
        (ReasoningWish(effort="turbo"), None, ("reasoning_effort",)),
        (ReasoningWish(budget=2000, thinking=Thinking.ENABLED), "low", ()),
        (ReasoningWish(budget=32000), "medium", ()),
        (ReasoningWish(thinking=Thinking.ADAPTIVE), None, ()),
        (ReasoningWish(thinking=Thinking.DISABLED), None, ()),
        (ReasoningWish(effort="low", thinking=Thinking.DISABLED), "low", ()),
    ],
)
def test_how_much_to_think_becomes_an_effort_the_model_lists(
    wish: ReasoningWish, effort: str | None, dropped: tuple[str, ...]
) -> None:
    body, lost = written(REASONING, reasoning=wish)
    assert (body.get("reasoning_effort"), lost) == (effort, dropped)


def test_not_to_think_is_an_effort_where_it_is_listed() -> None:
    target = replace(REASONING, efforts=("none", "low"))
    assert field("reasoning_effort", target, reasoning=ReasoningWish(thinking=Thinking.DISABLED)) == "none"


@pytest.mark.parametrize("efforts", [None, ()])
def test_a_model_that_lists_no_efforts_is_told_none(efforts: tuple[str, ...] | None) -> None:
    target = replace(GPT, efforts=efforts)
    assert written(target, reasoning=ReasoningWish(effort="low")) == (written()[0], ("reasoning_effort",))
    assert written(target, reasoning=ReasoningWish(budget=2000)) == (written()[0], ("thinking",))
    assert written(target, reasoning=ReasoningWish(effort="none")) == (written()[0], ())
    assert written(target, reasoning=ReasoningWish(thinking=Thinking.DISABLED)) == (written()[0], ())


@pytest.mark.parametrize(
    ("wish", "limit", "budget"),
    [
        (ReasoningWish(budget=4000), None, 4000),
        (ReasoningWish(budget=10), None, 1024),
        (ReasoningWish(budget=10**6), None, 32000),
        (ReasoningWish(effort="medium"), None, 8192),
        (ReasoningWish(budget=4000), 4000, 3999),
        (ReasoningWish(effort="none"), None, None),
        (ReasoningWish(budget=4000, thinking=Thinking.DISABLED), None, None),
        (ReasoningWish(thinking=Thinking.ADAPTIVE), None, None),
    ],
)
def test_a_model_with_a_budget_gets_one_below_its_limit(
    wish: ReasoningWish, limit: int | None, budget: int | None
) -> None:
    body, dropped = written(CLAUDE, reasoning=wish, max_output=limit)
    assert (body.get("thinking_budget"), "reasoning_effort" in body, dropped) == (budget, False, ())


def test_a_budget_gives_way_to_what_it_does_not_go_with() -> None:
    wish = ReasoningWish(budget=2000)
    forced = {"tools": (F,), "tool_choice": ToolChoice(Choice.REQUIRED)}
    assert written(CLAUDE, reasoning=wish, max_output=1000) == (written(CLAUDE, max_output=1000)[0], ("thinking",))
    assert written(CLAUDE, reasoning=wish, **forced) == (written(CLAUDE, **forced)[0], ("thinking",))
    refusing = replace(CLAUDE, refused=frozenset({"thinking_budget"}))
    assert written(refusing, reasoning=wish) == (written(CLAUDE)[0], ("thinking",))
    body, dropped = written(CLAUDE, reasoning=wish, sampling=Sampling(temperature=0))
    assert (body["thinking_budget"], "temperature" in body, dropped) == (2000, False, ("temperature",))


def test_structured_output_is_a_field_or_an_instruction() -> None:
    wish = OutputWish({"type": "object"}, "", "d", strict=True)
    assert field("response_format", output=wish) == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": {"type": "object"}, "description": "d", "strict": True},
    }
    assert field("response_format", output=OutputWish()) == {"type": "json_object"}
    for target in (replace(GPT, structured_outputs=False), replace(GPT, refused=frozenset({"response_format"}))):
        body, dropped = written(target, output=wish, system=(Text("Be kind."),))
        assert ("response_format" in body, dropped) == (False, ())
        assert body["messages"][0]["content"].startswith("Be kind.\n\nAnswer with JSON only")
        assert '{"type":"object"}' in body["messages"][0]["content"]
        assert "one JSON object" in written(target, output=OutputWish())[0]["messages"][0]["content"]


def test_log_probabilities_are_asked_for() -> None:
    assert written(top_logprobs=0)[0]["logprobs"] is True
    assert "top_logprobs" not in written(top_logprobs=0)[0]
    assert written(top_logprobs=3)[0]["top_logprobs"] == 3
    assert written(REASONING, top_logprobs=3)[1] == ("logprobs", "top_logprobs")


def test_what_only_openais_models_understand_goes_to_them() -> None:
    body, dropped = written(verbosity="low", cache_key="k")
    assert (body["verbosity"], body["prompt_cache_key"], dropped) == ("low", "k", ())
    assert written(CLAUDE, verbosity="low", cache_key="k") == (written(CLAUDE)[0], ("verbosity",))


def test_a_wish_to_search_the_web_is_refused_in_words() -> None:
    body, dropped = written(web_search=WebSearch())
    assert dropped == ("web_search",)
    assert "Web search is not available" in body["messages"][0]["content"]
