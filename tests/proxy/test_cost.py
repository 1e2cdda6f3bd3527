"""What a request cost, at the doors of a running gateway: reported, computed, estimated; and the card."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from accounts.prices.computing import compute
from bridge.copilot.model import TokenPrice
from bridge.tally import Tally
from tests.gateway import Gateway
from tests.proxy.asking import HELLO, ask
from tests.proxy.conftest import new_gateway
from tests.simulator.server import SimulatorServer

OPUS = TokenPrice("default", 0, 1_000_000, 500 * 10**9, 50 * 10**9, 625 * 10**9, 2500 * 10**9)
CARD = "model,input_usd,output_usd\nclaude-opus-4.5,1000,2000\n"


def tally_of(row: dict[str, Any]) -> Tally:
    return Tally(row["input_tokens"], row["cached_tokens"], row["cache_write_tokens"], row["output_tokens"])


def cost_of(answer: httpx.Response) -> int:
    whole, _, rest = answer.headers["x-bridge-cost"].partition(".")
    return int(whole) * 10**9 + int(rest)


def live_rows(gateway: Gateway) -> list[dict[str, Any]]:
    return gateway.query("SELECT * FROM accounts_price WHERE origin = 'live' ORDER BY model, above_input_tokens")


def until_heard(gateway: Gateway, count: int) -> None:
    """Until so many live prices are written, and half a second more: processes hear of it then."""
    deadline = time.monotonic() + 10
    while len(live_rows(gateway)) < count:
        assert time.monotonic() < deadline, f"{len(live_rows(gateway))} live prices"
        time.sleep(0.05)
    time.sleep(2.5)


def test_the_computed_price_checks_the_reported_one_and_the_header_says_it(
    http: httpx.Client, gateway: Gateway
) -> None:
    answer = ask(http, "What is a ledger?", model="claude-opus-4.5")
    row = gateway.row(answer.headers["x-request-id"])
    assert row["nano_reported"] == row["nano_computed"] == compute(tally_of(row), [OPUS]) == cost_of(answer)
    assert row["cost_source"] == "reported"


def test_what_the_models_list_says_of_prices_is_kept_once_for_all_of_them(http: httpx.Client, gateway: Gateway) -> None:
    assert ask(http).status_code == 200
    until_heard(gateway, 30)
    rows = live_rows(gateway)
    opus = [row for row in rows if row["model"] == "claude-opus-4.5"]
    assert [(row["input_nano"], row["cached_nano"], row["output_nano"]) for row in opus] == [
        (500 * 10**9, 50 * 10**9, 2500 * 10**9)
    ]
    assert len({(row["model"], row["above_input_tokens"]) for row in rows}) == len(rows)
    assert {row["active"] for row in rows} == {1}
    entries = gateway.query("SELECT * FROM accounts_trailentry WHERE subject_type = 'price'")
    assert {entry["actor_name"] for entry in entries if "claude-opus-4.5" in entry["subject_name"]} <= {
        "gateway",
        "command setup",
    }


def test_an_answer_that_nobody_counted_is_estimated_by_the_card(http: httpx.Client, gateway: Gateway) -> None:
    answer = ask(http, 'Hello @sim{"usage": "absent"}', model="claude-opus-4.5", stream=True)
    row = gateway.row(answer.headers["x-request-id"])
    assert (row["status"], row["nano_reported"], row["cost_source"]) == ("settled", None, "estimated")
    assert row["input_tokens"] > 5
    assert row["output_tokens"] > 0
    assert row["nano_computed"] == compute(tally_of(row), [OPUS])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"model": "claude-opus-4.5"}),
        ("/v1/messages", {"model": "claude-opus-4.5", "max_tokens": 900}),
        ("/v1/chat/completions", {"model": "gpt-5-mini"}),
    ],
)
def test_a_stream_that_broke_off_is_estimated_by_the_card(
    http: httpx.Client, gateway: Gateway, path: str, body: dict[str, Any]
) -> None:
    wish = json.dumps({"fault": "cut", "after": 3, "delay_ms": 80})
    for _ in range(5):  # on a busy machine three chunks and the break may arrive as one
        question = [{"role": "user", "content": f"Tell me a story. @sim{wish}"}]
        answer = http.post(path, json={**body, "messages": question, "stream": True})
        if answer.status_code == 200:
            break
    row = gateway.row(answer.headers["x-request-id"])
    assert (row["status"], row["nano_reported"], row["cost_source"]) == ("failed", None, "estimated")
    assert row["nano_computed"] > 0
    if body["model"] == "claude-opus-4.5":
        assert row["nano_computed"] == compute(tally_of(row), [OPUS])


def test_a_picture_of_a_stream_that_the_caller_left_is_not_paid_by_its_bytes(
    http: httpx.Client, gateway: Gateway
) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "iVBORw0KGgo" + "A" * 400_001}}
    wish = json.dumps({"chunks": 200, "delay_ms": 50})
    words = {"type": "text", "text": f"What is it? @sim{wish}"}
    body = {"model": "claude-opus-4.5", "stream": True, "messages": [{"role": "user", "content": [words, picture]}]}
    with http.stream("POST", "/v1/chat/completions", json=body) as answer:
        assert answer.status_code == 200, answer.read()
        next(answer.iter_bytes())
    number = answer.headers["x-request-id"].replace("-", "")
    row = gateway.wait_row(f"id = '{number}' AND status != 'open'")
    assert (row["status"], row["cost_source"]) == ("cancelled", "estimated")
    assert 0 < row["input_tokens"] < 10_000


def test_what_is_refused_costs_nothing_and_says_no_source(http: httpx.Client, gateway: Gateway) -> None:
    answer = http.post("/v1/chat/completions", json={"model": "no-such-model", "messages": HELLO})
    row = gateway.row(answer.headers["x-request-id"])
    assert (row["nano_reported"], row["nano_computed"], row["cost_source"]) == (None, None, "")
    assert "x-bridge-cost" not in answer.headers


@pytest.fixture
def imported(gateway: Gateway, tmp_path: Path) -> Iterator[None]:
    card = tmp_path / "card.csv"
    card.write_text(CARD)
    gateway.manage("importrates", str(card))
    time.sleep(2.5)
    yield
    gateway.manage(
        "shell",
        "--no-imports",
        "-c",
        "from accounts.models import Price as P; P.objects.filter(origin='import').delete()",
    )
    time.sleep(2.5)


@pytest.mark.usefixtures("imported")
def test_an_imported_price_is_the_check_within_a_second_and_the_reported_one_still_counts(
    http: httpx.Client, gateway: Gateway
) -> None:
    answer = ask(http, model="claude-opus-4.5")
    row = gateway.row(answer.headers["x-request-id"])
    tokens = row["input_tokens"] + row["cached_tokens"] + row["cache_write_tokens"]
    assert row["nano_computed"] == tokens * 10**8 + row["output_tokens"] * 2 * 10**8
    assert row["nano_reported"] == cost_of(answer) < row["nano_computed"]
    explained = gateway.manage("explain", "claude-opus-4.5")
    assert "price       input 100000, output 200000 credits per 1,000,000 tokens" in explained
    assert "card        imported, claude-opus-4.5 from " in explained


def test_a_seat_that_counts_requests_costs_no_credits(simulator: SimulatorServer, tmp_path: Path) -> None:
    gateway = new_gateway(tmp_path, simulator, "legacy")
    try:
        gateway.serve()
        answer = httpx.post(
            f"{gateway.url}/v1/chat/completions",
            json={"model": "claude-opus-4.5", "messages": HELLO},
            headers={"x-api-key": gateway.key}, timeout=30, trust_env=False,
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        row = gateway.row(answer.headers["x-request-id"])
        assert (row["nano_reported"], row["nano_computed"], row["cost_source"]) == (None, None, "")
        assert row["premium_thousandths"] == 3000
        assert "x-bridge-cost" not in answer.headers
        assert live_rows(gateway) == []
        assert gateway.query("SELECT count(*) AS n FROM accounts_price WHERE origin = 'shipped'")[0]["n"] > 60
    finally:
        gateway.stop()
