"""How a scenario is asked for."""

from __future__ import annotations

import pytest

from tests.simulator.generate.memory import Memory
from tests.simulator.scenario import Fault, Scenario, ToolShape, asked_in, without_words


def test_words_in_a_prompt_become_fields() -> None:
    text = 'Hi @sim{"fault": "cut", "after": 3, "tools": "all_zero"} there'
    scenario = Scenario().with_fields(asked_in(text))
    assert (scenario.fault, scenario.after, scenario.tools) == (Fault.CUT, 3, ToolShape.ALL_ZERO)
    assert without_words(text) == "Hi  there"


def test_the_bench_shape_becomes_a_field_and_vanishes_from_the_question() -> None:
    text = "@@n=100,d=20,s=200@@ Write a story."
    assert Scenario().with_fields(asked_in(text)).bench == (100, 20, 200)
    assert without_words(text) == "Write a story."


def test_the_last_word_wins() -> None:
    assert asked_in('@sim{"after": 1, "text": "a"} @sim{"after": 2}') == {"after": 2, "text": "a"}


@pytest.mark.parametrize(
    ("short", "field", "value"),
    [
        ("status:429", "status", 429),
        ("stall:2.5", "seconds", 2.5),
        ("cut:7", "after", 7),
        ("huge_frame:99", "size", 99),
    ],
)
def test_short_forms_set_the_field_a_fault_counts_by(short: str, field: str, value: float) -> None:
    assert getattr(Scenario.from_dict({"fault": short}), field) == value


@pytest.mark.parametrize(
    "fields",
    [
        {"flaut": "cut"},
        {"fault": "explode"},
        {"after": "many"},
        {"crlf": 1},
        {"tools": "square"},
        {"fault": "redirect:3"},
    ],
)
def test_mistakes_are_named_instead_of_ignored(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Scenario.from_dict(fields)


def test_a_fault_that_fails_twice_is_well_the_third_time() -> None:
    memory = Memory()
    scenario = Scenario.from_dict({"fault": "cut", "fail_times": 2})
    seen = [memory.due(scenario, "credits|/chat/completions").fault for _ in range(3)]
    assert seen == [Fault.CUT, Fault.CUT, Fault.NONE]
    assert memory.due(scenario, "legacy|/chat/completions").fault is Fault.CUT
