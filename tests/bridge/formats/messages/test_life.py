"""Signs of life in a silence: events that client programs count, and that change nothing of the answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.events import (
    CallHead,
    Finished,
    Head,
    PartClosed,
    PartOpened,
    ReasoningHead,
    Started,
    Stop,
    TextGrew,
    TextHead,
)
from bridge.formats.messages.tap import StreamTap
from bridge.formats.messages.writer import ReplyWriter
from bridge.road import Heading
from bridge.tally import Tally
from tests.bridge.formats.messages.recordings import TEXT, wire
from tests.bridge.formats.messages.upstream import heading_of
from tests.dialects.messages_stream import validated

HEADING = heading_of()
TALLY = Tally(input=5, output=2)


def names_of(body: bytes) -> list[str]:
    return [line.removeprefix("event: ") for line in body.decode().splitlines() if line.startswith("event: ")]


def told(heading: Heading, head: Head, *pieces: str) -> bytes:
    """An answer of one part with a silence before, within and behind it."""
    writer = ReplyWriter(heading)
    out = [writer.write(Started()), writer.keepalive(), writer.keepalive(), writer.write(PartOpened(head))]
    for piece in pieces:
        out += [writer.write(TextGrew(piece)), writer.keepalive()]
    stop = Stop.CALLS if isinstance(head, CallHead) else Stop.END
    out += [writer.write(PartClosed()), writer.keepalive(), writer.write(Finished(stop, None, TALLY))]
    return b"".join(out)


@pytest.mark.parametrize("head", [TextHead(), ReasoningHead(), CallHead("call_1", "look")])
def test_a_silence_changes_nothing_of_an_answer(head: Head) -> None:
    answer = validated(told(HEADING, head, '{"a":', "1}"))
    assert answer.text + answer.reasoning + "".join(call.arguments for call in answer.calls) == '{"a":1}'
    assert answer.counts is not None
    answer.counts.check(TALLY)


def test_the_first_sign_opens_the_message_and_no_ping_stands_for_one() -> None:
    names = names_of(told(HEADING, TextHead(), "Yes"))
    assert names[:3] == ["message_start", "message_delta", "content_block_start"]
    assert "ping" not in names


def test_a_second_try_does_not_open_the_message_again() -> None:
    again = replace(HEADING, started=1)
    assert "message_start" not in names_of(told(again, TextHead(), "Yes"))
    tap = StreamTap(again)
    assert "message_start" not in names_of(tap.feed(wire(TEXT)) + tap.end())


def test_a_silence_changes_nothing_of_a_verbatim_answer() -> None:
    whole = wire(TEXT)
    tap = StreamTap(HEADING)
    out = [tap.keepalive()]
    for at in range(0, len(whole), 40):
        out += [tap.feed(whole[at : at + 40]), tap.keepalive()]
    quiet = StreamTap(HEADING)
    expected = validated(quiet.feed(whole) + quiet.end())
    answer = validated(b"".join(out[:-1]) + tap.end())
    assert (answer.texts, answer.stop, answer.counts) == (expected.texts, expected.stop, expected.counts)


def test_an_upstreams_ping_becomes_a_sign_that_counts() -> None:
    tap = StreamTap(HEADING)
    ping = b'event: ping\ndata: {"type": "ping"}\n\n'
    assert tap.feed(ping) == b""
    tap.feed(wire(TEXT[:4]))
    assert names_of(tap.feed(ping)) == ["content_block_delta"]
