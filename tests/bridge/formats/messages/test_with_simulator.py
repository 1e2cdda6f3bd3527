"""Messages against the simulator: the whole way of a request and its reply, verbatim and over the hub."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bridge.asked import Written
from bridge.assembly import Reply, collect
from bridge.errors import BrokenStream
from bridge.formats.messages import ReplyReader, ReplyWriter, read_request, write_request
from bridge.formats.messages.verbatim import Gatherer, StreamTap, edit_request, open_request
from tests.bridge.formats.messages.upstream import body_of, heading_of, target_of
from tests.bridge.grammar import check
from tests.dialects.answer import Answer
from tests.dialects.messages_stream import validated, whole_message
from tests.simulator.server import SimulatorServer
from tests.simulator_tests.asking import MESSAGES_WEATHER, Asker, sim_words, user

NAME = "claude-sonnet-4.6"
THINKING = {"type": "adaptive"}
CASES: dict[str, dict[str, Any]] = {
    "text": {},
    "thinking and a call": {"thinking": THINKING, "tools": [MESSAGES_WEATHER], "messages": [user("weather in Paris?")]},
    "sealed thinking": {"thinking": THINKING, "messages": [user("hi" + sim_words(reasoning="redacted"))]},
    "citations of code": {"messages": [user("hi" + sim_words(annotations=True))]},
    "a trailing DONE": {"messages": [user("hi" + sim_words(done=True))]},
    "CRLF in small packets": {"messages": [user("hi" + sim_words(crlf=True, cut_bytes=7))]},
    "no stop reason": {"messages": [user("hi" + sim_words(finish="missing"))]},
    "no content": {"messages": [user("hi" + sim_words(empty=True))]},
    "pings": {"messages": [user("hi" + sim_words(keepalive=True))]},
    "too short": {"max_tokens": 3},
    "parallel calls": {"tools": [MESSAGES_WEATHER], "messages": [user("weather?" + sim_words(calls=3))]},
}


@pytest.fixture(scope="module")
def asker() -> Iterator[Asker]:
    with SimulatorServer() as sim, httpx.Client(trust_env=False, timeout=10) as client:
        yield Asker(sim, client)


def ask(asker: Asker, written: Written) -> list[bytes]:
    """The packets of the reply, as they came over the wire."""
    url = f"{asker.sim.copilot_url}/v1/messages"
    with asker.client.stream("POST", url, content=written.body, headers=asker.headers) as answer:
        packets = list(answer.iter_raw())
    assert answer.status_code == 200, b"".join(packets)
    return packets


def called(answer: Answer) -> list[tuple[str, str, Any]]:
    return [(call.id, call.name, json.loads(call.arguments)) for call in answer.calls]


def tapped(packets: list[bytes]) -> Answer:
    tap = StreamTap(heading_of())
    answer = validated(b"".join([tap.feed(packet) for packet in packets]) + tap.end(), model="sonnet")
    assert answer.counts is not None
    answer.counts.check(tap.tally)
    assert tap.tally.nano
    return answer


def collected(packets: list[bytes]) -> Reply:
    reader = ReplyReader()
    return collect(check([*(event for packet in packets for event in reader.feed(packet)), *reader.end()]))


def translated(packets: list[bytes]) -> Answer:
    reader, writer = ReplyReader(), ReplyWriter(heading_of())
    events = [*(event for packet in packets for event in reader.feed(packet)), *reader.end()]
    return validated(b"".join(writer.write(event) for event in events), model="sonnet")


def gathered(packets: list[bytes]) -> Answer:
    gatherer = Gatherer(heading_of(stream=False))
    for packet in packets:
        gatherer.feed(packet)
    return whole_message(gatherer.end(), model="sonnet")


@pytest.mark.parametrize("case", CASES)
def test_every_way_of_a_reply_says_the_same(case: str, asker: Asker) -> None:
    packets = ask(asker, edit_request(open_request(body_of(**CASES[case])), target_of(NAME)))
    one, other, whole = tapped(packets), translated(packets), gathered(packets)
    for answer in (other, whole):
        assert (answer.text, answer.reasoning, answer.stop) == (one.text, one.reasoning, one.stop)
        assert (called(answer), answer.seals, answer.counts) == (called(one), one.seals, one.counts)
    reply = collected(packets)
    assert one.counts is not None
    one.counts.check(reply.tally)


def test_thinking_is_taken_back_on_the_next_turn_by_both_ways(asker: Asker) -> None:
    members: dict[str, Any] = dict(CASES["thinking and a call"])
    first = gathered(ask(asker, edit_request(open_request(body_of(**members)), target_of(NAME))))
    kinds = [block["type"] for block in first.whole["content"]]
    assert (kinds[0], kinds[-1]) == ("thinking", "tool_use")
    result = {"type": "tool_result", "tool_use_id": first.calls[0].id, "content": "sunny, 31 degrees"}
    history = [{"role": "assistant", "content": first.whole["content"]}, {"role": "user", "content": [result]}]
    members["messages"] = [*members["messages"], *history]
    asked = open_request(body_of(**members))
    for written in (edit_request(asked, target_of(NAME)), write_request(read_request(asked), target_of(NAME))):
        assert "31 degrees" in tapped(ask(asker, written)).text
        sent = json.loads(written.body)["messages"][1]["content"][0]
        assert sent == first.whole["content"][0]


@pytest.mark.parametrize("fault", ["clean_eof:2", "error_event:2"])
def test_a_reply_that_breaks_off_is_never_passed_off_as_whole(fault: str, asker: Asker) -> None:
    members = {"messages": [user("tell me more" + sim_words(fault=fault, chunks=6))]}
    packets = ask(asker, edit_request(open_request(body_of(**members)), target_of(NAME)))
    for road in (StreamTap(heading_of()), Gatherer(heading_of())):
        for packet in packets:
            road.feed(packet)
        assert road.begun
        assert (road.failure is not None) == fault.startswith("error")
        with pytest.raises(BrokenStream):
            road.end()
