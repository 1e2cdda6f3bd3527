"""A model behind each upstream format, so that every door crosses to every format."""

from __future__ import annotations

import pytest

# Each of them is offered in one format alone.
MODEL_OF = {"chat": "gemini-3.8-flash", "responses": "gpt-5.6-terra", "messages": "claude-opus-5.5"}

every_upstream = pytest.mark.parametrize("upstream", MODEL_OF)

QUESTION = "What is a monad?"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}},
    "required": ["city", "degrees"],
    "additionalProperties": False,
}
CITY: dict[str, object] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
