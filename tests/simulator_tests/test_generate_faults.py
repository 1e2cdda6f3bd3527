"""Faults asked for by a scenario, as a client over TCP sees them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.simulator_tests.asking import Asker, chunks, events, parse, sim_words, text_of, user

if TYPE_CHECKING:
    from tests.simulator.server import SimulatorServer


@pytest.fixture
def asker(sim: SimulatorServer, client: httpx.Client) -> Asker:
    return Asker(sim, client)


def read_until_broken(asker: Asker, path: str, body: dict[str, Any]) -> tuple[bytes, Exception | None]:
    """What arrived of a stream, and what ended it when that was not its proper end."""
    got = b""
    try:
        with asker.client.stream("POST", asker.sim.copilot_url + path, json=body, headers=asker.headers) as response:
            assert response.status_code == 200
            for packet in response.iter_raw():
                got += packet
    except httpx.TransportError as error:
        return got, error
    return got, None


def bodies(**fields: Any) -> list[tuple[str, dict[str, Any], bytes]]:
    question = "tell me about tea" + sim_words(**fields)
    return [
        ("/chat/completions", {"model": "claude-sonnet-4.6", "messages": [user(question)]}, b'"content":"'),
        (
            "/v1/messages",
            {"model": "claude-sonnet-4.6", "max_tokens": 500, "messages": [user(question)]},
            b'"text_delta"',
        ),
        ("/responses", {"model": "gpt-5.4", "input": question}, b'"delta":'),
    ]


@pytest.mark.parametrize(
    ("fault", "error"), [("cut", httpx.ReadError), ("hang_up", httpx.RemoteProtocolError), ("clean_eof", None)]
)
def test_a_stream_breaks_after_so_many_chunks(asker: Asker, fault: str, error: type[Exception] | None) -> None:
    for path, body, mark in bodies(fault=fault, after=3):
        got, broken = read_until_broken(asker, path, {**body, "stream": True})
        assert (type(broken) if broken else None) is error, path
        assert got.count(mark) == 3, path
        assert b"[DONE]" not in got


def test_a_fault_past_the_end_strikes_before_the_closing_events(asker: Asker) -> None:
    for path, body, _ in bodies(fault="clean_eof", after=9999):
        got, _broken = read_until_broken(asker, path, {**body, "stream": True})
        assert b"message_stop" not in got
        assert b"response.completed" not in got
        assert b"finish_reason" not in got


def test_an_error_event_ends_the_stream_in_the_words_of_its_format(asker: Asker) -> None:
    fault = {"fault": "error_event", "after": 2, "code": "model_overloaded", "message": "too busy"}
    chat, messages, responses = (
        parse(read_until_broken(asker, path, {**body, "stream": True})[0]) for path, body, _ in bodies(**fault)
    )
    assert chat[-1].data["choices"] is None
    assert chat[-1].data["error"]["code"] == "model_overloaded"
    assert (messages[-1].name, messages[-1].data["error"]["message"]) == ("error", "too busy")
    assert (responses[-1].name, responses[-1].data["code"]) == ("error", "model_overloaded")


@pytest.mark.parametrize("stream", [True, False])
def test_a_reset_before_the_head_leaves_nothing(asker: Asker, stream: bool) -> None:
    with pytest.raises(httpx.ReadError):
        asker.chat("hello" + sim_words(fault="reset_before_headers"), stream=stream)


def test_a_reset_after_the_head_leaves_the_status(asker: Asker) -> None:
    question = "hello" + sim_words(fault="reset_after_headers")
    got, broken = read_until_broken(
        asker, "/chat/completions", {"model": "gpt-4o", "messages": [user(question)], "stream": True}
    )
    assert (got, type(broken)) == (b"", httpx.ReadError)


@pytest.mark.parametrize("fault", ["cut", "hang_up"])
def test_a_whole_answer_breaks_in_its_middle(asker: Asker, fault: str) -> None:
    for path, body, _ in bodies(fault=fault):
        got, broken = read_until_broken(asker, path, body)
        assert broken is not None, path
        assert len(got) > 100, path


def test_a_stall_is_silence_and_then_the_rest(asker: Asker) -> None:
    start = time.monotonic()
    found = events(asker.chat("hello" + sim_words(fault="stall:0.3", after=2), stream=True))
    assert time.monotonic() - start > 0.3
    assert found[-1].data is None


def test_slow_headers_are_slow(asker: Asker) -> None:
    start = time.monotonic()
    assert asker.chat("hello" + sim_words(fault="slow_headers:0.3")).status_code == 200
    assert time.monotonic() - start > 0.3


def test_bytes_can_come_one_by_one(asker: Asker) -> None:
    question = "hello" + sim_words(fault="one_byte_per_second", seconds=0.0001, text="ok")
    found = chunks(asker.chat(question, "claude-sonnet-4.6", stream=True))
    assert found[0]["choices"][0]["delta"]["content"] == "ok"


def test_packets_can_be_cut_anywhere_with_carriage_returns(asker: Asker) -> None:
    for size in (1, 7):
        for path, body, _ in bodies(cut_bytes=size, crlf=True, text="naïve ☕ 你好"):
            got, broken = read_until_broken(asker, path, {**body, "stream": True})
            assert broken is None
            assert b"\r\n\r\n" in got
            assert b"\n" not in got.replace(b"\r\n", b"")
            assert len(parse(got)) > 3


def test_a_huge_frame_is_one_chunk(asker: Asker) -> None:
    found = chunks(asker.chat("hello" + sim_words(fault="huge_frame"), "claude-sonnet-4.6", stream=True))
    assert len(found[0]["choices"][0]["delta"]["content"]) == 2 * 1024 * 1024


def test_text_can_be_of_any_size(asker: Asker) -> None:
    found = chunks(asker.chat("hello" + sim_words(size=5000), "claude-sonnet-4.6", stream=True))
    assert len(text_of([chunk["choices"][0]["delta"] for chunk in found])) == 5000


def test_a_status_comes_in_any_envelope(asker: Asker) -> None:
    fault = {"fault": "status:429", "code": "user_model_rate_limited", "message": "slow down", "retry_after": 7}
    wrapped = asker.chat("hello" + sim_words(**fault))
    assert (wrapped.status_code, wrapped.headers["retry-after"]) == (429, "7")
    assert wrapped.json() == {"error": {"code": "user_model_rate_limited", "message": "slow down"}}
    assert asker.chat("hello" + sim_words(**fault, body="bare")).json() == {"message": "slow down"}
    assert asker.chat("hello" + sim_words(**fault, body="plain")).text == "slow down\n"
    assert asker.chat("hello" + sim_words(**fault, body="empty")).content == b""
    assert asker.chat("hello" + sim_words(**fault, body="anthropic")).json()["type"] == "error"
    assert asker.chat("hello" + sim_words(**fault, body="nested")).json()["error"]["message"].startswith('{"error"')


def test_a_proxy_page_and_a_redirect_stand_in_for_an_answer(asker: Asker) -> None:
    page = asker.chat("hello" + sim_words(fault="html_502"))
    assert (page.status_code, page.headers["content-type"]) == (502, "text/html")
    moved = asker.chat("hello" + sim_words(fault="redirect", location="http://127.0.0.1:9/x"))
    assert (moved.status_code, moved.headers["location"]) == (307, "http://127.0.0.1:9/x")


def test_a_fault_vanishes_after_so_many_times(asker: Asker) -> None:
    question = "hello" + sim_words(fault="status:500", fail_times=2)
    assert [asker.chat(question).status_code for _ in range(4)] == [500, 500, 200, 200]


def test_a_rule_of_the_control_api_reaches_the_answer(asker: Asker, sim: SimulatorServer) -> None:
    sim.ask({"text": "from the rule"}, times=1, path="/chat/completions")
    contents = [asker.chat("hello").json()["choices"][0]["message"]["content"] for _ in range(2)]
    assert contents[0] == "from the rule" != contents[1]


def test_the_pace_is_kept(asker: Asker) -> None:
    start = time.monotonic()
    asker.chat("hello" + sim_words(ttft_ms=100, delay_ms=20, chunks=10, text="0123456789"), stream=True)
    assert 0.29 < time.monotonic() - start < 2
