"""Responses requests read into a Prompt: each member, each kind of item, and what is named as lost."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.errors import BadRequest
from bridge.formats.responses import read_request
from bridge.parts import (
    Call,
    CallKind,
    Citation,
    Compaction,
    Document,
    Image,
    Part,
    Reasoning,
    Refusal,
    Result,
    Seal,
    SealKind,
    Search,
    Source,
    Text,
)
from bridge.prompt import (
    Choice,
    OutputWish,
    Prompt,
    ReasoningWish,
    Role,
    Sampling,
    Thinking,
    Tool,
    ToolChoice,
    Turn,
    WebSearch,
)
from tests.bridge.formats.responses.recordings import asked


def read(**members: Any) -> Prompt:
    return read_request(asked(**members))


def parts(*items: dict[str, Any]) -> tuple[Part, ...]:
    (turn,) = read(input=list(items)).turns
    return turn.parts


def test_a_text_is_one_turn_of_the_user() -> None:
    assert read() == Prompt(turns=(Turn(Role.USER, (Text("Hi"),)),))


def test_instructions_at_the_head_are_the_systems_and_later_ones_turns() -> None:
    prompt = read(
        instructions="Be brief.",
        input=[
            {"role": "developer", "content": "Be kind."},
            {"role": "system", "content": [{"type": "input_text", "text": "Be honest."}]},
            {"role": "user", "content": "Hi"},
            {"role": "developer", "content": "Be quick."},
        ],
    )
    assert prompt.system == (Text("Be brief."), Text("Be kind."), Text("Be honest."))
    assert prompt.turns == (Turn(Role.USER, (Text("Hi"),)), Turn(Role.SYSTEM, (Text("Be quick."),)))


def test_items_of_the_assistant_are_one_turn_outputs_another_and_messages_of_the_user_their_own() -> None:
    prompt = read(
        input=[
            {"role": "user", "content": "One"},
            {"role": "user", "content": "Two"},
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "gA"},
            {"role": "assistant", "phase": "commentary", "content": "Look."},
            {"type": "function_call", "call_id": "a", "name": "ls", "arguments": "{}"},
            {"type": "function_call", "call_id": "b", "name": "ls", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "a", "output": "x"},
            {"type": "function_call_output", "call_id": "b", "output": "y"},
            {"role": "user", "content": "Three"},
        ]
    )
    assert prompt.turns == (
        Turn(Role.USER, (Text("One"),)),
        Turn(Role.USER, (Text("Two"),)),
        Turn(
            Role.ASSISTANT,
            (
                Reasoning(("Hm.",), Seal(SealKind.CIPHERTEXT, "gA")),
                Text("Look.", phase="commentary"),
                Call("a", "ls", "{}"),
                Call("b", "ls", "{}"),
            ),
        ),
        Turn(Role.USER, (Result("a", (Text("x"),)), Result("b", (Text("y"),)))),
        Turn(Role.USER, (Text("Three"),)),
    )


@pytest.mark.parametrize(
    ("part", "read_as"),
    [
        ({"type": "input_text", "text": "a"}, Text("a")),
        (
            {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
            Image("image/png", "AAAA", detail="low"),
        ),
        ({"type": "input_image", "image_url": "https://a.example/"}, Image(url="https://a.example/")),
        ({"type": "input_image", "file_id": "file_1"}, Image(file_id="file_1")),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"},
            Document("application/pdf", "JVBE", title="a.pdf"),
        ),
        ({"type": "input_file", "file_data": "JVBE"}, Document("application/pdf", "JVBE")),
        ({"type": "input_file", "file_url": "https://a.example/a.pdf"}, Document(url="https://a.example/a.pdf")),
        ({"type": "input_file", "file_id": "file_1"}, Document(file_id="file_1")),
    ],
)
def test_every_kind_of_input_has_its_part(part: dict[str, Any], read_as: Part) -> None:
    assert parts({"role": "user", "content": [part]}) == (read_as,)
    output = {"type": "function_call_output", "call_id": "c", "output": [part]}
    (result,) = parts(output)
    assert isinstance(result, Result)
    assert result.parts == (read_as,)


def test_what_the_assistant_said_keeps_its_citations_and_refusals() -> None:
    note = {"type": "url_citation", "url": "https://a.example/", "title": "A", "start_index": 0, "end_index": 2}
    other = {"type": "file_citation", "file_id": "file_1"}
    said = [
        {"type": "output_text", "text": "It", "annotations": [note, other], "logprobs": []},
        {"type": "refusal", "refusal": "No."},
    ]
    citation = Citation("https://a.example/", "A", 0, 2)
    assert parts({"role": "assistant", "content": said}) == (Text("It", (citation,)), Refusal("No."))


@pytest.mark.parametrize(
    ("item", "read_as"),
    [
        (
            {"type": "custom_tool_call", "call_id": "c", "name": "exec", "namespace": "functions", "input": "ls"},
            Call("c", "exec", "ls", CallKind.CUSTOM, "functions"),
        ),
        (
            {"type": "custom_tool_call_output", "call_id": "c", "output": "x"},
            Result("c", (Text("x"),), kind=CallKind.CUSTOM),
        ),
        ({"type": "function_call", "call_id": "c", "name": "ls", "arguments": {"a": 1}}, Call("c", "ls", '{"a":1}')),
        ({"type": "function_call_output", "call_id": "c", "output": None}, Result("c")),
        (
            {"type": "local_shell_call", "call_id": "c", "action": {"type": "exec", "command": ["ls"]}},
            Call("c", "local_shell", '{"type":"exec","command":["ls"]}'),
        ),
        ({"type": "local_shell_call_output", "id": "c", "output": "x"}, Result("c", (Text("x"),))),
        (
            {
                "type": "web_search_call",
                "id": "ws_1",
                "action": {"type": "search", "queries": ["q"], "sources": [{"url": "https://a.example/"}]},
            },
            Search("ws_1", "q", (Source("https://a.example/"),)),
        ),
        ({"type": "web_search_call", "id": "ws_1", "action": None}, Search("ws_1")),
        ({"type": "compaction", "encrypted_content": "gA"}, Compaction("gA")),
        ({"type": "reasoning", "summary": [], "content": None}, Reasoning()),
        (
            {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]},
            Reasoning(("Hm.",)),
        ),
    ],
)
def test_every_kind_of_item_has_its_part(item: dict[str, Any], read_as: Part) -> None:
    assert parts(item) == (read_as,)


@pytest.mark.parametrize(
    ("item", "name"),
    [
        ({"type": "item_reference", "id": "rs_1"}, "item_reference"),
        ({"type": "mcp_call", "id": "m"}, "mcp_call"),
        ({"type": "image_generation_call", "id": "i", "result": "AAAA"}, "image_generation_call"),
        ({"type": "code_interpreter_call", "id": "c"}, "code_interpreter_call"),
        ({"type": "computer_call_output", "output": {"type": "screenshot"}}, "computer_call_output"),
        ({"type": "tool_search_call", "arguments": {}}, "tool_search"),
        ({"type": "of_tomorrow"}, "of_tomorrow"),
        ({"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}, "input_audio"),
    ],
)
def test_items_that_no_other_dialect_knows_are_named(item: dict[str, Any], name: str) -> None:
    prompt = read(input=[{"role": "user", "content": "Hi"}, item])
    assert prompt.dropped == (name,)
    assert prompt.turns[0].parts == (Text("Hi"),)
    assert len(prompt.turns) == 1


def test_tools_found_by_a_tool_search_are_tools() -> None:
    found = {"type": "tool_search_output", "call_id": "c", "tools": [{"type": "function", "name": "ls"}]}
    prompt = read(input=[{"role": "user", "content": "Hi"}, found])
    assert prompt.tools == (Tool("ls"),)
    assert prompt.dropped == ("tool_search",)


def test_every_kind_of_tool_is_read_or_named() -> None:
    schema = {"type": "object", "properties": {}}
    inner = {
        "type": "custom",
        "name": "exec",
        "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"},
    }
    prompt = read(
        tools=[
            {"type": "function", "name": "ls", "description": "Lists.", "parameters": schema, "strict": None},
            {"type": "function", "name": "rm", "description": "", "strict": True},
            {"type": "namespace", "name": "functions", "description": "Code.", "tools": [inner, {"type": "mcp"}]},
            {"type": "custom", "name": "patch", "format": {"type": "text"}},
            {"type": "local_shell"},
            {"type": "image_generation"},
            {"type": "tool_search", "execution": "client"},
        ]
    )
    listed, removed, executed, patched, shell = prompt.tools
    assert listed == Tool("ls", "Lists.", schema)
    assert removed == Tool("rm", "", strict=True)
    assert executed == Tool(
        "exec",
        kind=CallKind.CUSTOM,
        grammar="start: x",
        syntax="lark",
        namespace="functions",
        namespace_description="Code.",
    )
    assert patched == Tool("patch", kind=CallKind.CUSTOM)
    assert shell.name == "local_shell"
    assert prompt.dropped == ("mcp", "image_generation", "tool_search")


def test_web_search_is_read_with_all_it_says() -> None:
    place = {"type": "approximate", "city": "Wien", "country": None, "timezone": "Europe/Vienna"}
    tool = {
        "type": "web_search_preview",
        "filters": {"allowed_domains": ["a.example"], "blocked_domains": ["b.example"]},
        "user_location": place,
        "search_context_size": "low",
    }
    assert read(tools=[tool]).web_search == WebSearch(
        ("a.example",), ("b.example",), {"city": "Wien", "timezone": "Europe/Vienna"}, "low"
    )
    assert read(tools=[{"type": "web_search"}]).web_search == WebSearch()


@pytest.mark.parametrize(
    ("choice", "read_as"),
    [
        ("auto", ToolChoice(Choice.AUTO)),
        ("none", ToolChoice(Choice.NONE)),
        ("required", ToolChoice(Choice.REQUIRED)),
        ({"type": "function", "name": "ls"}, ToolChoice(Choice.NAMED, "ls")),
        ({"type": "custom", "name": "x"}, ToolChoice(Choice.NAMED, "x", kind=CallKind.CUSTOM)),
        ({"type": "local_shell"}, ToolChoice(Choice.NAMED, "local_shell")),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "ls"}]},
            ToolChoice(Choice.REQUIRED, allowed=("ls",)),
        ),
        (None, None),
    ],
)
def test_every_form_of_tool_choice_is_read(choice: Any, read_as: ToolChoice | None) -> None:
    prompt = read(tool_choice=choice)
    assert (prompt.tool_choice, prompt.dropped) == (read_as, ())


@pytest.mark.parametrize("choice", [{"type": "mcp", "server_label": "s"}, {"type": "web_search"}, "whatever"])
def test_a_choice_that_cannot_be_said_elsewhere_is_named(choice: Any) -> None:
    prompt = read(tool_choice=choice)
    assert (prompt.tool_choice, prompt.dropped) == (None, ("tool_choice",))


def test_wishes_are_read() -> None:
    schema = {"type": "object"}
    prompt = read(
        max_output_tokens=100,
        temperature=0,
        top_p=0.5,
        parallel_tool_calls=False,
        reasoning={"effort": "high", "summary": "detailed", "context": "all_turns"},
        text={"verbosity": "low", "format": {"type": "json_schema", "name": "n", "schema": schema, "strict": True}},
        include=["message.output_text.logprobs", "reasoning.encrypted_content", "usage"],
        prompt_cache_key="key",
    )
    assert prompt.max_output == 100
    assert prompt.sampling == Sampling(temperature=0, top_p=0.5)
    assert prompt.parallel_calls is False
    assert prompt.reasoning == ReasoningWish(effort="high", summary="detailed")
    assert prompt.output == OutputWish(schema, "n", strict=True)
    assert (prompt.verbosity, prompt.top_logprobs, prompt.cache_key) == ("low", 0, "key")
    assert prompt.dropped == ()


@pytest.mark.parametrize(
    ("wish", "thinking"),
    [({"summary": "auto"}, Thinking.ADAPTIVE), ({"effort": "none"}, None), ({}, None), (None, None)],
)
def test_who_speaks_of_reasoning_wants_some(wish: Any, thinking: Thinking | None) -> None:
    assert read(reasoning=wish).reasoning.thinking is thinking


def test_json_of_any_shape_and_plain_text_are_told_apart() -> None:
    assert read(text={"format": {"type": "json_object"}}).output == OutputWish()
    assert read(text={"format": {"type": "text"}}).output is None


@pytest.mark.parametrize(("members", "wish"), [({"top_logprobs": 0}, None), ({"top_logprobs": 3}, 3), ({}, None)])
def test_log_probabilities_are_wished_for_by_a_number(members: dict[str, Any], wish: int | None) -> None:
    assert read(**members).top_logprobs == wish


def test_what_cannot_be_carried_is_named_unless_it_asked_for_nothing() -> None:
    prompt = read(
        metadata={"a": "b"},
        user="u",
        service_tier="flex",
        truncation="disabled",
        background=False,
        store=True,
        previous_response_id="resp_1",
        client_metadata={"a": "b"},
        include=["file_search_call.results"],
        max_tool_calls=3,
    )
    assert prompt.dropped == ("max_tool_calls", "metadata", "service_tier", "user", "file_search_call.results")


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"input": [{"role": "user", "content": 7}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": ["x"]}]}, "input[0].content[0]"),
        ({"input": [{"role": "user", "content": [{"type": "input_text", "text": 7}]}]}, "input[0].content[0].text"),
        ({"input": [{"type": "function_call", "name": 7}]}, "input[0].name"),
        ({"input": [{"type": "reasoning", "summary": "x"}]}, "input[0].summary"),
        ({"input": [{"type": "function_call_output", "output": {"a": 1}}]}, "input[0].output"),
        ({"tools": ["x"]}, "tools[0]"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tools": [{"type": "function", "name": "a", "parameters": []}]}, "tools[0].parameters"),
        ({"tool_choice": 7}, "tool_choice"),
        ({"temperature": "warm"}, "temperature"),
        ({"reasoning": {"effort": 7}}, "reasoning.effort"),
        ({"text": {"format": "json"}}, "text.format"),
        ({"parallel_tool_calls": 1}, "parallel_tool_calls"),
    ],
)
def test_a_member_of_the_wrong_type_is_refused_by_its_name(members: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(**members)
    assert caught.value.param == param
