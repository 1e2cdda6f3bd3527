"""Chat requests, the way out: what reaches the upstream."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.errors import BadRequest
from bridge.formats.chat.verbatim import edit_request, open_request
from bridge.target import Target
from tests.bridge.formats.chat.test_request import HELLO, PLAIN, REASONING, a_body


def written(target: Target = PLAIN, **fields: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    result = edit_request(open_request(a_body(**fields)), target)
    body: dict[str, Any] = json.loads(result.body)
    return body, result.dropped


def test_unknown_fields_pass_byte_for_byte_and_in_their_order() -> None:
    body = (
        b'{ "vendor_extra" : {"b":1.50,  "a":[ 1e3, "\\u00fc" ]},"model":"m","temperature":0.10,'
        b'"messages":[{"role":"user",  "content":"\\u00fc \xe2\x80\xa8","copilot_cache_control":{"type":"ephemeral"}}],'
        b'"stream":false,"seed":12345678901234567890}'
    )
    sent = edit_request(open_request(body), PLAIN).body
    assert sent == (
        b'{"vendor_extra":{"b":1.50,  "a":[ 1e3, "\\u00fc" ]},"model":"gpt-4.1","temperature":0.10,'
        b'"messages":[{"role":"user",  "content":"\\u00fc \xe2\x80\xa8","copilot_cache_control":{"type":"ephemeral"}}],'
        b'"stream":true,"seed":12345678901234567890,"stream_options":{"include_usage":true}}'
    )


def test_the_upstream_is_always_asked_to_stream_and_to_count() -> None:
    body, dropped = written(stream=False, stream_options={"include_usage": False}, n=1)
    assert (body["model"], body["stream"], body["stream_options"]) == ("gpt-4.1", True, {"include_usage": True})
    assert "n" not in body
    assert dropped == ()


def test_writing_leaves_the_request_as_it_was() -> None:
    request = open_request(a_body(n=1, max_tokens=10**9, store=True))
    before = dict(request.fields)
    edit_request(request, REASONING)
    assert request.fields == before


def test_what_is_openais_own_matter_is_dropped_and_named() -> None:
    body, dropped = written(service_tier="flex", store=True, metadata={"a": "b"}, safety_identifier="x")
    assert dropped == ("service_tier", "store", "metadata", "safety_identifier")
    assert not set(dropped) & body.keys()


def test_what_meant_nothing_is_dropped_without_a_word() -> None:
    body, dropped = written(service_tier="auto", store=False, metadata={}, safety_identifier=None)
    assert dropped == ()
    assert not {"service_tier", "store", "metadata", "safety_identifier"} & body.keys()


def test_a_user_longer_than_openai_allows_is_dropped() -> None:
    assert written(user="u" * 64) == (written()[0] | {"user": "u" * 64}, ())
    assert written(user="u" * 65) == (written()[0], ("user",))


def test_newer_families_get_the_newer_name_of_the_limit() -> None:
    body, dropped = written(REASONING, max_tokens=100)
    assert (body["max_completion_tokens"], "max_tokens" in body, dropped) == (100, False, ())
    assert written(REASONING, max_tokens=100, max_completion_tokens=50)[0]["max_completion_tokens"] == 50
    assert written(PLAIN, max_tokens=100)[0]["max_tokens"] == 100


def test_a_learned_refusal_of_the_limit_counts_as_well() -> None:
    body, dropped = written(Target("x", refused=frozenset({"max_tokens"})), max_tokens=100)
    assert (body["max_completion_tokens"], "max_tokens" in body, dropped) == (100, False, ())


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_limit_is_held_to_the_models_own(name: str) -> None:
    assert written(PLAIN, **{name: 10**9})[0][name] == 16384
    assert written(PLAIN, **{name: 16384})[0][name] == 16384
    assert written(Target("x"), **{name: 10**9})[0][name] == 10**9
    assert written(PLAIN, **{name: None})[0][name] is None
    for wrong in (0, -1, "many", 1.5, True):
        with pytest.raises(BadRequest) as caught:
            written(PLAIN, **{name: wrong})
        assert caught.value.param == name


def test_sampling_is_dropped_where_it_is_refused_and_named() -> None:
    body, dropped = written(REASONING, temperature=0.2, top_p=None, seed=1)
    assert dropped == ("temperature",)
    assert not {"temperature", "top_p"} & body.keys()
    assert body["seed"] == 1
    assert written(PLAIN, temperature=0.2) == (written()[0] | {"temperature": 0.2}, ())


def test_what_a_model_was_found_to_refuse_is_dropped_and_named() -> None:
    body, dropped = written(Target("x", refused=frozenset({"seed"})), seed=1)
    assert (dropped, "seed" in body) == (("seed",), False)


@pytest.mark.parametrize(
    ("asked", "efforts", "sent"),
    [
        ("medium", ("low", "medium"), "medium"),
        ("xhigh", ("low", "medium"), "medium"),
        ("none", ("low", "medium"), "low"),
        ("minimal", ("low", "high"), "low"),
        ("max", ("none", "xhigh"), "xhigh"),
        ("ultra", ("low", "medium"), None),
        ("low", (), None),
        ("low", ("turbo",), None),
        ("turbo", ("turbo",), "turbo"),
        ("whatever", None, "whatever"),
    ],
)
def test_an_effort_becomes_the_nearest_that_the_model_lists(
    asked: str, efforts: tuple[str, ...] | None, sent: str | None
) -> None:
    body, dropped = written(Target("x", efforts=efforts), reasoning_effort=asked)
    assert body.get("reasoning_effort") == sent
    assert dropped == (() if asked == sent else ("reasoning_effort",))


def test_an_effort_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(BadRequest) as caught:
        written(REASONING, reasoning_effort=3)
    assert caught.value.param == "reasoning_effort"


def test_a_tool_without_a_description_gets_one() -> None:
    function = {"name": "f", "description": "", "parameters": {"type": "object", "title": ""}}
    body, dropped = written(tools=[{"type": "function", "function": function}])
    assert body["tools"][0]["function"] == function | {"description": "No description."}
    assert dropped == ()


def test_tools_that_need_nothing_pass_byte_for_byte() -> None:
    tools = b'[ {"type":"function","function":{"name":"f","description":"d"}} ]'
    body = b'{"model":"m","messages":[{"role":"user"}],"tools":' + tools + b"}"
    assert b'"tools":' + tools in edit_request(open_request(body), PLAIN).body


@pytest.mark.parametrize("tools", ["", {"": ""}, [""], [{"function": ""}], None])
def test_tools_of_a_strange_shape_are_left_to_the_upstream(tools: object) -> None:
    assert written(tools=tools)[0]["tools"] == tools


@pytest.mark.parametrize("prediction", [{"type": "content", "content": ""}, {"type": "content"}, {"content": []}, None])
def test_an_empty_prediction_is_left_out(prediction: object) -> None:
    assert "prediction" not in written(prediction=prediction)[0]


def test_a_prediction_with_content_stays() -> None:
    prediction = {"type": "content", "content": "x = 1"}
    assert written(prediction=prediction)[0]["prediction"] == prediction


def test_messages_that_need_an_edit_get_it_and_the_others_stay_bytes() -> None:
    body = b'{"model":"m","messages":[{"role":"developer","content":"x"},{"role":"user",  "content":1.50}]}'
    sent = edit_request(open_request(body), Target("claude", vendor="Anthropic")).body
    assert b'"messages":[{"role":"system","content":"x"},{"role":"user",  "content":1.50}]' in sent


def test_images_of_tools_reach_the_model() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}
    body, _ = written(messages=[*HELLO, {"role": "tool", "tool_call_id": "a", "content": [image]}])
    assert [message["role"] for message in body["messages"]] == ["user", "tool", "user"]
    assert body["messages"][2]["content"][1] == image
