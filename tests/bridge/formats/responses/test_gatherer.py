"""The unstreamed answer: what the stream ends in."""

from __future__ import annotations

import pytest

from bridge.errors import BrokenStream, Exhausted
from bridge.formats.responses.verbatim import Gatherer, StreamTap
from tests.bridge.formats.responses.recordings import MODEL, Upstream, heading, message, thoughtful
from tests.dialects.failures import openai_failure
from tests.dialects.responses_stream import whole_response


def test_the_whole_answer_is_the_response_that_the_stream_ends_in() -> None:
    stream = thoughtful().wire()
    gatherer, tap = Gatherer(heading(stream=False)), StreamTap(heading())
    assert gatherer.feed(stream) == b""
    assert (gatherer.done, gatherer.begun, gatherer.stop_reason) == (True, True, "completed")
    body = gatherer.end()
    tap.feed(stream)
    tap.end()
    assert body == gatherer.response_object == tap.response_object
    answer = whole_response(body, model=MODEL)
    assert answer.counts is not None
    answer.counts.check(gatherer.tally)
    assert gatherer.counted
    assert gatherer.output_bytes == tap.output_bytes
    assert gatherer.dropped == ()


def test_half_an_answer_is_never_passed_off_as_a_whole_one() -> None:
    gatherer = Gatherer(heading())
    gatherer.feed(message(Upstream().begin(), 0).wire())
    with pytest.raises(BrokenStream):
        gatherer.end()


def test_a_failure_is_an_error_body() -> None:
    gatherer = Gatherer(heading())
    gatherer.feed(Upstream().begin().frame("error", code="x", message="No.").wire())
    assert gatherer.failure is not None
    body = gatherer.fail(Exhausted("Gone."), "Gone.")
    assert openai_failure(body, 429).code == "insufficient_quota"
    assert gatherer.keepalive() == b""
