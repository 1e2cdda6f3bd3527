"""Tools on their way upstream and their calls on the way back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from bridge.dialect import Dialect
from bridge.events import CallHead, Event, Failed, Finished, PartClosed, PartOpened, Started, Stop, TextGrew, TextHead
from bridge.parts import Cache, Call, CallKind, Result, Text
from bridge.prompt import Choice, Prompt, Role, Tool, ToolChoice, Turn, WebSearch
from bridge.tool_schema import PLACEHOLDER
from bridge.toolbox import Toolbox, describe_tools, fit_tools
from tests.bridge.grammar import check

SCHEMA: dict[str, Any] = {"type": "object", "properties": {"path": {"type": "string"}}}
READ = Tool("read", "Reads.", SCHEMA, strict=False)
PATCH = Tool("patch", "Patches.", kind=CallKind.CUSTOM, grammar="start: /x/", syntax="lark")
WAIT = Tool("wait", "Waits.", SCHEMA, namespace="clock", namespace_description="Time.")
FLAT = (Dialect.CHAT, Dialect.MESSAGES)
GO = Turn(Role.USER, (Text("go"),))


def prompt_of(*tools: Tool, choice: ToolChoice | None = None, turns: tuple[Turn, ...] = (GO,)) -> Prompt:
    return Prompt(turns, tools=tools, tool_choice=choice)


def fitted(prompt: Prompt, upstream: Dialect = Dialect.MESSAGES, *, custom_tools: bool = False) -> Prompt:
    return fit_tools(prompt, upstream, custom_tools=custom_tools)[0]


def a_call(name: str, *pieces: str, kind: CallKind = CallKind.FUNCTION, namespace: str = "") -> list[Event]:
    return [PartOpened(CallHead("c1", name, kind, namespace)), *(TextGrew(piece) for piece in pieces), PartClosed()]


def box(prompt: Prompt, upstream: Dialect = Dialect.MESSAGES) -> Toolbox:
    return fit_tools(prompt, upstream, custom_tools=False)[1]


@pytest.mark.parametrize("upstream", Dialect)
def test_tools_that_fit_stay_as_they_are(upstream: Dialect) -> None:
    prompt = prompt_of(READ, choice=ToolChoice(Choice.NAMED, "read"))
    fit, toolbox = fit_tools(prompt, upstream, custom_tools=True)
    assert fit == prompt
    assert toolbox.is_plain
    events = a_call("read", "{}")
    assert toolbox.restore(events) == events


def test_responses_keeps_namespaces_and_custom_tools() -> None:
    prompt = prompt_of(
        READ,
        PATCH,
        WAIT,
        turns=(
            Turn(
                Role.ASSISTANT, (Call("c", "patch", "x", CallKind.CUSTOM), Call("d", "wait", "{}", namespace="clock"))
            ),
        ),
    )
    fit, toolbox = fit_tools(prompt, Dialect.RESPONSES, custom_tools=True)
    assert fit == prompt
    assert toolbox.is_plain


@pytest.mark.parametrize("upstream", Dialect)
def test_a_custom_tool_becomes_a_function_that_tells_its_grammar(upstream: Dialect) -> None:
    (tool,) = fitted(prompt_of(structs.replace(PATCH, cache=Cache.USUAL)), upstream).tools
    assert tool.kind is CallKind.FUNCTION
    assert tool.schema is not None
    assert tool.schema["required"] == ["input"]
    assert tool.schema["properties"]["input"]["type"] == "string"
    assert tool.description is not None
    assert tool.description.startswith("Patches.\n\n`input`: ")
    for text in (tool.description, tool.schema["properties"]["input"]["description"]):
        assert text.endswith("It must match this Lark grammar:\nstart: /x/")
    assert (tool.grammar, tool.syntax, tool.cache) == ("", "", Cache.USUAL)


def test_a_custom_tool_of_any_text_has_no_grammar_to_tell() -> None:
    (tool,) = fitted(prompt_of(Tool("run", kind=CallKind.CUSTOM))).tools
    assert tool.description == "`input`: The whole input of the tool, as plain text."


@given(st.text())
def test_custom_calls_of_the_history_are_wrapped_and_come_back_from_a_reply(text: str) -> None:
    call = Call("c", "patch", text, CallKind.CUSTOM)
    turns = (Turn(Role.ASSISTANT, (call,)), Turn(Role.USER, (Result("c", (Text("done"),), kind=CallKind.CUSTOM),)))
    fit, toolbox = fit_tools(prompt_of(PATCH, turns=turns), Dialect.CHAT, custom_tools=False)
    (wrapped,), (result,) = fit.turns[0].parts, fit.turns[1].parts
    assert isinstance(wrapped, Call)
    assert json.loads(wrapped.arguments) == {"input": text}
    assert wrapped.kind is CallKind.FUNCTION
    assert result == Result("c", (Text("done"),))
    pieces = [wrapped.arguments[place : place + 3] for place in range(0, len(wrapped.arguments), 3)]
    assert toolbox.restore(a_call("patch", *pieces)) == a_call("patch", *([text] if text else []), kind=CallKind.CUSTOM)


@pytest.mark.parametrize("arguments", ['{"input": "cut of', '{"patch": "x"}', '{"input": 5}', "plain words", "[]"])
def test_malformed_input_of_a_wrapped_tool_stays_as_the_model_wrote_it(arguments: str) -> None:
    toolbox = box(prompt_of(PATCH))
    assert not toolbox.is_plain
    assert toolbox.restore(a_call("patch", arguments)) == a_call("patch", arguments, kind=CallKind.CUSTOM)


def test_calls_are_restored_one_by_one_and_other_parts_pass() -> None:
    toolbox = box(prompt_of(READ, PATCH, WAIT))
    text: list[Event] = [PartOpened(TextHead()), TextGrew("so"), PartClosed()]
    restored = toolbox.restore(
        [
            Started(),
            *text,
            *a_call("patch", '{"inp', 'ut":"one"}'),
            *a_call("clock__wait", '{"a"', ":1}"),
            *a_call("read", "{}"),
            *a_call("unheard_of", "{}"),
            *a_call("patch", '{"input":"two"}'),
            Finished(Stop.CALLS),
        ]
    )
    assert check(restored) == [
        Started(),
        *text,
        *a_call("patch", "one", kind=CallKind.CUSTOM),
        *a_call("wait", '{"a"', ":1}", namespace="clock"),
        *a_call("read", "{}"),
        *a_call("unheard_of", "{}"),
        *a_call("patch", "two", kind=CallKind.CUSTOM),
        Finished(Stop.CALLS),
    ]


def test_a_reply_that_fails_inside_a_wrapped_call_says_so_and_nothing_of_it_is_left() -> None:
    toolbox = box(prompt_of(PATCH))
    opened = PartOpened(CallHead("c1", "patch", CallKind.CUSTOM))
    assert toolbox.restore([*a_call("patch", '{"input":"half')[:-1], Failed("gone")]) == [opened, Failed("gone")]
    assert toolbox.restore([Started(), TextGrew("x")]) == [Started(), TextGrew("x")]


@pytest.mark.parametrize("upstream", FLAT)
def test_a_namespace_is_told_in_name_and_description(upstream: Dialect) -> None:
    (tool,) = fitted(prompt_of(WAIT), upstream).tools
    assert tool == Tool("clock__wait", "Time.\n\nWaits.", SCHEMA)


def test_a_plain_name_is_never_taken_by_a_flattened_one() -> None:
    plain = Tool("clock__wait", "Another.", SCHEMA)
    fit, toolbox = fit_tools(prompt_of(WAIT, plain), Dialect.CHAT, custom_tools=False)
    assert fit.tools[1] == plain
    assert fit.tools[0].name != "clock__wait"
    assert toolbox.restore(a_call("clock__wait")) == a_call("clock__wait")
    assert toolbox.restore(a_call(fit.tools[0].name)) == a_call("wait", namespace="clock")


def test_the_history_and_the_choice_follow_the_names() -> None:
    prompt = prompt_of(
        Tool("n" * 80, "Long.", SCHEMA),
        WAIT,
        choice=ToolChoice(Choice.NAMED, "wait", "clock"),
        turns=(
            Turn(Role.ASSISTANT, (Text("x"), Call("a", "n" * 80, "{}"), Call("b", "wait", "{}", namespace="clock"))),
        ),
    )
    fit = fitted(prompt)
    assert fit.turns[0].parts == (Text("x"), Call("a", fit.tools[0].name, "{}"), Call("b", "clock__wait", "{}"))
    assert fit.tool_choice == ToolChoice(Choice.NAMED, "clock__wait")
    assert len(fit.tools[0].name) == 64


def test_a_choice_of_a_wrapped_tool_is_one_of_a_function() -> None:
    choice = ToolChoice(Choice.NAMED, "patch", kind=CallKind.CUSTOM)
    assert fitted(prompt_of(PATCH, choice=choice)).tool_choice == ToolChoice(Choice.NAMED, "patch")
    kept = fitted(prompt_of(PATCH, choice=choice), Dialect.RESPONSES, custom_tools=True)
    assert kept.tool_choice == choice


@pytest.mark.parametrize("upstream", Dialect)
def test_a_choice_of_a_tool_that_is_not_there_is_dropped_by_name(upstream: Dialect) -> None:
    fit = fitted(prompt_of(READ, choice=ToolChoice(Choice.NAMED, "write")), upstream)
    assert fit.tool_choice is None
    assert fit.dropped == ("tool_choice",)


@pytest.mark.parametrize(
    ("choice", "dropped"),
    [(Choice.AUTO, ()), (Choice.NONE, ()), (Choice.REQUIRED, ("tool_choice",))],
)
def test_without_tools_there_is_nothing_to_choose(choice: Choice, dropped: tuple[str, ...]) -> None:
    fit = fitted(prompt_of(choice=ToolChoice(choice)))
    assert (fit.tool_choice, fit.dropped) == (None, dropped)


def test_the_web_search_can_be_chosen_where_there_is_one() -> None:
    choice = ToolChoice(Choice.NAMED, "web_search")
    prompt = replace(prompt_of(choice=choice), web_search=WebSearch())
    assert fitted(prompt, Dialect.RESPONSES).tool_choice == choice
    assert fitted(prompt, Dialect.MESSAGES).dropped == ("tool_choice",)
    assert fitted(replace(prompt, tool_choice=ToolChoice(Choice.AUTO)), Dialect.RESPONSES).tool_choice is not None


def test_allowed_tools_are_named_for_responses_and_filtered_for_others() -> None:
    prompt = replace(
        prompt_of(READ, PATCH, WAIT, choice=ToolChoice(Choice.REQUIRED, allowed=("wait", "read", "gone"))),
        web_search=WebSearch(),
    )
    fit = fitted(prompt, Dialect.RESPONSES, custom_tools=True)
    assert fit.tools == prompt.tools
    assert fit.tool_choice == ToolChoice(Choice.REQUIRED, allowed=("read", "wait"))
    assert fit.web_search is None
    for upstream in FLAT:
        fit = fitted(prompt, upstream)
        assert [tool.name for tool in fit.tools] == ["read", "clock__wait"]
        assert fit.tool_choice == ToolChoice(Choice.REQUIRED)


@pytest.mark.parametrize("known_as", ["clock", "clock__wait", "wait"])
def test_a_tool_is_allowed_by_any_of_its_names(known_as: str) -> None:
    fit = fitted(prompt_of(READ, WAIT, choice=ToolChoice(Choice.AUTO, allowed=(known_as,))))
    assert [tool.name for tool in fit.tools] == ["clock__wait"]


def test_allowing_only_what_is_not_there_allows_all_and_says_so() -> None:
    fit = fitted(prompt_of(READ, choice=ToolChoice(Choice.AUTO, allowed=("gone",))))
    assert fit.tools == (READ,)
    assert fit.tool_choice == ToolChoice(Choice.AUTO)
    assert fit.dropped == ("tool_choice",)


def test_allowing_the_web_search_alone() -> None:
    choice = ToolChoice(Choice.AUTO, allowed=("web_search",))
    prompt = replace(prompt_of(READ, choice=choice), web_search=WebSearch())
    kept = fitted(prompt, Dialect.RESPONSES)
    assert (kept.tool_choice, kept.web_search) == (choice, WebSearch())
    fit = fitted(prompt, Dialect.CHAT)
    assert (fit.tools, fit.tool_choice, fit.web_search) == ((), None, WebSearch())


def test_of_two_tools_of_one_name_the_first_wins() -> None:
    prompt = prompt_of(READ, Tool("read", "Other."), Tool("read", "Third.", kind=CallKind.CUSTOM))
    assert fitted(prompt).tools == (READ,)
    assert fitted(prompt).dropped == ("tools",)
    assert fitted(replace(prompt, dropped=("tools", "seed"))).dropped == ("tools", "seed")


@pytest.mark.parametrize("upstream", Dialect)
def test_an_empty_description_is_filled_and_an_absent_one_stays_absent(upstream: Dialect) -> None:
    tools = (Tool("a", "", SCHEMA), Tool("b", " \n", SCHEMA), Tool("c", None, SCHEMA))
    described = [tool.description for tool in fitted(prompt_of(*tools), upstream).tools]
    assert described == [PLACEHOLDER, PLACEHOLDER, None]


def test_a_namespace_without_a_description_gets_one_where_there_are_namespaces() -> None:
    tool = Tool("wait", "Waits.", SCHEMA, namespace="clock")
    assert fitted(prompt_of(tool), Dialect.RESPONSES).tools[0].namespace_description == PLACEHOLDER
    assert fitted(prompt_of(tool), Dialect.CHAT).tools[0] == Tool("clock__wait", "Waits.", SCHEMA)


@pytest.mark.parametrize("upstream", Dialect)
def test_a_schema_that_is_rebuilt_promises_nothing_strict(upstream: Dialect) -> None:
    tools = (Tool("a", "A.", None, strict=True), Tool("b", "B.", SCHEMA, strict=True), Tool("c", "C.", {}))
    fit = fitted(prompt_of(*tools), upstream)
    assert [tool.strict for tool in fit.tools] == [False, True, None]
    assert fit.tools[0].schema == {"type": "object", "properties": {}}
    assert fit.tools[1].schema is SCHEMA


def test_a_call_of_a_tool_that_is_no_longer_there_has_a_fit_name() -> None:
    turns = (Turn(Role.ASSISTANT, (Call("a", "old.tool", "x", CallKind.CUSTOM, "box"),)),)
    fit, toolbox = fit_tools(prompt_of(READ, turns=turns), Dialect.MESSAGES, custom_tools=False)
    (call,) = fit.turns[0].parts
    assert isinstance(call, Call)
    assert call.arguments == '{"input":"x"}'
    assert toolbox.restore(a_call(call.name, '{"input":"y"}')) == a_call(
        "old.tool", "y", kind=CallKind.CUSTOM, namespace="box"
    )


def test_reserved_names_of_responses_come_back() -> None:
    tools = (Tool("tool_search", "S.", SCHEMA), Tool("wait", "W.", SCHEMA, namespace="collaboration"))
    fit, toolbox = fit_tools(prompt_of(*tools), Dialect.RESPONSES, custom_tools=True)
    search, wait = fit.tools
    assert search.name != "tool_search"
    assert wait.namespace != "collaboration"
    assert toolbox.restore(a_call(search.name)) == a_call("tool_search")
    assert toolbox.restore(a_call("wait", namespace=wait.namespace)) == a_call("wait", namespace="collaboration")


def test_the_repair_of_descriptions_reaches_into_the_schemas() -> None:
    deep = Tool("a", "A.", {"type": "object", "properties": {"x": {"description": ""}}})
    bare = Tool("b", kind=CallKind.CUSTOM)
    first, second = describe_tools(prompt_of(deep, bare)).tools
    assert first.schema == {"type": "object", "properties": {"x": {"description": PLACEHOLDER}}}
    assert second == bare
