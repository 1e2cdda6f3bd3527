"""After pairing every call has its result right behind it, and nothing that was said is gone."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bridge.pairing import pair_results
from bridge.parts import Cache, Call, CallKind, Image, Part, Result, Text
from bridge.prompt import Prompt, Role, Turn

MISSING = "No result was recorded for this call."

ids = st.sampled_from(["a", "b", "c", ""])
parts: dict[Role, st.SearchStrategy[Part]] = {
    Role.ASSISTANT: st.one_of(
        st.builds(Text, st.sampled_from(["said", "thought"])),
        st.builds(Call, ids, st.just("f"), st.just("{}"), st.sampled_from(CallKind)),
    ),
    Role.USER: st.one_of(
        st.builds(Text, st.sampled_from(["hello", "more"])),
        st.builds(Result, ids, st.just((Text("out"), Image(data="AA"))), st.booleans()),
    ),
    Role.SYSTEM: st.builds(Text, st.just("rule")),
}
turns = st.sampled_from(Role).flatmap(
    lambda role: st.lists(parts[role], min_size=1, max_size=4).map(lambda found: Turn(role, tuple(found)))
)
prompts = st.lists(turns, max_size=8).map(lambda found: Prompt(tuple(found)))


def paired(*turns: Turn) -> tuple[Turn, ...]:
    return pair_results(Prompt(turns)).turns


def user(*parts: Part) -> Turn:
    return Turn(Role.USER, parts)


def assistant(*parts: Part) -> Turn:
    return Turn(Role.ASSISTANT, parts)


def call(call_id: str, kind: CallKind = CallKind.FUNCTION) -> Call:
    return Call(call_id, "f", "{}", kind)


def result(call_id: str, text: str = "out") -> Result:
    return Result(call_id, (Text(text),))


def missing(call_id: str, kind: CallKind = CallKind.FUNCTION) -> Result:
    return Result(call_id, (Text(MISSING),), is_error=True, kind=kind)


def told(call_id: str) -> Text:
    return Text(f"[Result of an earlier tool call ID: {call_id}]")


def calls_of(turn: Turn) -> list[str]:
    return [part.id for part in turn.parts if isinstance(part, Call)]


def results_of(turn: Turn) -> list[str]:
    return [part.call_id for part in turn.parts if isinstance(part, Result)]


@given(prompts)
def test_every_call_is_answered_once_in_the_next_turn_and_every_result_has_its_call(prompt: Prompt) -> None:
    nothing = Turn(Role.SYSTEM, ())
    for before, after in pairwise((nothing, *pair_results(prompt).turns, nothing)):
        calls = calls_of(before) if before.role is Role.ASSISTANT else []
        assert Counter(results_of(after)) == Counter(calls)
        if calls:
            assert after.role is Role.USER
            assert all(isinstance(part, Result) for part in after.parts[: len(calls)])


@given(prompts)
def test_pairing_what_is_paired_changes_nothing(prompt: Prompt) -> None:
    once = pair_results(prompt)
    assert pair_results(once) == once


@given(prompts)
def test_nothing_that_was_said_is_lost(prompt: Prompt) -> None:
    def said(prompt: Prompt) -> Counter[str]:
        counts: Counter[str] = Counter()
        for turn in prompt.turns:
            for part in turn.parts:
                inner = part.parts if isinstance(part, Result) else (part,)
                counts += Counter(str(each) for each in inner if isinstance(each, Text | Image))
                counts["calls"] += isinstance(part, Call)
        return counts

    before, after = said(prompt), said(pair_results(prompt))
    assert {key: after[key] for key in before} == before


@given(prompts)
def test_no_two_calls_share_an_id(prompt: Prompt) -> None:
    found = [call_id for turn in pair_results(prompt).turns for call_id in calls_of(turn)]
    assert len(found) == len(set(found))
    assert all(found)


def test_a_conversation_in_order_stays_as_it_is() -> None:
    turns = (
        user(Text("go")),
        assistant(Text("looking"), call("a"), call("b")),
        user(result("b"), result("a"), Text("and then")),
        assistant(Text("one")),
        assistant(Text("two")),
        user(Text("thanks")),
    )
    assert paired(*turns) == turns


def test_results_over_several_turns_are_brought_together() -> None:
    assert paired(
        assistant(call("a"), call("b"), call("c")),
        user(result("b")),
        user(Text("wait"), result("a")),
        user(result("c")),
    ) == (assistant(call("a"), call("b"), call("c")), user(result("b"), result("a"), result("c")), user(Text("wait")))


def test_words_before_a_result_come_behind_it() -> None:
    assert paired(assistant(call("a")), user(Text("hm"), result("a"))) == (
        assistant(call("a")),
        user(result("a"), Text("hm")),
    )


def test_a_rule_between_a_call_and_its_result_comes_behind_them() -> None:
    rule = Turn(Role.SYSTEM, (Text("rule"),))
    assert paired(assistant(call("a")), rule, user(result("a"), Text("go on"))) == (
        assistant(call("a")),
        user(result("a")),
        rule,
        user(Text("go on")),
    )


def test_adjacent_turns_of_the_assistant_are_one_from_the_first_call_on() -> None:
    assert paired(
        assistant(Text("hm")), assistant(call("a")), assistant(Text("also"), call("b")), user(result("a"), result("b"))
    ) == (
        assistant(Text("hm")),
        assistant(call("a"), Text("also"), call("b")),
        user(result("a"), result("b")),
    )


def test_a_missing_result_is_made_up_as_an_error_of_the_calls_kind() -> None:
    assert paired(assistant(call("a"), call("b", CallKind.CUSTOM)), user(result("a"), Text("go on"))) == (
        assistant(call("a"), call("b", CallKind.CUSTOM)),
        user(result("a"), missing("b", CallKind.CUSTOM), Text("go on")),
    )


def test_calls_at_the_very_end_are_answered_too() -> None:
    assert paired(user(Text("go")), assistant(call("a"))) == (
        user(Text("go")),
        assistant(call("a")),
        user(missing("a")),
    )


def test_a_result_without_a_call_is_told_in_its_place_with_all_it_held() -> None:
    picture = Image(data="AA")
    orphan = Result("x", (Text("out"), picture), cache=Cache.ONE_HOUR)
    assert paired(user(Text("before"), orphan, Text("after"))) == (
        user(Text("before"), told("x"), Text("out"), Image(data="AA", cache=Cache.ONE_HOUR), Text("after")),
    )


def test_a_result_that_comes_after_the_assistant_went_on_is_told_in_words() -> None:
    assert paired(assistant(call("a")), user(Text("never mind")), assistant(Text("ok")), user(result("a", "late"))) == (
        assistant(call("a")),
        user(missing("a"), Text("never mind")),
        assistant(Text("ok")),
        user(told("a"), Text("late")),
    )


def test_a_second_result_of_a_call_is_told_in_words() -> None:
    assert paired(assistant(call("a")), user(result("a", "1"), result("a", "2"))) == (
        assistant(call("a")),
        user(result("a", "1"), told("a"), Text("2")),
    )


def test_a_result_among_the_assistants_words_is_told_there() -> None:
    assert paired(assistant(Result("a", is_error=True), Text("so"))) == (
        assistant(Text("[Result of an earlier tool call ID: a] (an error)"), Text("so")),
    )


def test_an_id_that_comes_again_gets_a_number_and_so_does_its_result() -> None:
    assert paired(
        assistant(call("a")),
        user(result("a", "1")),
        assistant(call("a"), call("a"), call("")),
        user(result("a", "2"), result("", "4"), result("a", "3")),
    ) == (
        assistant(call("a")),
        user(result("a", "1")),
        assistant(call("a_2"), call("a_3"), call("call")),
        user(result("a_2", "2"), result("call", "4"), result("a_3", "3")),
    )


def test_a_result_takes_the_kind_of_its_call() -> None:
    _, answered = paired(assistant(call("a", CallKind.CUSTOM)), user(result("a")))
    assert answered.parts == (Result("a", (Text("out"),), kind=CallKind.CUSTOM),)
