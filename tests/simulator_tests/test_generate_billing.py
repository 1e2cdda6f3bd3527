"""What is booked for an answer, to the nano-AIU."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.simulator_tests.asking import MESSAGES_WEATHER, Asker, chunks, events, sim_words, user

if TYPE_CHECKING:
    from tests.simulator.server import SimulatorServer

LONG = "The quick brown fox jumps over the lazy dog. " * 120


@pytest.fixture
def asker(sim: SimulatorServer, client: httpx.Client) -> Asker:
    return Asker(sim, client)


def booked(asker: Asker) -> int:
    return asker.sim.world.accounts[asker.login].nano_aiu


def total(usage: dict[str, Any]) -> int:
    """The sum over the lines of `copilot_usage`, checked against the total it names."""
    lines = usage["token_details"]
    summed = sum(line["token_count"] * line["cost_per_batch"] for line in lines) // 1_000_000
    assert usage["total_nano_aiu"] == summed
    return int(summed)


def test_every_format_books_exactly_what_it_shows(asker: Asker) -> None:
    shown = [
        asker.chat("hello", "claude-sonnet-4.6").json()["copilot_usage"],
        chunks(asker.chat("hello", "gemini-3.8-flash", stream=True))[-1]["copilot_usage"],
        asker.message("weather in Paris?", tools=[MESSAGES_WEATHER]).json()["copilot_usage"],
        events(asker.message("hello", stream=True))[-2].data["copilot_usage"],
        asker.respond("hello").json()["copilot_usage"],
        events(asker.respond("hello", stream=True))[-1].data["copilot_usage"],
    ]
    assert booked(asker) == sum(total(usage) for usage in shown) > 0


def test_claimed_numbers_are_billed(asker: Asker) -> None:
    """The worked example of a bill: 500, 50, 625 and 2500 credits per million tokens."""
    wish = sim_words(tokens={"input": 10_500, "cached": 9000, "cache_write": 300, "output": 800})
    body = asker.message("hello" + wish, "claude-opus-4.7").json()
    assert body["copilot_usage"]["total_nano_aiu"] == 3_237_500_000 == booked(asker)
    assert body["usage"]["input_tokens"] == 1200


def test_a_prompt_in_the_long_tier_costs_its_price_as_a_whole(asker: Asker) -> None:
    wish = sim_words(tokens={"input": 300_000, "output": 0})
    lines = asker.respond("hello" + wish, "gpt-5.5").json()["copilot_usage"]["token_details"]
    assert lines[0] == {
        "batch_size": 1_000_000,
        "cost_per_batch": 1_000_000_000_000,
        "token_count": 300_000,
        "token_type": "input",
    }


def test_a_prefix_sent_before_is_billed_as_cached(asker: Asker) -> None:
    first, second = (asker.chat(LONG + "What is tea?", "gpt-4.1").json() for _ in range(2))
    assert first["usage"]["prompt_tokens_details"]["cached_tokens"] == 0
    assert second["usage"]["prompt_tokens_details"]["cached_tokens"] > 1024
    assert total(second["copilot_usage"]) < total(first["copilot_usage"])


def test_a_short_prefix_is_not_cached_unless_asked(asker: Asker) -> None:
    for wish, cached in (("", False), (sim_words(cache_min=1), True)):
        usages = [asker.chat("What is tea?" + wish, "gpt-4.1").json()["usage"] for _ in range(2)]
        assert (usages[1]["prompt_tokens_details"]["cached_tokens"] > 0) is cached


def test_chat_hides_cache_writes_in_the_bill(asker: Asker) -> None:
    message = {**user(LONG), "copilot_cache_control": {"type": "ephemeral"}}
    body = asker.post("/chat/completions", {"model": "claude-sonnet-4.6", "messages": [message]}).json()
    written = next(line for line in body["copilot_usage"]["token_details"] if line["token_type"] == "cache_write")
    assert written["token_count"] > 1024
    assert "cache" not in str(body["usage"]).replace("cached_tokens", "")


def test_refusals_and_unbegun_answers_cost_nothing(asker: Asker) -> None:
    asker.chat("hello" + sim_words(fault="status:500"))
    asker.chat("hello", "claude-sonnet-4.6", max_tokens=10**9)
    asker.respond("hello" + sim_words(fault="early_failure"), stream=True)
    with pytest.raises(httpx.ReadError):
        asker.chat("hello" + sim_words(fault="reset_before_headers"), stream=True)
    asker.message("hello" + sim_words(fault="error_event", after=0), stream=True)
    asker.post("/v1/messages/count_tokens", {"model": "claude-sonnet-4.6", "messages": [user("hello")]})
    assert booked(asker) == 0
    assert asker.sim.world.accounts["credits"].answers == 0


def test_a_broken_stream_is_billed_as_far_as_it_came(asker: Asker) -> None:
    question = "hello" + sim_words(fault="clean_eof", after=4, text="one two three four five six")
    body = {"model": "claude-sonnet-4.6", "messages": [user(question)]}
    prompt = asker.post("/v1/messages/count_tokens", body).json()["input_tokens"]
    asker.post("/v1/messages", {**body, "max_tokens": 100, "stream": True})
    output = -(-len("one two three four ") // 4)
    assert booked(asker) == prompt * 300_000 + output * 1_500_000
    assert asker.sim.world.accounts["credits"].answers == 1


def test_a_client_that_leaves_pays_for_what_was_sent(asker: Asker) -> None:
    body = {
        "model": "claude-sonnet-4.6",
        "messages": [user("hello" + sim_words(delay_ms=50, text="word " * 400))],
        "stream": True,
    }
    with asker.client.stream(
        "POST", f"{asker.sim.copilot_url}/chat/completions", json=body, headers=asker.headers
    ) as response:
        packets = response.iter_raw()
        for _ in range(4):
            next(packets)
    deadline = time.monotonic() + 5
    while asker.sim.world.log[-1].outcome == "open" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert asker.sim.world.log[-1].outcome == "cancelled"
    whole = 500 * 1_500_000
    assert 0 < booked(asker) < whole // 4


def test_only_the_user_pays_premium_requests(sim: SimulatorServer, client: httpx.Client) -> None:
    asker = Asker(sim, client, "legacy")
    body = {"model": "claude-sonnet-4.6", "messages": [user("hello")]}
    asker.post("/chat/completions", body, x_initiator="user")
    asker.post("/chat/completions", body, x_initiator="agent")
    account = sim.world.accounts["legacy"]
    assert (account.premium_requests, account.answers) == (1.0, 2)


@pytest.mark.parametrize(("wish", "part"), [("sent", 0.5), ("whole", 1.0), ("nothing", 0.0)])
def test_of_a_stream_that_breaks_off_is_billed_what_its_scenario_says(asker: Asker, wish: str, part: float) -> None:
    tokens = {"input": 0, "output": 200}
    words = sim_words(fault="clean_eof", after=5, chunks=10, text="x" * 800, tokens=tokens, broken_bill=wish)
    answer = asker.chat(f"hello{words}", "gpt-4o", stream=True)
    charges = asker.sim.control("GET", "billing/charges")
    assert booked(asker) == part * 200 * 1_000_000
    assert [charge["nano"] for charge in charges] == ([booked(asker)] if part else [])
    assert all(charge["upstream_id"] == answer.headers["x-github-request-id"] for charge in charges)
    assert not any(charge["whole"] for charge in charges)


def test_a_charge_is_found_by_the_id_that_its_answer_carried(asker: Asker) -> None:
    answers = [asker.respond("hello"), asker.chat("hello", "claude-sonnet-4.6")]
    found = {charge.upstream_id: charge.nano for charge in asker.sim.world.charges.values()}
    assert [found[answer.headers["x-github-request-id"]] for answer in answers] == [
        total(answer.json()["copilot_usage"]) for answer in answers
    ]
