"""A Prompt as a body for the upstream: every part, every field, and what is said where there is no field."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from bridge.formats.chat import write_request
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
    Prompt,
    Role,
    Tool,
    Turn,
)
from bridge.target import Target

GPT = Target("gpt-4.1", vendor="Azure OpenAI", family="gpt-4.1", max_output_tokens=16384)
REASONING = Target("gpt-5.2", vendor="OpenAI", family="gpt-5.2", max_output_tokens=128000, efforts=("low", "medium"))
CLAUDE = Target(
    "claude-sonnet-4.5",
    vendor="Anthropic",
    family="claude-sonnet-4.5",
    max_output_tokens=16000,
    min_thinking_budget=1024,
    max_thinking_budget=32000,
)
HELLO = Turn(Role.USER, (Text("Hello"),))
OPAQUE = Seal(SealKind.OPAQUE, "s")
PNG = Image(media_type="image/png", data="AAAA")
F = Tool("f", "d", {"type": "object"})


def written(target: Target = GPT, *turns: Turn, **fields: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    result = write_request(Prompt(turns or (HELLO,), **fields), target)
    body: dict[str, Any] = json.loads(result.body)
    return body, result.dropped


def messages(*turns: Turn, target: Target = GPT, system: tuple[Text, ...] = ()) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = written(target, *turns, system=system)[0]["messages"]
    return listed


def user(*parts: Part) -> Turn:
    return Turn(Role.USER, parts)


def assistant(*parts: Part) -> Turn:
    return Turn(Role.ASSISTANT, parts)


# --- the conversation ----------------------------------------------------------------------------------------


def test_the_upstream_is_always_asked_to_stream_and_to_count() -> None:
    assert written() == (
        {
            "model": "gpt-4.1",
            "messages": [{"role": "user", "content": "Hello"}],
            "stream": True,
            "stream_options": {"include_usage": True},
        },
        (),
    )


def test_the_system_is_one_message_up_to_each_caching_breakpoint() -> None:
    system = (Text("One."), Text("Two.", cache=Cache.ONE_HOUR), Text(""), Text("Three."))
    assert messages(HELLO, system=system)[:2] == [
        {"role": "system", "content": "One.\n\nTwo.", "copilot_cache_control": {"type": "ephemeral"}},
        {"role": "system", "content": "Three."},
    ]


def test_instructions_within_the_conversation_stay_there() -> None:
    assert messages(HELLO, Turn(Role.SYSTEM, (Text("Be brief."),)), HELLO)[1] == {
        "role": "system",
        "content": "Be brief.",
    }


def test_a_user_says_text_and_shows_images() -> None:
    far = Image(url="https://images.example/a.png", detail="low")
    content = messages(user(Text("x", cache=Cache.USUAL), PNG, far))[0]
    assert content == {
        "role": "user",
        "content": [
            {"type": "text", "text": "x"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            {"type": "image_url", "image_url": {"url": "https://images.example/a.png", "detail": "low"}},
        ],
        "copilot_cache_control": {"type": "ephemeral"},
    }


def test_the_calls_of_a_turn_stand_in_one_message_with_its_words_and_thoughts() -> None:
    turn = assistant(
        Reasoning(("Hm.",), OPAQUE), Text("Let me "), Call("a", "f", "{}"), Text("look."), Call("b", "g", '{"x":1}')
    )
    assert messages(turn) == [
        {
            "role": "assistant",
            "content": "Let me look.",
            "reasoning_text": "Hm.",
            "reasoning_opaque": "s",
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "b", "type": "function", "function": {"name": "g", "arguments": '{"x":1}'}},
            ],
        }
    ]
    assert messages(assistant(Call("a", "f", "{}")))[0]["content"] is None


@pytest.mark.parametrize(
    "thought", [Reasoning(("Hm.",)), Reasoning(("Hm.",), Seal(SealKind.SIGNATURE, "sig")), Reasoning()]
)
def test_thoughts_without_the_upstreams_own_seal_stay_at_home(thought: Reasoning) -> None:
    body, dropped = written(GPT, assistant(thought, Text("x")))
    assert (body["messages"], dropped) == ([{"role": "assistant", "content": "x"}], ())
    assert messages(HELLO, assistant(thought), HELLO) == [{"role": "user", "content": "Hello"}] * 2


def test_the_last_seal_counts_and_a_seal_needs_no_words() -> None:
    turn = assistant(Reasoning(("A.",), OPAQUE), Reasoning((), Seal(SealKind.OPAQUE, "t")), Text("x"))
    assert messages(turn)[0] == {
        "role": "assistant",
        "content": "x",
        "reasoning_text": "A.",
        "reasoning_opaque": "t",
    }


def test_results_come_first_each_in_a_message() -> None:
    turn = user(Text("And?"), Result("a", (Text("one"),)), Result("b", (Text("two"), Text("three")), cache=Cache.USUAL))
    assert messages(turn) == [
        {"role": "tool", "tool_call_id": "a", "content": "one"},
        {
            "role": "tool",
            "tool_call_id": "b",
            "content": [{"type": "text", "text": "two"}, {"type": "text", "text": "three"}],
            "copilot_cache_control": {"type": "ephemeral"},
        },
        {"role": "user", "content": "And?"},
    ]


def test_a_failed_call_says_so_in_its_text() -> None:
    contents = [
        messages(user(Result("a", parts, is_error=True)))[0]["content"]
        for parts in ((Text("boom"),), (), (Text("x"), Text("y")))
    ]
    assert contents[:2] == ["[ERROR] boom", "[ERROR] "]
    assert [part["text"] for part in contents[2]] == ["[ERROR] x", "y"]


def test_images_of_results_follow_behind_the_run_of_results() -> None:
    turn = user(Result("a", (PNG,)), Result("b", (Text("x"), PNG), is_error=True), Text("Well?"))
    sent = messages(turn)
    assert [message["role"] for message in sent] == ["tool", "tool", "user", "user"]
    assert sent[0]["content"] == "The result is the image in the next message."
    assert sent[1]["content"] == [{"type": "text", "text": "[ERROR] x"}]
    assert [part["type"] for part in sent[2]["content"]] == ["text", "image_url", "image_url"]


def test_text_documents_are_told_with_their_names_and_others_named_as_lost() -> None:
    body, dropped = written(
        GPT,
        user(
            Document(text="Grüß", title="a.txt", context="Mail."),
            Document(media_type="text/plain", data=base64.b64encode(b"hello").decode()),
            Document(media_type="application/pdf", data="AAAA", title="b.pdf"),
            Result("a", (Document(url="https://docs.example/c.pdf"),)),
        ),
    )
    result, said = body["messages"]
    assert [part["text"] for part in said["content"]] == [
        "Document “a.txt”:\n\nMail.\n\nGrüß",
        "hello",
        "[document b.pdf omitted: this model takes no such file]",
    ]
    assert result["content"] == "[document https://docs.example/c.pdf omitted: this model takes no such file]"
    assert dropped == ("document",)


def test_of_too_many_images_the_oldest_are_left_out() -> None:
    second = Image(media_type="image/png", data="BBBB")
    target = replace(GPT, max_images=1)
    body, dropped = written(target, user(Result("a", (PNG,))), user(second, Text("x")))
    assert body["messages"][0]["content"] == "[image omitted: there are more than the model takes]"
    assert body["messages"][1]["content"][0]["image_url"]["url"].endswith("BBBB")
    assert dropped == ("image_url",)


def test_an_image_that_only_its_vendor_has_is_left_out() -> None:
    body, dropped = written(GPT, user(Image(file_id="file-1")))
    assert "omitted" in body["messages"][0]["content"]
    assert dropped == ("image_url",)


def test_searches_of_the_past_are_told_in_words_unless_they_say_nothing() -> None:
    search = Search("s", "weather", (Source("https://w.example/", "Weather"), Source("https://x.example/")))
    sent = messages(assistant(Search("t"), search, Text("Sunny.")))
    assert sent[0]["content"] == (
        "[Searched the web for “weather”:\n- Weather: https://w.example/\n- https://x.example/: https://x.example/]\n"
        "Sunny."
    )
    assert messages(HELLO, assistant(Search("t"))) == messages(HELLO)


def test_a_digest_in_words_is_said_by_the_user_and_a_sealed_one_named_as_lost() -> None:
    body, dropped = written(GPT, assistant(Compaction(text="So far."), Text("x")), user(Compaction(ciphertext="c")))
    assert body["messages"] == [{"role": "user", "content": "So far."}, {"role": "assistant", "content": "x"}]
    assert dropped == ("compaction",)


def test_refusals_have_a_member_with_openai_and_are_text_elsewhere() -> None:
    turn = assistant(Refusal("No."))
    assert messages(turn) == [{"role": "assistant", "content": None, "refusal": "No."}]
    assert messages(turn, target=CLAUDE) == [{"role": "assistant", "content": "No."}]


def test_ids_and_arguments_are_mended_where_the_model_needs_it() -> None:
    turns = (assistant(Call("call_1", "f", '{"a')), user(Result("call_1", (Text("r"),))))
    kimi = messages(*turns, target=Target("kimi-k3", vendor="Moonshot", family="kimi-k3"))
    assert kimi[0]["tool_calls"][0]["id"] == kimi[1]["tool_call_id"] == "f:0"
    assert json.loads(kimi[0]["tool_calls"][0]["function"]["arguments"]) == {"_raw_arguments": '{"a'}
    assert messages(*turns)[0]["tool_calls"][0]["function"]["arguments"] == '{"a'
