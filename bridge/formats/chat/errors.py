"""Errors of Chat Completions: a body in OpenAI's shape, and the same as the event that ends a stream."""

from __future__ import annotations

from bridge.errors import BridgeError
from bridge.openai_errors import write_openai_error
from bridge.sse import write_data


def write_error(error: BridgeError, sentence: str, request_id: str = "") -> bytes:
    """The body of an error answer; `sentence` is the error's text in the caller's language.

    The format has no place for `request_id`, it stands in the answer's head.
    """
    return write_openai_error(error, sentence)


def write_error_frame(error: BridgeError, sentence: str) -> bytes:
    """The event that ends a stream which failed after its head was sent."""
    return write_data(write_openai_error(error, sentence))
