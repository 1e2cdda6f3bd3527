"""How a run is shared out and watched, and that it finds what is wrong."""

from __future__ import annotations

import time

import pytest

from bridge.dialect import Dialect
from tests.fuzz.doors import Answered, check
from tests.fuzz.findings import Findings, found
from tests.fuzz.loose import check_loosely, check_loosely_failed
from tests.fuzz.recordings import recorded
from tests.fuzz.runs import Plan, shares_of
from tests.fuzz.streams import StreamCase, run
from tests.fuzz.watch import Hung, Memory, deadline


@pytest.mark.parametrize("jobs", [1, 2, 5])
@pytest.mark.parametrize("kinds", [("streams",), ("doors", "streams", "requests")])
def test_every_case_is_run_once(kinds: tuple[str, ...], jobs: int) -> None:
    shares = shares_of(Plan(1003, "s", kinds, jobs))
    for kind in kinds:
        numbers = [number for share in shares if share.kind == kind for number in share.numbers]
        assert numbers == list(range(len(numbers)))
    assert sum(len(share.numbers) for share in shares) >= 1000
    assert len([share for share in shares if share.kind == "doors"]) == kinds.count("doors")


def _hang(seconds: float) -> None:
    with deadline(seconds):
        while True:
            time.monotonic()


def test_a_case_that_hangs_is_ended() -> None:
    with pytest.raises(Hung):
        _hang(0.05)


def test_a_case_in_time_is_left_alone() -> None:
    with deadline(0.05):
        pass
    time.sleep(0.1)


def test_memory_that_grows_is_seen() -> None:
    memory = Memory()
    held = b"x" * (64 * 1024 * 1024)
    assert memory.growth > 32 * 1024 * 1024
    assert len(held) > 0


def test_the_same_fault_is_reported_once_with_the_case_that_shows_it() -> None:
    findings = Findings()
    for number in (7, 9):
        fault = AssertionError(f"the number {number} at 'x'")
        findings.add(found("streams", "s", number, fault))
    findings.add(found("doors", "s", 1, ValueError("other")))
    report = findings.report()
    assert list(findings.counts.values()) == [2, 1]
    assert "2 × ?  AssertionError: the number 7 at 'x'" in report
    assert "python -m tests.fuzz --only streams --seed s --case 7" in report


def test_recordings_are_good_answers_of_every_dialect() -> None:
    for recording in recorded():
        run(StreamCase(recording.dialect, (recording.stream,)))
        if recording.body:
            run(StreamCase(recording.dialect, (recording.body,), is_whole=True))


JSON = {"x-request-id": "1", "content-type": "application/json"}
ERROR = b'{"error":{"message":"No.","type":"invalid_request_error","param":null,"code":null}}'


@pytest.mark.parametrize(
    ("sentence", "answered"),
    [
        ("a 500", Answered(500, JSON, ERROR)),
        ("a 502", Answered(502, JSON, ERROR)),
        ("no answer", Answered(0, {}, b"")),
        ("no request id", Answered(400, {"content-type": "application/json"}, ERROR)),
        ("of the type 'text/html'", Answered(400, {**JSON, "content-type": "text/html"}, b"<html>")),
        ("not JSON", Answered(400, JSON, b"<html>")),
        ("no 'error'", Answered(400, JSON, b'{"type":"error"}')),
        ("not what the SDK's types say", Answered(200, JSON, b"{}")),
        ("does not end", Answered(200, {**JSON, "content-type": "text/event-stream"}, b": nothing\n\n")),
    ],
)
def test_an_answer_that_is_none_of_the_doors_is_found(sentence: str, answered: Answered) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check(answered, "chat", Dialect.CHAT)


@pytest.mark.parametrize(
    ("sentence", "dialect", "body"),
    [
        ("says nothing", Dialect.CHAT, b": x\n\n"),
        ("does not end", Dialect.CHAT, b'data: {"choices":[]}\n\n'),
        ("finish reasons", Dialect.CHAT, b"data: [DONE]\n\n"),
        ("no event lines", Dialect.CHAT, b"event: x\ndata: {}\n\ndata: [DONE]\n\n"),
        ("the ends are", Dialect.MESSAGES, b'event: ping\ndata: {"type":"ping"}\n\n'),
        ("the event line", Dialect.MESSAGES, b'event: x\ndata: {"type":"ping"}\n\n'),
        ("the number", Dialect.RESPONSES, b'event: x\ndata: {"type":"x","sequence_number":1}\n\n'),
    ],
)
def test_a_stream_of_the_wrong_shape_is_found(sentence: str, dialect: Dialect, body: bytes) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_loosely(dialect, body, is_stream=True)


def test_an_error_behind_a_good_end_is_found() -> None:
    end = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    error = b'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"No."}}\n\n'
    check_loosely_failed(Dialect.MESSAGES, error, "No.")
    with pytest.raises(AssertionError, match="an end before the error"):
        check_loosely_failed(Dialect.MESSAGES, end + error, "No.")
