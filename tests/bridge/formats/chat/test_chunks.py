"""One chunk at a time: what each oddity of the upstream becomes."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.formats.chat.chunks import ChunkReader


def a_reader() -> ChunkReader:
    return ChunkReader("asked", 1_700_000_000, "chatcmpl-0123456789abcdef01234567")


def said(reader: ChunkReader, *deltas: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """The delta that a client sees of a chunk with these deltas, one choice each."""
    choices = [{"index": number, "delta": delta} for number, delta in enumerate(deltas)]
    chunk = reader.read({"id": "x", "choices": choices, **rest})
    assert chunk is not None
    delta: dict[str, Any] = chunk["choices"][0]["delta"]
    return delta


def a_call(
    call_id: str | None, name: str | None = None, arguments: str | None = None, index: int = 0
) -> dict[str, Any]:
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    call: dict[str, Any] = {"index": index, "function": function}
    return call if call_id is None else call | {"id": call_id, "type": "function"}


def test_a_chunk_gets_what_the_upstream_left_out() -> None:
    chunk = a_reader().read({"choices": [{"delta": {"content": "a"}}]})
    assert chunk == {
        "id": "chatcmpl-0123456789abcdef01234567",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "asked",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": "a"}, "finish_reason": None}],
    }


@pytest.mark.parametrize("choices", [[], None, [{"delta": {}}], [{"delta": {"content": None, "role": None}}], ["x"]])
def test_a_chunk_without_content_leaves_nothing(choices: object) -> None:
    reader = a_reader()
    assert reader.read({"id": "x", "choices": choices}) is None
    assert not reader.role_sent


def test_all_choices_are_parts_of_one_answer() -> None:
    delta = said(
        a_reader(),
        {"content": "one "},
        {"content": "two", "tool_calls": [a_call("a", "f", "{}")]},
        {"tool_calls": [a_call("b", "g", "{}")]},
    )
    assert delta["content"] == "one two"
    assert [(call["index"], call["id"]) for call in delta["tool_calls"]] == [(0, "a"), (1, "b")]


def test_calls_are_numbered_by_their_ids_and_not_by_the_upstreams_index() -> None:
    reader = a_reader()
    seen = [
        said(reader, {"tool_calls": [call]})["tool_calls"][0]
        for call in (
            a_call("a", "f", index=1),
            a_call(None, arguments="{", index=1),
            a_call("b", "g", "", index=1),
            a_call(None, arguments="}", index=1),
            a_call("a", arguments="late", index=7),
        )
    ]
    assert [call["index"] for call in seen] == [0, 0, 1, 1, 0]
    assert seen[0] == {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}
    assert seen[1] == {"index": 0, "function": {"arguments": "{"}}
    assert seen[4] == {"index": 0, "function": {"arguments": "late"}}


@pytest.mark.parametrize("call_id", [None, "", 7])
def test_a_call_without_an_id_gets_one(call_id: object) -> None:
    call = a_call(None, "f", "{}") | {"id": call_id}
    made = said(a_reader(), {"tool_calls": [call]})["tool_calls"][0]
    assert made["id"] == "call_0123456789abcdef01234567_0"
    assert made["function"] == {"name": "f", "arguments": "{}"}


@pytest.mark.parametrize(
    ("reasons", "finish"),
    [
        (["stop"], "stop"),
        (["tool_calls", "stop"], "tool_calls"),
        (["stop", "length"], "length"),
        (["length", "tool_calls"], "length"),
        (["content_filter", "stop"], "content_filter"),
        ([None, ""], None),
        (["error"], "error"),
        (["new_reason"], "stop"),
    ],
)
def test_the_strongest_finish_reason_counts(reasons: list[str | None], finish: str | None) -> None:
    reader = a_reader()
    reader.read({"choices": [{"delta": {}, "finish_reason": reason} for reason in reasons]})
    assert reader.finish_reason == finish


@pytest.mark.parametrize(
    ("said_reason", "finish"), [(None, "tool_calls"), ("stop", "tool_calls"), ("length", "length")]
)
def test_calls_make_tool_calls_of_a_missing_or_plain_end(said_reason: str | None, finish: str) -> None:
    reader = a_reader()
    reader.read({"choices": [{"delta": {"tool_calls": [a_call("a", "f", "{}")]}, "finish_reason": said_reason}]})
    assert reader.finish_reason == finish


def test_usage_is_found_on_any_chunk_and_the_last_word_counts() -> None:
    reader = a_reader()
    reader.read({"choices": [], "usage": {"prompt_tokens": 0, "completion_tokens": 0}})
    reader.read({"choices": [{"delta": {"content": "a"}}], "usage": {"prompt_tokens": 5, "completion_tokens": 1}})
    reader.read({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}})
    reader.read({"choices": [], "usage": None})
    assert (reader.tally.input, reader.tally.output) == (5, 2)


def test_an_errors_words_are_kept() -> None:
    for error, code, message in (
        ({"code": "rate_limited", "message": "Slow."}, "rate_limited", "Slow."),
        ({"type": "overloaded_error"}, "overloaded_error", ""),
        ("boom", "", "boom"),
    ):
        reader = a_reader()
        assert reader.read({"choices": None, "error": error}) is None
        assert reader.failure is not None
        assert (reader.failure.code, reader.failure.message) == (code, message)


def test_log_probabilities_stay_beside_the_delta() -> None:
    logprobs = {"content": [{"token": "a", "logprob": -0.1}]}
    chunk = a_reader().read({"choices": [{"delta": {"content": "a"}, "logprobs": logprobs}]})
    assert chunk is not None
    assert chunk["choices"][0]["logprobs"] == logprobs


def test_unknown_members_of_a_delta_are_passed_on() -> None:
    delta = said(a_reader(), {"content": "x", "copilot_annotations": {"IPCodeCitations": []}, "refusal": None})
    assert delta == {"role": "assistant", "content": "x", "copilot_annotations": {"IPCodeCitations": []}}


def test_findings_about_code_stand_in_no_member_that_clients_know_otherwise() -> None:
    found: dict[str, Any] = {"IPCodeCitations": []}
    delta = said(a_reader(), {"content": "x", "copilot_annotations": found, "annotations": found})
    assert delta == {"role": "assistant", "content": "x", "copilot_annotations": found}
    listed = [{"type": "url_citation", "url_citation": {"url": "u"}}]
    assert said(a_reader(), {"content": "x", "annotations": listed})["annotations"] == listed


def test_a_clients_own_reasoning_name_is_not_overwritten() -> None:
    delta = said(a_reader(), {"reasoning_text": "why", "reasoning_content": "because"})
    assert (delta["reasoning_text"], delta["reasoning_content"]) == ("why", "because")


def test_the_fingerprint_is_kept() -> None:
    chunk = a_reader().read({"choices": [{"delta": {"content": "a"}}], "system_fingerprint": "fp_1"})
    assert chunk is not None
    assert chunk["system_fingerprint"] == "fp_1"


def test_the_time_of_the_first_chunk_counts_unless_it_is_zero() -> None:
    reader = a_reader()
    reader.read({"created": 0, "choices": []})
    assert reader.created == 1_700_000_000
    reader.read({"created": 5, "choices": [{"delta": {"content": "a"}}]})
    reader.read({"created": 6, "choices": [{"delta": {"content": "a"}}]})
    assert reader.created == 5
