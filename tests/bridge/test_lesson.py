"""What refusals teach: read from their own words, and from nobody else's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.effort import EFFORTS
from bridge.lesson import Efforts, Lesson, Need, RefusedField, WrongEndpoint, read_lesson
from bridge.target import Repair

STRIP = Need(Repair.STRIP_REASONING)
PAIR = Need(Repair.PAIR_RESULTS)
DESCRIBE = Need(Repair.DESCRIBE_TOOLS)
SEARCH = Need(Repair.DROP_WEB_SEARCH)


@pytest.mark.parametrize(
    ("message", "code", "lesson"),
    [
        ('model "gpt-5.4" is not accessible via the /chat/completions endpoint', "", WrongEndpoint()),
        ("model gpt-4o is not supported via Responses API.", "", WrongEndpoint()),
        ("anything", "unsupported_api_for_model", WrongEndpoint()),
        (
            "Function tools with reasoning_effort are not supported for this model in /v1/chat/completions.",
            "invalid_request_body",
            WrongEndpoint(),
        ),
        ("This model is only supported in v1/responses and not in v1/chat/completions.", "", WrongEndpoint()),
        (
            "Invalid 'tools': array too long. Expected an array with maximum length 128, but got one of 200 instead.",
            "invalid_request_body",
            Need(Repair.FEWER_TOOLS),
        ),
        (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'.",
            "unsupported_parameter",
            RefusedField("max_tokens"),
        ),
        ("Unsupported value: 'temperature' does not support 0.2 with this model.", "", RefusedField("temperature")),
        ("Unknown parameter: 'seed'.", "unknown_parameter", RefusedField("seed")),
        ("bad request: Unknown parameter: 'seed'.", "", RefusedField("seed")),
        ("Unrecognized request argument supplied: logit_bias", "", RefusedField("logit_bias")),
        ("thinking_budget: Extra inputs are not permitted", "", RefusedField("thinking_budget")),
        ("metadata.session: Extra inputs are not permitted", "", RefusedField("metadata")),
        ("Unknown parameter: 'reasoning.context'.", "", RefusedField("reasoning")),
        ("Unknown parameter: 'input[3].foo'.", "unknown_parameter", RefusedField("input[3].foo")),
        (
            "tools.0.custom.eager_input_streaming: Extra inputs are not permitted",
            "",
            RefusedField("tools.0.custom.eager_input_streaming"),
        ),
        ("service_tier is not supported", "unsupported_value", RefusedField("service_tier")),
        ("invalid temperature: only 1 is allowed for this model", "", RefusedField("temperature")),
        (
            "`top_k` must be unset when thinking is enabled or in adaptive mode.",
            "invalid_request_error",
            RefusedField("top_k"),
        ),
        (
            "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
            "",
            RefusedField("top_p"),
        ),
        ("adaptive thinking is not supported on this model", "", RefusedField("thinking")),
        (
            'output_config.effort "xhigh" is not supported by model m-4.6; supported values: [low medium high max]',
            "invalid_reasoning_effort",
            Efforts(("low", "medium", "high", "max")),
        ),
        (
            'reasoning.effort "max" is not supported by model gpt-5; supported values: [low, medium, high]',
            "",
            Efforts(("low", "medium", "high")),
        ),
        (
            "Unsupported value: 'reasoning_effort' does not support 'x'. Supported values are: 'low', and 'high'.",
            "unsupported_value",
            Efforts(("low", "high")),
        ),
        (
            "Invalid value: 'max'. Supported values are: 'none', 'minimal', 'low', 'medium', 'high', and 'xhigh'.",
            "invalid_value",
            Efforts(("none", "minimal", "low", "medium", "high", "xhigh")),
        ),
        ("Unsupported parameter: 'reasoning.effort' is not supported with this model.", "", Efforts(())),
        ("Unrecognized request argument supplied: reasoning_effort", "", Efforts(())),
        ("output_config.effort: Extra inputs are not permitted", "", Efforts(())),
        ("the effort is wrong", "invalid_reasoning_effort", Efforts(())),
        (
            "The encrypted content for item rs_1 could not be verified. Reason: its item_id did not match",
            "invalid_request_body",
            STRIP,
        ),
        ("Encrypted content could not be decrypted or parsed.", "", STRIP),
        ("Encrypted function output content could not be decrypted or decoded.", "", STRIP),
        (
            "`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified.",
            "",
            STRIP,
        ),
        ("messages.1.content.0: Invalid `signature` in `thinking` block", "invalid_request_error", STRIP),
        ("messages.1.content.0.thinking.signature: Field required", "", STRIP),
        (
            "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false.",
            "",
            STRIP,
        ),
        ("input item ID does not belong to this connection", "", STRIP),
        ("Invalid 'input[2].id': 'msg_1'. Expected an ID that begins with 'rs'.", "invalid_value", STRIP),
        ("Item 'rs_1' of type 'reasoning' was provided without its required following item.", "", STRIP),
        (
            "messages.208: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_vrtx_1",
            "invalid_request_body",
            PAIR,
        ),
        ("messages.2.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1.", "", PAIR),
        ("messages.1.content.2: `tool_use` ids must be unique", "", PAIR),
        ("No tool output found for function call call_1.", "", PAIR),
        ("No tool call found for custom tool call output with call_id call_1.", "", PAIR),
        (
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with calls.",
            "",
            PAIR,
        ),
        ("[StringParam] [input[0].tools[0].description] [empty_string]", "invalid_request_body", DESCRIBE),
        ("Invalid 'tools[0].description': empty string. Expected a longer one.", "empty_string", DESCRIBE),
        ("The use of the web search tool is not supported.", "unsupported_value", SEARCH),
        ("The requested tool web_search_preview is not supported.", "unsupported_value", SEARCH),
        (
            "tools.1: Input tag 'web_search_20250305' found using 'type' does not match any of the expected tags",
            "",
            SEARCH,
        ),
    ],
)
def test_what_a_refusal_teaches(message: str, code: str, lesson: Lesson) -> None:
    assert read_lesson(message, code) == lesson


@pytest.mark.parametrize(
    "message",
    [
        "",
        "Bad Request",
        "Unknown parameter: 'messages'.",
        "Unknown parameter: 'model'.",
        "Unsupported value: 'stream' does not support true.",
        "Unsupported parameter: 'tools' is not supported with this model.",
        "Unknown parameter: 'stream_options.include_obfuscation'.",
        "system: Extra inputs are not permitted",
        "Something else is wrong with 'seed'.",
        "Invalid type for 'reasoning_effort'.",
        "reasoning.effort: Input should be a valid string",
        "Invalid value: 'loud'. Supported values are: 'low', 'medium', and 'high'.",
        "Invalid value: 'x'. Supported values are: 'input_text', 'high'.",
        "Invalid value: 'Unknown parameter: 'seed''.",
        "Invalid value: 'The use of the web search tool is not supported.'",
        "I quote: No tool output found for function call c.",
        "The user wrote `tool_use` ids were found without `tool_result` blocks immediately after",
        "max_tokens: Field required",
        "prompt token count of 138898 exceeds the limit of 64000",
        "The requested model is not supported.",
        "Invalid schema for function 'f': schema must be a JSON Schema of 'type: \"object\"'.",
        "This model does not support assistant message prefill. The conversation must end with a user message.",
        "temperature: range: 0..1",
        "`temperature` must be between 0 and 1",
        "seed is not supported",
        "tools.0.custom.description: String should have at least 1 character",
    ],
)
def test_what_only_the_caller_can_mend_teaches_nothing(message: str) -> None:
    assert read_lesson(message, "") is None
    assert read_lesson(message, "invalid_request_body") is None


def test_the_gateways_own_fields_are_never_left_out() -> None:
    assert read_lesson("store is not supported", "unsupported_value") is None


@given(st.text(max_size=80), st.text(max_size=20))
def test_words_without_a_pattern_teach_nothing(message: str, code: str) -> None:
    assert read_lesson(f"Well, {message}", f"x{code}") is None


@given(st.lists(st.sampled_from(EFFORTS), unique=True), st.sampled_from([" ", ", ", "', '", " or "]))
def test_listed_efforts_are_read_in_any_writing(listed: list[str], joint: str) -> None:
    message = f'output_config.effort "odd" is not supported by model m-1.5; supported values: [{joint.join(listed)}]'
    assert read_lesson(message, "") == Efforts(tuple(listed))


def test_only_a_plain_name_is_a_top_level_field() -> None:
    assert RefusedField("seed").is_top_level
    assert not RefusedField("input[3].foo").is_top_level
    assert not RefusedField("tools.0.custom.strict").is_top_level
