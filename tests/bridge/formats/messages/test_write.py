"""Messages: a Prompt written for a Claude model, within what the upstream takes."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from bridge.formats.messages import write_request
from bridge.parts import (
    Cache,
    Call,
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
from bridge.target import Target
from tests.bridge.formats.messages.upstream import PNG, refusal_of, target_of

NAME = "claude-sonnet-4.5"
HI = Turn(Role.USER, (Text("hi"),))
TOOL = Tool("f", "d", {"type": "object"})
MARK = {"type": "ephemeral"}


def turn(role: Role, *parts: Part) -> Turn:
    return Turn(role, parts)


def written(
    *turns: Turn, model: str = NAME, is_judged: bool = True, known: dict[str, Any] | None = None, **members: Any
) -> tuple[dict[str, Any], tuple[str, ...]]:
    whole = write_request(Prompt(turns=turns or (HI,), **members), target_of(model, **(known or {})))
    assert not is_judged or refusal_of(whole, model) is None
    body: dict[str, Any] = json.loads(whole.body)
    return body, whole.dropped


def said(*turns: Turn, **members: Any) -> list[tuple[str, list[Any]]]:
    """The messages without the breakpoints that are set for callers who know none."""
    messages = written(*turns, **members)[0]["messages"]
    for message in messages:
        for block in message["content"]:
            block.pop("cache_control", None)
    return [(message["role"], message["content"]) for message in messages]


def block(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def test_the_least_request_is_written() -> None:
    body, dropped = written()
    content = [block("hi") | {"cache_control": MARK}]
    assert body == {
        "model": NAME,
        "max_tokens": 16_000,
        "messages": [{"role": "user", "content": content}],
        "stream": True,
    }
    assert dropped == ()


def test_roles_take_turns_and_results_come_first() -> None:
    call = Call("t", "f", "{}")
    turns = (
        HI,
        turn(Role.ASSISTANT, Text("a")),
        turn(Role.ASSISTANT, call),
        turn(Role.SYSTEM, Text("s")),
        turn(Role.USER, Text("b")),
        turn(Role.USER, Result("t", (Text("r"),))),
    )
    result = {"type": "tool_result", "tool_use_id": "t", "content": [block("r")]}
    assert said(*turns, tools=(TOOL,)) == [
        ("user", [block("hi")]),
        ("assistant", [block("a"), {"type": "tool_use", "id": "t", "name": "f", "input": {}}]),
        ("user", [result, block("<system-reminder>\ns\n</system-reminder>"), block("b")]),
    ]


def test_a_conversation_begins_and_ends_with_the_user() -> None:
    messages = said(turn(Role.ASSISTANT, Text("hello ")))
    assert [role for role, _ in messages] == ["user", "assistant", "user"]
    assert messages[1:] == [("assistant", [block("hello")]), ("user", [block("Please continue.")])]
    assert said(turn(Role.USER, Text(" ")), is_judged=True)[0][0] == "user"


def test_ids_of_other_vendors_fit_in_calls_and_results_alike() -> None:
    turns = (HI, turn(Role.ASSISTANT, Call("call|1", "f", '{"a')), turn(Role.USER, Result("call|1", is_error=True)))
    _, (_, [call]), (_, [result]) = said(*turns, tools=(TOOL,))
    assert call["id"] == result["tool_use_id"]
    assert call["input"] == {"_raw_arguments": '{"a'}
    assert result["is_error"] is True


def test_only_native_seals_go_back() -> None:
    parts = (
        Reasoning(("foreign",), Seal(SealKind.OPAQUE, "o")),
        Reasoning(("bare",)),
        Reasoning(("ours",), Seal(SealKind.SIGNATURE, "brg1.x")),
        Reasoning(("one", "two"), Seal(SealKind.SIGNATURE, "sig")),
        Text("t"),
        Reasoning((), Seal(SealKind.REDACTED, "data")),
        Text("u"),
    )
    assert said(HI, turn(Role.ASSISTANT, *parts), HI, is_judged=False)[1] == (
        "assistant",
        [
            {"type": "thinking", "thinking": "one\n\ntwo", "signature": "sig"},
            block("t"),
            {"type": "redacted_thinking", "data": "data"},
            block("u"),
        ],
    )


def test_images_and_documents_are_written_or_noted() -> None:
    pdf = base64.b64encode(b"%PDF-1.4").decode()
    body, dropped = written(
        turn(
            Role.USER,
            Image("image/png", PNG),
            Image(url=f"data:image/png;base64,{PNG}"),
            Image(url="https://example.com/a.png"),
            Image(file_id="f"),
            Document(media_type="application/pdf", data=pdf, title="T", cites=True),
            Document(text="words", title="T"),
            Document(media_type="text/csv", data="YSxi"),
            Document(media_type="application/zip", data="UEs="),
            Document(url="https://example.com/a.pdf"),
        )
    )
    kinds = [each["type"] for each in body["messages"][0]["content"]]
    assert kinds == ["image", "image", "text", "text", "document", "text", "text", "text", "text"]
    content = body["messages"][0]["content"]
    assert (content[4]["title"], content[4]["citations"]) == ("T", {"enabled": True})
    assert [content[5]["text"], content[6]["text"]] == ["Document: T\n\nwords", "a,b"]
    assert dropped == ("image_url", "file_id", "document", "document_url")


def test_refusals_searches_and_digests_become_words() -> None:
    parts = (Refusal("no"), Search("s", "q", (Source("u", "T"),)), Compaction(text="short"), Compaction("cipher"))
    messages = said(HI, turn(Role.ASSISTANT, *parts), HI)
    assert [each["text"] for each in messages[1][1]] == [
        "no",
        "[Searched the web for: q]\n[Web search results]\n- T: u",
        "[What was said before, in short]\nshort",
    ]
    assert written(HI, turn(Role.ASSISTANT, *parts), HI)[1] == ("compaction",)


def test_the_oldest_of_too_many_images_give_way() -> None:
    image = Image("image/png", PNG)
    call, result = Call("t", "f", "{}"), Result("t", (image, Text("x")))
    turns = (turn(Role.USER, image), turn(Role.ASSISTANT, call), turn(Role.USER, result, image))
    body, dropped = written(*turns, tools=(TOOL,), known={"max_images": 1})
    assert json.dumps(body).count('"type": "image"') == 1
    assert body["messages"][2]["content"][-1]["type"] == "image"
    assert dropped == ("image",)


def test_tools_and_their_choice_are_written() -> None:
    tools = (TOOL, Tool("g", strict=True))
    body, dropped = written(tools=tools, tool_choice=ToolChoice(Choice.NAMED, "g"), parallel_calls=False)
    assert body["tools"] == [
        {"name": "f", "description": "d", "input_schema": {"type": "object"}},
        {"name": "g", "input_schema": {"type": "object", "properties": {}}, "cache_control": MARK},
    ]
    assert body["tool_choice"] == {"type": "tool", "name": "g", "disable_parallel_tool_use": True}
    assert dropped == ("strict",)


@pytest.mark.parametrize(
    ("choice", "parallel", "wire"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (Choice.AUTO, None, {"type": "auto"}),
        (Choice.REQUIRED, None, {"type": "any"}),
        (Choice.NONE, False, {"type": "none"}),
    ],
)
def test_choices_are_written(choice: Choice | None, parallel: bool | None, wire: dict[str, Any] | None) -> None:
    wanted = ToolChoice(choice) if choice is not None else None
    assert written(tools=(TOOL,), tool_choice=wanted, parallel_calls=parallel)[0].get("tool_choice") == wire
    assert "tool_choice" not in written(tool_choice=wanted, parallel_calls=parallel)[0]


@pytest.mark.parametrize(
    ("model", "wish", "thinking", "effort"),
    [
        (NAME, ReasoningWish(), None, None),
        (NAME, ReasoningWish(effort="high"), {"type": "enabled", "budget_tokens": 12_000}, None),
        (NAME, ReasoningWish(effort="minimal"), {"type": "enabled", "budget_tokens": 2048}, None),
        (NAME, ReasoningWish(effort="none"), {"type": "disabled"}, None),
        ("claude-opus-4.7", ReasoningWish(effort="minimal"), {"type": "adaptive", "display": "summarized"}, "low"),
        (
            "claude-opus-4.7",
            ReasoningWish(effort="xhigh", summary="auto"),
            {"type": "adaptive", "display": "summarized"},
            "xhigh",
        ),
        ("claude-opus-4.7", ReasoningWish(budget=9000), {"type": "adaptive", "display": "summarized"}, "medium"),
        ("claude-opus-4.7", ReasoningWish(thinking=Thinking.DISABLED, effort="low"), {"type": "disabled"}, None),
        (
            "claude-opus-4.7",
            ReasoningWish(effort="low", summary="omitted"),
            {"type": "adaptive", "display": "omitted"},
            "low",
        ),
    ],
)
def test_the_wish_to_think_is_written_for_the_model(
    model: str, wish: ReasoningWish, thinking: dict[str, Any] | None, effort: str | None
) -> None:
    body, dropped = written(model=model, reasoning=wish)
    assert dropped == ()
    assert body.get("thinking") == thinking
    assert body.get("output_config", {}).get("effort") == effort


def test_limits_come_from_the_caller_or_the_model() -> None:
    assert written(max_output=100)[0]["max_tokens"] == 100
    assert written(max_output=10**9)[0]["max_tokens"] == 16_000
    body = json.loads(write_request(Prompt(turns=(HI,)), Target("m")).body)
    assert body["max_tokens"] == 16_000


def test_sampling_is_held_to_what_the_format_knows() -> None:
    sampling = Sampling(temperature=1.7, top_k=4, presence_penalty=0.5, seed=7, logit_bias={"1": 1})
    body, dropped = written(sampling=sampling, top_logprobs=0, verbosity="low", stop=("a", "\n"))
    assert (body["temperature"], body["top_k"], body["stop_sequences"]) == (1, 4, ["a"])
    assert set(dropped) == {"presence_penalty", "seed", "logit_bias", "logprobs", "verbosity", "stop", "temperature"}


def test_what_was_dropped_before_is_named_as_well() -> None:
    assert written(dropped=("container",), sampling=Sampling(seed=1))[1] == ("container", "seed")


def test_structured_output_is_a_setting_or_an_instruction() -> None:
    schema = {"type": "object", "properties": {"title": {"type": "string"}}}
    body, _ = written(output=OutputWish(schema, "n", strict=True))
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": schema}}
    body, _ = written(output=OutputWish(schema), known={"structured_outputs": False})
    assert '"title"' in body["system"][0]["text"]
    body, _ = written(output=OutputWish(), system=(Text("s"),))
    assert [each["text"][:6] for each in body["system"]] == ["s", "Answer"]


def test_a_web_search_that_cannot_be_made_is_said_and_named() -> None:
    body, dropped = written(web_search=WebSearch())
    assert "Web search is not available" in body["system"][0]["text"]
    assert dropped == ("web_search",)


def test_breakpoints_are_set_for_callers_who_know_none() -> None:
    turns = [HI, turn(Role.ASSISTANT, Text("a"))] * 3 + [HI]
    body, _ = written(*turns, tools=(TOOL, TOOL.__class__("g")), system=(Text("s"), Text("t")))
    marked = [
        "cache_control" in each
        for part in (body["tools"], body["system"], *(message["content"] for message in body["messages"]))
        for each in part
    ]
    assert marked == [False, True, False, True, False, False, False, False, True, False, True]


def test_breakpoints_that_the_caller_set_are_kept() -> None:
    parts = [Text(str(number), cache=Cache.ONE_HOUR) for number in range(6)]
    body, _ = written(turn(Role.USER, *parts), system=(Text("s", cache=Cache.USUAL),))
    held = [each.get("cache_control") for each in (*body["system"], *body["messages"][0]["content"])]
    assert held == [MARK, None, None, None, MARK, MARK, MARK]
    body, _ = written(turn(Role.USER, Text("a", cache=Cache.USUAL), Text("b")))
    assert [each.get("cache_control") for each in body["messages"][0]["content"]] == [MARK, None]
