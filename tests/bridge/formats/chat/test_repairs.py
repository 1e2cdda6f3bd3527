"""What a refusal tells to leave out."""

from __future__ import annotations

import json

import pytest

from bridge.formats.chat import read_request, refused_field


def a_request(**fields: object) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}], **fields}).encode()


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'.",
            "max_tokens",
        ),
        ("Unsupported value: 'temperature' does not support 0.2 with this model.", "temperature"),
        ("Unknown parameter: 'seed'.", "seed"),
        ("Unrecognized request argument supplied: logit_bias", "logit_bias"),
        ("thinking_budget: Extra inputs are not permitted", "thinking_budget"),
    ],
)
def test_the_field_a_refusal_names_is_found(message: str, field: str) -> None:
    assert refused_field(message, read_request(a_request(**{field: 1}))) == field


@pytest.mark.parametrize(
    "message",
    [
        "Unsupported parameter: 'max_tokens' is not supported with this model.",
        "Unknown parameter: 'messages'.",
        "Unknown parameter: 'model'.",
        "Unsupported value: 'stream' does not support true.",
        "Unsupported parameter: 'tools[0].strict'",
        "messages.0.content: Extra inputs are not permitted",
        "Something else is wrong with 'seed'.",
        "",
    ],
)
def test_nothing_is_left_out_that_is_not_there_not_named_or_needed(message: str) -> None:
    assert refused_field(message, read_request(a_request(seed=1, stream=True))) is None
