"""How a stream ends, and what it used."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.errors import BrokenStream
from bridge.events import Failed
from bridge.formats.responses.ending import Ending
from bridge.tally import Tally
from tests.bridge.formats.responses.recordings import BILL, USAGE

BLOCKED = [{"blocked": True, "type": "TextCopyright"}]


def read(*frames: dict[str, Any]) -> Ending:
    ending = Ending()
    for frame in frames:
        ending.read(json.dumps(frame).encode())
    return ending


def terminal(status: str = "completed", **members: Any) -> dict[str, Any]:
    return {"type": f"response.{status}", "response": {"status": status, "usage": USAGE, **members}}


def test_the_bill_of_copilot_is_laid_over_the_usage() -> None:
    assert read(terminal()).tally == Tally(input=400, cached=1000, cache_write=100, output=80, reasoning=30)
    billed = read(terminal() | {"copilot_usage": BILL})
    assert billed.tally == Tally(400, 1000, 100, 80, 30, nano=155_000_000)
    assert billed.counted
    assert read(terminal(copilot_usage=BILL)).tally.nano == 155_000_000


def test_reasoning_is_never_more_than_the_output() -> None:
    details = {"output_tokens_details": {"reasoning_tokens": 26}}
    assert read(terminal(usage={"output_tokens": 20, **details})).tally.reasoning == 20
    bill = {"token_details": [{"token_type": "output", "token_count": 7}]}
    assert read(terminal(usage={"output_tokens": 20, **details}) | {"copilot_usage": bill}).tally.reasoning == 7


def test_an_answer_without_usage_is_not_counted() -> None:
    assert not read(terminal(usage=None)).counted


@pytest.mark.parametrize("value", [None, -5, "many", 1e300, True])
def test_counts_that_are_none_do_not_break_a_request(value: object) -> None:
    usage = {"input_tokens": value, "input_tokens_details": value, "output_tokens": 7, "output_tokens_details": None}
    tally = read(terminal(usage=usage)).tally
    assert (tally.output, tally.cached) == (7, 0)
    assert tally.input in (0, 1)


def test_an_incomplete_answer_says_why() -> None:
    cut = read(terminal("incomplete", incomplete_details={"reason": "max_output_tokens"}))
    assert (cut.status, cut.reason, cut.stop_reason) == ("incomplete", "max_output_tokens", "max_output_tokens")
    assert read(terminal("incomplete", incomplete_details=None)).reason == "max_output_tokens"


@pytest.mark.parametrize(
    "frame", [terminal(content_filters=BLOCKED), terminal() | {"content_filters": BLOCKED}], ids=["inside", "beside"]
)
def test_a_blocked_answer_is_incomplete_whatever_it_calls_itself(frame: dict[str, Any]) -> None:
    ending = read(frame)
    assert (ending.status, ending.reason) == ("incomplete", "content_filter")


def test_filters_that_blocked_nothing_change_nothing() -> None:
    assert read(terminal(content_filters=[{"blocked": False}, "odd"])).status == "completed"


def test_a_failure_with_its_cause_is_one_at_once() -> None:
    ending = read(terminal("failed", error={"code": "server_error", "message": "Sorry."}))
    assert ending.failure == Failed("Sorry.", "server_error")
    assert (ending.is_over, ending.stop_reason) == (True, "failed")


@pytest.mark.parametrize(
    "error",
    [
        {"type": "error", "code": "rate_limited", "message": "Slow down."},
        {"type": "error", "error": {"code": "rate_limited", "message": "Slow down.", "type": "x"}},
        {"type": "response.error", "error": {"code": "rate_limited", "message": "Slow down."}},
    ],
    ids=["flat", "nested", "prefixed"],
)
def test_a_failure_without_a_cause_waits_for_the_error_behind_it(error: dict[str, Any]) -> None:
    ending = read(terminal("failed", error=None))
    assert not ending.is_over
    ending.read(json.dumps(error).encode())
    assert ending.failure == Failed("Slow down.", "rate_limited")


def test_a_failure_that_never_says_its_cause_is_a_broken_stream() -> None:
    with pytest.raises(BrokenStream, match="without saying why"):
        read(terminal("failed", error=None)).close()


def test_an_answer_that_never_ended_is_a_broken_stream() -> None:
    with pytest.raises(BrokenStream, match="in the middle"):
        Ending().close()


def test_a_cancelled_answer_has_failed() -> None:
    assert read(terminal("cancelled")).failure == Failed("The upstream cancelled the answer.", "cancelled")


def test_an_error_without_words_still_is_one() -> None:
    assert read({"type": "error", "message": None, "code": 7}).failure == Failed("The upstream failed.", "")


@pytest.mark.parametrize("data", [b"[]", b"nonsense", b'{"type":"response.completed","response":7}'])
def test_what_is_no_ending_is_a_broken_stream(data: bytes) -> None:
    with pytest.raises(BrokenStream):
        Ending().read(data)


def test_a_whole_body_ends_the_same() -> None:
    ending = Ending()
    ending.read_body(json.dumps({"status": "completed", "usage": USAGE, "copilot_usage": BILL}).encode())
    assert (ending.status, ending.tally.nano) == ("completed", 155_000_000)
    failed = Ending()
    failed.read_body(b'{"error":{"message":"No.","code":"bad"}}')
    assert failed.failure == Failed("No.", "bad")
