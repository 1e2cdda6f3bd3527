"""Which checker belongs to which dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from bridge.dialect import Dialect
from tests.dialects import chat_stream, messages_stream, responses_stream
from tests.dialects.answer import Answer, Failure
from tests.dialects.failures import messages_failure, openai_failure


class _OfStream(Protocol):
    def __call__(self, body: bytes, *, model: str | None = None, json_arguments: bool = True) -> Answer: ...


class _OfFailure(Protocol):
    def __call__(self, body: bytes, *, model: str | None = None) -> Failure: ...


@dataclass(frozen=True, slots=True)
class Checker:
    """`stream` and `broken_stream` take what a client got of a stream, `whole` an unstreamed answer, `error` an error
    body with its status.
    """

    stream: _OfStream
    broken_stream: _OfFailure
    whole: _OfStream
    error: Callable[[bytes, int | None], Failure]


def _chat_with_usage(body: bytes, *, model: str | None = None, json_arguments: bool = True) -> Answer:
    return chat_stream.validated(body, include_usage=True, model=model, json_arguments=json_arguments)


CHECKERS: Mapping[Dialect, Checker] = {
    Dialect.CHAT: Checker(_chat_with_usage, chat_stream.validated_failure, chat_stream.whole_chat, openai_failure),
    Dialect.RESPONSES: Checker(
        responses_stream.validated, responses_stream.validated_failure, responses_stream.whole_response, openai_failure
    ),
    Dialect.MESSAGES: Checker(
        messages_stream.validated, messages_stream.validated_failure, messages_stream.whole_message, messages_failure
    ),
}
