"""Messages: a caller's request read as a Prompt."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.errors import BadRequest
from bridge.formats.messages import read_request
from bridge.formats.messages.verbatim import open_request
from bridge.parts import (
    Cache,
    Call,
    Citation,
    Compaction,
    Document,
    Image,
    Part,
    Reasoning,
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
from tests.bridge.formats.messages.upstream import body_of

TOOL = {"name": "f", "input_schema": {"type": "object"}}


def read(**members: Any) -> Prompt:
    return read_request(open_request(body_of(**members)))


def parts(*content: Any, role: str = "user") -> tuple[Part, ...]:
    return read(messages=[{"role": role, "content": list(content)}]).turns[0].parts


def test_the_least_request_is_read() -> None:
    assert read() == Prompt(turns=(Turn(Role.USER, (Text("hi"),)),), max_output=4096)


def test_system_prompts_are_read_without_the_billing_header() -> None:
    assert read(system="s").system == (Text("s"),)
    system = [
        {"type": "text", "text": "x-anthropic-billing-header: cch=1;"},
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h", "scope": "global"}},
    ]
    assert read(system=system).system == (Text("a", cache=Cache.ONE_HOUR),)


def test_instructions_at_the_head_are_system_and_in_the_middle_turns() -> None:
    prompt = read(
        messages=[
            {"role": "system", "content": "s"},
            {"role": "user", "content": "a"},
            {"role": "system", "content": "t"},
        ]
    )
    assert prompt.system == (Text("s"),)
    assert prompt.turns == (Turn(Role.USER, (Text("a"),)), Turn(Role.SYSTEM, (Text("t"),)))


def test_what_a_user_sends_is_read_in_its_order() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aa"}}
    assert parts(
        {"type": "tool_result", "tool_use_id": "t", "content": "r", "is_error": True},
        {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}},
        image,
        {"type": "tool_result", "tool_use_id": "u", "content": [{"type": "text", "text": "y"}, image]},
        {"type": "tool_result", "tool_use_id": "v"},
    ) == (
        Result("t", (Text("r"),), is_error=True),
        Text("x", cache=Cache.USUAL),
        Image("image/png", "aa"),
        Result("u", (Text("y"), Image("image/png", "aa"))),
        Result("v"),
    )


def test_what_an_assistant_said_is_read() -> None:
    cited = [{"type": "web_search_result_location", "url": "u", "title": "T", "cited_text": "q"}]
    assert parts(
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "thinking", "thinking": "", "signature": "silent"},
        {"type": "redacted_thinking", "data": "d"},
        {"type": "server_tool_use", "id": "w", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "w", "content": [{"url": "u", "title": "T"}]},
        {"type": "text", "text": "x", "citations": cited},
        {"type": "compaction", "content": "short"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
        role="assistant",
    ) == (
        Reasoning(("hm",), Seal(SealKind.SIGNATURE, "s")),
        Reasoning((), Seal(SealKind.SIGNATURE, "silent")),
        Reasoning((), Seal(SealKind.REDACTED, "d")),
        Search("w", "q", (Source("u", "T"),)),
        Text("x", (Citation("u", "T", quote="q"),)),
        Compaction(text="short"),
        Call("t", "f", '{"a":1}'),
    )


def test_documents_of_every_source_are_read() -> None:
    def document(**source: Any) -> dict[str, Any]:
        return {"type": "document", "title": "T", "citations": {"enabled": True}, "source": source}

    inner = [{"type": "text", "text": "z"}, {"type": "image", "source": {"type": "url", "url": "u"}}]
    assert parts(
        document(type="base64", media_type="application/pdf", data="JVBE"),
        document(type="base64", media_type="text/csv", data="YSxi"),
        document(type="text", media_type="text/plain", data="w"),
        document(type="url", url="u"),
        document(type="file", file_id="f"),
        document(type="content", content=inner),
    ) == (
        Document(media_type="application/pdf", data="JVBE", title="T", cites=True),
        Document(text="a,b", title="T", cites=True),
        Document(text="w", title="T", cites=True),
        Document(url="u", title="T", cites=True),
        Document(file_id="f", title="T", cites=True),
        Document(text="z", title="T", cites=True),
        Image(url="u"),
    )


def test_images_at_addresses_and_search_results_are_read() -> None:
    found = {"type": "search_result", "title": "T", "source": "u", "content": [{"type": "text", "text": "x"}]}
    inline = {"type": "image", "source": {"type": "url", "url": "data:image/png;base64,aa"}}
    assert parts(found, inline) == (Text("T\nu\n\nx"), Image("image/png", "aa"))


def test_unknown_blocks_are_left_out_by_name() -> None:
    prompt = read(
        messages=[{"role": "user", "content": [{"type": "container_upload"}, {"type": "text", "text": "x"}]}],
        container="c",
        mcp_servers=[{"url": "u"}],
        context_management={"edits": []},
        service_tier="auto",
    )
    assert prompt.turns[0].parts == (Text("x"),)
    assert prompt.dropped == ("container", "mcp_servers", "container_upload")


def test_a_conversation_without_content_is_refused() -> None:
    with pytest.raises(BadRequest):
        read(messages=[{"role": "user", "content": ""}])


def test_tools_are_read_and_server_tools_sorted_out() -> None:
    prompt = read(
        tools=[
            TOOL | {"type": "custom", "description": "d", "strict": True, "cache_control": {"type": "ephemeral"}},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 3, "allowed_domains": ["a.com"]},
            {"type": "bash_20250124", "name": "bash"},
        ],
        tool_choice={"type": "tool", "name": "bash", "disable_parallel_tool_use": True},
    )
    assert prompt.tools == (Tool("f", "d", {"type": "object"}, True, cache=Cache.USUAL),)
    assert prompt.web_search == WebSearch(("a.com",), max_uses=3)
    assert (prompt.tool_choice, prompt.parallel_calls, prompt.dropped) == (None, False, ("bash", "tool_choice"))


@pytest.mark.parametrize(
    ("wire", "choice"),
    [
        ({"type": "auto"}, ToolChoice(Choice.AUTO)),
        ({"type": "any"}, ToolChoice(Choice.REQUIRED)),
        ({"type": "none"}, ToolChoice(Choice.NONE)),
        ({"type": "tool", "name": "f"}, ToolChoice(Choice.NAMED, "f")),
    ],
)
def test_tool_choices_are_read(wire: dict[str, Any], choice: ToolChoice) -> None:
    assert read(tools=[TOOL], tool_choice=wire).tool_choice == choice
    assert read(tool_choice=wire).tool_choice is None


@pytest.mark.parametrize(
    ("members", "wish"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 5000}}, ReasoningWish("", 5000, Thinking.ENABLED)),
        ({"thinking": {"type": "disabled"}}, ReasoningWish(thinking=Thinking.DISABLED)),
        (
            {"thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "high"}},
            ReasoningWish("high", None, Thinking.ADAPTIVE, "omitted"),
        ),
        ({}, ReasoningWish()),
    ],
)
def test_the_wish_to_think_is_read(members: dict[str, Any], wish: ReasoningWish) -> None:
    assert read(**members).reasoning == wish


def test_structured_output_is_read_from_both_places() -> None:
    form = {"type": "json_schema", "schema": {"type": "object"}}
    assert read(output_config={"format": form}).output == OutputWish({"type": "object"})
    assert read(output_format=form).output == OutputWish({"type": "object"})
    with pytest.raises(BadRequest):
        read(output_config={"format": {"type": "grammar"}})


def test_sampling_and_stops_are_read() -> None:
    prompt = read(temperature=0.5, top_p=0.9, top_k=3, stop_sequences=["a", ""])
    assert prompt.sampling == Sampling(0.5, 0.9, 3)
    assert prompt.stop == ("a",)


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"messages": [{"role": "user", "content": [5]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "messages[0].content[0].source"),
        (
            {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": 5}]}]},
            "messages[0].content[0].name",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": 5}]}]},
            "messages[0].content[0].content",
        ),
        ({"system": [5]}, "system[0]"),
        ({"tools": [5]}, "tools[0]"),
        ({"tools": [{"name": ""}]}, "tools[0].name"),
        ({"tools": [{"name": "f", "input_schema": 5}]}, "tools[0].input_schema"),
        ({"tool_choice": {"type": "some"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"stop_sequences": [5]}, "stop_sequences"),
    ],
)
def test_wrong_types_are_refused_by_name(members: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read(**members)
    assert refused.value.param == param
