"""A request edited for a model that speaks Responses: what stays, what goes, and what is said to be gone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bridge.asked import Written
from bridge.errors import BadRequest
from bridge.formats.responses.verbatim import edit_request
from bridge.target import Target, WireProfile
from tests.bridge.formats.responses.recordings import asked

TARGET = Target(model="gpt-5.9", vendor="OpenAI", family="gpt-5.9", efforts=("low", "medium", "high"))
LITE = replace(TARGET, profile=WireProfile.LITE)
FOREIGN = replace(TARGET, model="grok-4.7", vendor="xAI", family="grok", profile=WireProfile.FOREIGN)
FUNCTION = {"type": "function", "name": "read", "description": "Reads.", "parameters": {"type": "object"}}


def edited(target: Target = TARGET, **members: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    written = edit_request(asked(**members), target)
    return json.loads(written.body), written.dropped


def test_a_plain_request_only_gets_what_every_request_needs() -> None:
    body, dropped = edited(instructions="Be brief.", text={"verbosity": "low"}, truncation="auto")
    assert body == {
        "model": "gpt-5.9",
        "input": "Hi",
        "stream": True,
        "instructions": "Be brief.",
        "text": {"verbosity": "low"},
        "truncation": "auto",
        "store": False,
        "include": ["reasoning.encrypted_content"],
    }
    assert dropped == ()


def test_members_that_need_no_edit_stay_the_bytes_they_were() -> None:
    schema = '{"format": {"type":"json_object"},   "verbosity":"low"}'
    request = asked()
    request.fields["text"] = type(request.fields["input"])(schema.encode())
    written = edit_request(request, TARGET)
    assert isinstance(written, Written)
    assert schema.encode() in written.body


def test_members_that_copilot_refuses_stay_away_and_are_named() -> None:
    body, dropped = edited(
        store=True,
        service_tier="priority",
        metadata={"a": "b"},
        safety_identifier="s",
        prompt={"id": "pmpt_1"},
        previous_response_id="resp_1",
        frobnicate=1,
        user="u" * 65,
    )
    assert set(body) == {"model", "input", "stream", "store", "include"}
    assert body["store"] is False
    assert set(dropped) == {"service_tier", "metadata", "safety_identifier", "prompt", "frobnicate", "user"}


def test_a_member_that_asked_for_nothing_is_left_out_without_a_word() -> None:
    body, dropped = edited(
        service_tier="auto", metadata={}, background=False, conversation=None, stream_options={"include_obfuscation": 0}
    )
    assert set(body) == {"model", "input", "stream", "store", "include"}
    assert dropped == ()


def test_names_of_odd_types_are_no_fault_of_ours() -> None:
    tool = {"type": "namespace", "name": "s", "description": "", "tools": [{"type": {"a": 1}, "name": 7}]}
    members: dict[str, Any] = {"": 1, "include": [{"a": 1}, "usage"], "tools": [tool]}
    body, dropped = edited(**members)
    assert (body["include"], dropped) == (["reasoning.encrypted_content"], ())


def test_a_short_user_is_passed_on() -> None:
    assert edited(user="u" * 64)[0]["user"] == "u" * 64


def test_what_the_model_was_found_to_refuse_is_left_out_and_named() -> None:
    target = replace(TARGET, refused=frozenset({"top_logprobs", "include", "prompt_cache_key"}), cache_key="key")
    body, dropped = edited(target, top_logprobs=3, include=["reasoning.encrypted_content"])
    assert not body.keys() & {"top_logprobs", "include", "prompt_cache_key"}
    assert dropped == ("include", "top_logprobs")


def test_ciphertext_is_always_asked_for_and_unknown_includes_are_not() -> None:
    body, dropped = edited(include=["usage", "message.output_text.logprobs", "code_interpreter_call.outputs"])
    assert body["include"] == ["message.output_text.logprobs", "reasoning.encrypted_content"]
    assert dropped == ("code_interpreter_call.outputs",)


@pytest.mark.parametrize(("wish", "sent"), [(1, 16), (16, 16), (500, 500), (64_001, 64_000)])
def test_the_output_limit_is_held_within_what_the_model_takes(wish: int, sent: int) -> None:
    body, dropped = edited(replace(TARGET, max_output_tokens=64_000), max_output_tokens=wish)
    assert body["max_output_tokens"] == sent
    assert dropped == ()


@pytest.mark.parametrize(("wish", "sent"), [("none", "low"), ("xhigh", "high"), ("medium", "medium")])
def test_the_effort_is_the_nearest_that_the_model_lists(wish: str, sent: str) -> None:
    body, dropped = edited(reasoning={"effort": wish, "summary": "auto"})
    assert body["reasoning"] == {"effort": sent, "summary": "auto"}
    assert dropped == (() if wish == sent else ("reasoning.effort",))


def test_an_unknown_effort_is_left_out_when_the_model_lists_others() -> None:
    body, dropped = edited(reasoning={"effort": "frantic"})
    assert body["reasoning"] == {}
    assert dropped == ("reasoning.effort",)


def test_a_model_of_which_nothing_is_known_gets_the_effort_as_it_was_asked() -> None:
    assert edited(replace(TARGET, efforts=None), reasoning={"effort": "xhigh"})[0]["reasoning"] == {"effort": "xhigh"}


@pytest.mark.parametrize("target", [replace(TARGET, efforts=()), Target(model="gpt-4.1", family="gpt-4.1")])
def test_a_model_that_does_not_think_is_not_asked_to(target: Target) -> None:
    body, dropped = edited(target, reasoning={"effort": "low"})
    assert "reasoning" not in body
    assert dropped == ("reasoning",)
    assert edited(target, reasoning={"effort": None, "context": "all_turns"})[1] == ()


def test_reasoning_context_and_client_metadata_are_for_the_lite_profile_alone() -> None:
    members: dict[str, Any] = {"reasoning": {"context": "all_turns"}, "client_metadata": {"session_id": "s"}}
    body, dropped = edited(LITE, **members)
    assert (body["reasoning"], body["client_metadata"]) == ({"context": "all_turns"}, {"session_id": "s"})
    for target in (TARGET, FOREIGN):
        body, dropped = edited(target, **members)
        assert (body["reasoning"], body.get("client_metadata"), dropped) == ({}, None, ())


@pytest.mark.parametrize("target", [TARGET, LITE, FOREIGN])
def test_sampling_stays_away_from_models_that_refuse_it(target: Target) -> None:
    body, dropped = edited(target, temperature=0.2, top_p=1)
    assert not body.keys() & {"temperature", "top_p"}
    assert dropped == ("temperature",)


def test_a_model_that_takes_sampling_gets_it() -> None:
    target = Target(model="o-open", family="gpt-oss", profile=WireProfile.LITE)
    assert edited(target, temperature=0.2)[0]["temperature"] == 0.2


def test_a_long_cache_key_is_hashed_and_a_missing_one_is_ours() -> None:
    target = replace(TARGET, cache_key="ours")
    assert edited(target)[0]["prompt_cache_key"] == "ours"
    assert edited(target, prompt_cache_key="theirs")[0]["prompt_cache_key"] == "theirs"
    hashed = edited(target, prompt_cache_key="k" * 65)[0]["prompt_cache_key"]
    assert len(hashed) == 64
    assert hashed == edited(target, prompt_cache_key="k" * 65)[0]["prompt_cache_key"]
    assert hashed != edited(target, prompt_cache_key="k" * 66)[0]["prompt_cache_key"]
    assert "prompt_cache_key" not in edited()[0]


def test_the_lite_profile_gets_its_client_tools_at_the_head_of_the_input() -> None:
    custom = {"type": "custom", "name": "patch"}
    search = {"type": "web_search"}
    body, dropped = edited(LITE, tools=[FUNCTION, search, custom], tool_choice="auto")
    assert body["input"][0] == {"type": "additional_tools", "role": "developer", "tools": [FUNCTION, custom]}
    assert body["input"][1]["content"] == "Hi"
    assert (body["tools"], body["tool_choice"], dropped) == ([search], "auto", ())
    assert "tools" not in edited(LITE, tools=[FUNCTION])[0]


def test_other_profiles_keep_their_tools_at_the_top_and_foreign_models_get_lifted_ones_there() -> None:
    assert edited(tools=[FUNCTION])[0]["tools"] == [FUNCTION]
    lifted = {"type": "additional_tools", "role": "developer", "tools": [FUNCTION, {"type": "web_search"}]}
    history = [lifted, {"role": "user", "content": "Hi"}]
    assert edited(input=history)[0]["input"] == history
    body, dropped = edited(FOREIGN, input=history, tools=[{**FUNCTION, "name": "write"}])
    assert body["input"] == history[1:]
    assert [tool["name"] for tool in body["tools"]] == ["write", "read"]
    assert dropped == ("web_search",)


def test_a_choice_of_a_tool_that_was_taken_out_goes_with_it() -> None:
    hosted = {"type": "image_generation"}
    body, dropped = edited(tools=[FUNCTION, hosted], tool_choice=hosted)
    assert "tool_choice" not in body
    assert set(dropped) == {"image_generation", "tool_choice"}
    body, dropped = edited(tools=[hosted], tool_choice="auto")
    assert not body.keys() & {"tool_choice", "tools"}
    assert dropped == ("image_generation",)
    assert edited(tools=[hosted], tool_choice="required")[1] == ("image_generation", "tool_choice")


def test_a_request_of_which_nothing_is_left_is_refused_here() -> None:
    with pytest.raises(BadRequest) as caught:
        edited(input=[{"type": "item_reference", "id": "rs_1"}])
    assert caught.value.param == "input"
