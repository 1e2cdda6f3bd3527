"""A Prompt written for a model that speaks Responses, in the habits of its backend."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.formats.responses import read_request, write_request
from bridge.formats.responses.verbatim import open_request
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
from bridge.target import Target, WireProfile

TARGET = Target(model="gpt-5.9", vendor="OpenAI", family="gpt-5.9", efforts=("low", "medium", "high"))
LITE = replace(TARGET, profile=WireProfile.LITE)
FOREIGN = replace(TARGET, family="grok", profile=WireProfile.FOREIGN)
HELLO = (Turn(Role.USER, (Text("Hi"),)),)
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}}


def written(prompt: Prompt, target: Target = TARGET) -> tuple[dict[str, Any], tuple[str, ...]]:
    result = write_request(prompt, target)
    return json.loads(result.body), result.dropped


def items(*parts: Part, role: Role = Role.USER, target: Target = TARGET) -> list[Any]:
    return list(written(Prompt((Turn(role, parts),)), target)[0]["input"])


def test_a_plain_prompt() -> None:
    assert written(Prompt(HELLO, system=(Text("Be brief."), Text("Be kind.")))) == (
        {
            "model": "gpt-5.9",
            "stream": True,
            "store": False,
            "instructions": "Be brief.\n\nBe kind.",
            "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}],
            "reasoning": {"summary": "auto"},
            "include": ["reasoning.encrypted_content"],
        },
        (),
    )


def test_an_answer_of_the_assistant_is_replayed_without_ids() -> None:
    note = Citation("https://a.example/", "A", 0, 2)
    assert items(
        Reasoning(("Hm.",), Seal(SealKind.CIPHERTEXT, "gA")),
        Text("It", (note,), phase="commentary"),
        Refusal("No."),
        Call("c", "ls", "{}", namespace="shell"),
        Call("d", "exec", "ls", CallKind.CUSTOM),
        Text("Done.", phase="final_answer"),
        role=Role.ASSISTANT,
    ) == [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "gA"},
        {
            "type": "message",
            "role": "assistant",
            "phase": "commentary",
            "content": [
                {
                    "type": "output_text",
                    "text": "It",
                    "annotations": [
                        {
                            "type": "url_citation",
                            "start_index": 0,
                            "end_index": 2,
                            "title": "A",
                            "url": "https://a.example/",
                        }
                    ],
                },
            ],
        },
        {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"type": "function_call", "call_id": "c", "name": "ls", "namespace": "shell", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "d", "name": "exec", "input": "ls"},
        {
            "type": "message",
            "role": "assistant",
            "phase": "final_answer",
            "content": [{"type": "output_text", "text": "Done.", "annotations": []}],
        },
    ]


@pytest.mark.parametrize("seal", [None, Seal(SealKind.SIGNATURE, "s"), Seal(SealKind.OPAQUE, "o")])
def test_reasoning_that_this_upstream_did_not_seal_stays_away(seal: Seal | None) -> None:
    assert len(items(Reasoning(("Hm.",), seal), Text("Hi"), role=Role.ASSISTANT)) == 1


def test_the_lite_profile_is_told_which_words_came_before_a_call() -> None:
    out = items(Text("Look."), Call("c", "ls", ""), Text("Done."), role=Role.ASSISTANT, target=LITE)
    assert [item.get("phase") for item in out] == ["commentary", None, "final_answer"]
    assert out[1]["arguments"] == "{}"
    assert "phase" not in items(Text("x", phase="commentary"), role=Role.ASSISTANT, target=FOREIGN)[0]


def test_results_are_texts_or_lists_of_parts() -> None:
    image = Image("image/png", "AAAA")
    picture = {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"}
    outputs = [
        item["output"]
        for item in items(
            Result("a", (Text("x"), Text("y"))),
            Result("b", (Text("x"), image)),
            Result("c"),
            Result("d", (Text("bad"),), is_error=True),
            Result("e", (image,), is_error=True),
            Result("f", (Text("z"),), kind=CallKind.CUSTOM),
        )
    ]
    assert outputs == [
        "x\ny",
        [{"type": "input_text", "text": "x"}, picture],
        "",
        "[ERROR] bad",
        [{"type": "input_text", "text": "[ERROR] "}, picture],
        "z",
    ]


def test_a_foreign_model_gets_images_of_results_in_a_message_behind_them() -> None:
    image = Image(url="https://a.example/a.png", detail="low")
    out = items(Result("a", (Text("x"), image)), Result("b", (image,)), target=FOREIGN)
    assert [item["type"] for item in out] == ["function_call_output", "function_call_output", "message"]
    assert [item["output"] for item in out[:2]] == ["x", ""]
    assert [part["image_url"] for part in out[2]["content"]] == ["https://a.example/a.png"] * 2


@pytest.mark.parametrize(
    ("document", "part"),
    [
        (
            Document("application/pdf", "JVBE", title="a.pdf"),
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"},
        ),
        (
            Document(data="JVBE"),
            {"type": "input_file", "filename": "document.pdf", "file_data": "data:application/pdf;base64,JVBE"},
        ),
        (Document(url="https://a.example/a.pdf"), {"type": "input_file", "file_url": "https://a.example/a.pdf"}),
        (Document(text="Words.", title="Notes"), {"type": "input_text", "text": "Notes\n\nWords."}),
        (Document("text/plain", "V29yZHMu"), {"type": "input_text", "text": "Words."}),
    ],
)
def test_documents_travel_as_files_or_as_text(document: Document, part: dict[str, Any]) -> None:
    assert items(document)[0]["content"] == [part]


def test_files_that_lie_elsewhere_are_named() -> None:
    turn = Turn(Role.USER, (Text("Hi"), Image(file_id="file_1"), Document(file_id="file_2")))
    body, dropped = written(Prompt((turn,)))
    assert body["input"][0]["content"] == [{"type": "input_text", "text": "Hi"}]
    assert dropped == ("file_id",)


def test_a_search_of_the_past_is_told_in_words() -> None:
    search = Search("s", "rain", (Source("https://a.example/"),))
    (item,) = items(search, Search("t"), role=Role.ASSISTANT)
    assert item["content"][0]["text"] == "Searched the web for “rain”: https://a.example/"


def test_a_digest_takes_the_place_of_what_it_stands_for() -> None:
    turns = (*HELLO, Turn(Role.ASSISTANT, (Text("Yes?"), Compaction("gA"), Text("Go on."))))
    body, _ = written(Prompt(turns, system=(Text("Be brief."),)))
    assert [item["type"] for item in body["input"]] == ["compaction", "message"]
    assert body["instructions"] == "Be brief."
    assert items(Compaction(text="Long ago."), role=Role.ASSISTANT)[0]["role"] == "user"


def test_instructions_between_turns_and_alone_are_messages_of_the_developer() -> None:
    later = (*HELLO, Turn(Role.SYSTEM, (Text("Be quick."),)))
    assert written(Prompt(later))[0]["input"][1]["role"] == "developer"
    body, _ = written(Prompt((), system=(Text("Be brief."),)))
    assert "instructions" not in body
    assert body["input"][0]["content"][0]["text"] == "Be brief."


def test_tools_stand_at_the_top_or_in_an_item_by_profile() -> None:
    tools = (
        Tool("ls", "Lists.", SCHEMA),
        Tool("wait", "", None, True, namespace="clock"),
        Tool("patch", kind=CallKind.CUSTOM, grammar="start: x", syntax="lark"),
        Tool("sleep", None, SCHEMA, namespace="clock", namespace_description="unused"),
    )
    listed = [
        {"type": "function", "name": "ls", "description": "Lists.", "parameters": SCHEMA, "strict": False},
        {
            "type": "namespace",
            "name": "clock",
            "description": "No description.",
            "tools": [
                {
                    "type": "function",
                    "name": "wait",
                    "description": "No description.",
                    "parameters": {"type": "object", "properties": {}},
                    "strict": True,
                },
                {"type": "function", "name": "sleep", "parameters": SCHEMA, "strict": False},
            ],
        },
        {
            "type": "custom",
            "name": "patch",
            "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"},
        },
    ]
    search = WebSearch(("a.example",), ("b.example",), {"city": "Wien"}, "low", 3)
    hosted = {
        "type": "web_search",
        "filters": {"allowed_domains": ["a.example"]},
        "user_location": {"type": "approximate", "city": "Wien"},
        "search_context_size": "low",
    }
    prompt = Prompt(HELLO, tools=tools, web_search=search, parallel_calls=False)
    body, dropped = written(prompt)
    assert (body["tools"], body["max_tool_calls"], dropped) == ([*listed, hosted], 3, ("blocked_domains",))
    assert "web_search_call.action.sources" in body["include"]
    body, _ = written(prompt, LITE)
    assert body["tools"] == [hosted]
    assert body["input"][0] == {"type": "additional_tools", "role": "developer", "tools": listed}
    assert body["parallel_tool_calls"] is False
    body, dropped = written(prompt, FOREIGN)
    assert (body["tools"], dropped) == (listed, ("web_search",))
    assert "max_tool_calls" not in body


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        (ToolChoice(Choice.AUTO), "auto"),
        (ToolChoice(Choice.REQUIRED), "required"),
        (ToolChoice(Choice.NAMED, "ls"), {"type": "function", "name": "ls"}),
        (ToolChoice(Choice.NAMED, "x", kind=CallKind.CUSTOM), {"type": "custom", "name": "x"}),
        (
            ToolChoice(Choice.REQUIRED, allowed=("ls",)),
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "ls"}]},
        ),
    ],
)
def test_a_choice_is_written_where_there_are_tools(choice: ToolChoice, sent: Any) -> None:
    assert written(Prompt(HELLO, tools=(Tool("ls"),), tool_choice=choice))[0]["tool_choice"] == sent
    assert "tool_choice" not in written(Prompt(HELLO, tool_choice=choice, parallel_calls=True))[0]


@pytest.mark.parametrize(
    ("wish", "sent"),
    [
        (ReasoningWish(), {"summary": "auto"}),
        (ReasoningWish(effort="max"), {"effort": "high", "summary": "auto"}),
        (ReasoningWish(effort="low", summary="detailed"), {"effort": "low", "summary": "detailed"}),
        (ReasoningWish(thinking=Thinking.ENABLED, budget=8000), {"effort": "medium", "summary": "auto"}),
        (ReasoningWish(thinking=Thinking.ADAPTIVE, summary="summarized"), {"summary": "auto"}),
        (ReasoningWish(thinking=Thinking.ADAPTIVE, summary="omitted"), None),
        (ReasoningWish(thinking=Thinking.DISABLED), {"effort": "low"}),
    ],
)
def test_how_much_to_think_is_asked_in_words_the_model_lists(wish: ReasoningWish, sent: Any) -> None:
    body, dropped = written(Prompt(HELLO, reasoning=wish))
    assert (body.get("reasoning"), dropped) == (sent, ())


def test_thinking_that_is_switched_off_is_none_where_that_is_listed() -> None:
    off = Prompt(HELLO, reasoning=ReasoningWish(thinking=Thinking.DISABLED))
    target = replace(TARGET, efforts=("none", "low"))
    assert written(off, target)[0]["reasoning"] == {"effort": "none"}
    assert "reasoning" not in written(off, replace(TARGET, efforts=None))[0]
    assert written(off, LITE)[0]["reasoning"] == {"effort": "low", "context": "all_turns"}


def test_a_model_that_does_not_think_is_not_asked_to() -> None:
    target = Target(model="gpt-4.1", family="gpt-4.1")
    assert written(Prompt(HELLO), target)[1] == ()
    body, dropped = written(Prompt(HELLO, reasoning=ReasoningWish(effort="high")), target)
    assert "reasoning" not in body
    assert dropped == ("reasoning",)


def test_structured_output_is_a_format_or_an_instruction() -> None:
    wish = OutputWish(SCHEMA, description="An answer.", strict=True)
    form = {"type": "json_schema", "name": "answer", "schema": SCHEMA, "description": "An answer.", "strict": True}
    assert written(Prompt(HELLO, output=wish, verbosity="low"))[0]["text"] == {"format": form, "verbosity": "low"}
    assert written(Prompt(HELLO, output=OutputWish()))[0]["text"] == {"format": {"type": "json_object"}}
    plain = replace(TARGET, structured_outputs=False)
    body, _ = written(Prompt(HELLO, output=wish), plain)
    assert "text" not in body
    assert '"properties"' in body["instructions"]
    assert "JSON object" in written(Prompt(HELLO, output=OutputWish()), plain)[0]["instructions"]


def test_limits_and_sampling() -> None:
    sampling = Sampling(0.2, 1, 40, 0.5, 0, 7, {"50256": -100})
    prompt = Prompt(HELLO, max_output=10, sampling=sampling, top_logprobs=2, stop=("END",))
    body, dropped = written(prompt)
    assert body["max_output_tokens"] == 16
    assert body["top_logprobs"] == 2
    assert "message.output_text.logprobs" in body["include"]
    assert set(dropped) == {"temperature", "top_k", "presence_penalty", "seed", "logit_bias"}
    assert not body.keys() & {"temperature", "top_p", "stop"}
    assert (
        written(Prompt(HELLO, max_output=10**6), replace(TARGET, max_output_tokens=64_000))[0]["max_output_tokens"]
        == 64_000
    )
    open_model = Target(model="gpt-oss", family="gpt-oss", profile=WireProfile.LITE)
    assert written(prompt, open_model)[0]["temperature"] == 0.2


def test_what_the_model_was_found_to_refuse_is_left_out_and_named() -> None:
    target = replace(TARGET, refused=frozenset({"max_tool_calls", "input", "tools"}))
    prompt = Prompt(HELLO, web_search=WebSearch(max_uses=2))
    body, dropped = written(prompt, target)
    assert "max_tool_calls" not in body
    assert body["tools"] == [{"type": "web_search"}]
    assert dropped == ("max_tool_calls",)


def test_the_conversation_has_a_key_for_the_cache() -> None:
    target = replace(TARGET, cache_key="ours")
    assert written(Prompt(HELLO), target)[0]["prompt_cache_key"] == "ours"
    assert written(Prompt(HELLO, cache_key="theirs"), target)[0]["prompt_cache_key"] == "theirs"
    assert len(written(Prompt(HELLO, cache_key="k" * 99), target)[0]["prompt_cache_key"]) == 64


def test_a_long_call_id_is_shortened_in_the_call_and_in_its_result() -> None:
    call_id = "toolu_" + "x" * 90
    turns = (Turn(Role.ASSISTANT, (Call(call_id, "ls", "{}"),)), Turn(Role.USER, (Result(call_id),)))
    call, output = written(Prompt(turns))[0]["input"]
    assert call["call_id"] == output["call_id"]
    assert len(call["call_id"]) <= 64


_texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
_names = st.from_regex(r"[a-z_]{1,20}", fullmatch=True)
_words = st.builds(Text, _texts)
_images = st.one_of(
    st.just(Image("image/png", "AAAA", detail="high")), st.just(Image(url="https://a.example/", detail="auto"))
)
_files = st.just(Document("application/pdf", "JVBE", title="a.pdf"))
_kinds = st.sampled_from(CallKind)
_said: list[st.SearchStrategy[Part]] = [
    st.builds(Text, _texts, phase=st.sampled_from(["", "commentary"])),
    st.builds(Refusal, _texts),
    st.builds(Call, _names, _names, _texts, _kinds, st.one_of(st.just(""), _names)),
    st.builds(
        Reasoning, st.lists(_texts, max_size=2).map(tuple), st.builds(Seal, st.just(SealKind.CIPHERTEXT), _texts)
    ),
]
_results = st.builds(
    Result, _names, st.one_of(_words.map(lambda text: (text,)), st.tuples(_words, _images)), kind=_kinds
)
_user_turns = st.one_of(
    st.lists(st.one_of(_words, _images, _files), min_size=1, max_size=3), st.lists(_results, min_size=1, max_size=1)
)
_tools = st.one_of(
    st.builds(Tool, _names, st.one_of(st.none(), _texts), st.just(SCHEMA), st.booleans()),
    st.builds(Tool, _names, _texts, kind=st.just(CallKind.CUSTOM), grammar=_texts, syntax=st.just("regex")),
)


@st.composite
def _prompts(draw: st.DrawFn) -> Prompt:
    turns: list[Turn] = []
    for _ in range(draw(st.integers(1, 3))):
        turns.append(Turn(Role.USER, tuple(draw(_user_turns))))
        turns.append(Turn(Role.ASSISTANT, tuple(draw(st.lists(st.one_of(_said), min_size=1, max_size=3)))))
    return Prompt(
        turns=tuple(turns),
        system=tuple(draw(st.lists(_words, max_size=1))),
        tools=tuple(draw(st.lists(_tools, max_size=3))),
        max_output=draw(st.one_of(st.none(), st.integers(16, 9999))),
        reasoning=ReasoningWish(effort=draw(st.sampled_from(["low", "high"])), summary="auto"),
        output=draw(st.sampled_from([None, OutputWish(), OutputWish(SCHEMA, "n", "d", True)])),
        verbosity=draw(st.sampled_from(["", "low"])),
        top_logprobs=draw(st.sampled_from([None, 0, 3])),
        cache_key=draw(st.sampled_from(["", "key"])),
    )


@given(_prompts())
def test_what_is_written_is_read_back(prompt: Prompt) -> None:
    assert read_request(open_request(write_request(prompt, TARGET).body)) == prompt
