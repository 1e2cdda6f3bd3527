"""What a request may cost before it is asked: input counted, output bounded by what was asked for or is usual."""

from __future__ import annotations

import base64
import struct
import time
import zlib
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import PriceOrigin
from accounts.prices.card import RateCard
from accounts.routing import Choice
from bridge.asked import Asked
from bridge.copilot.endpoints import Endpoint
from bridge.copilot.initiator import Initiator
from bridge.copilot.model import Model, TokenPrice
from bridge.crossing import FORMATS
from bridge.dialect import Dialect
from proxy.plan import Plan
from proxy.reserving import embedding_reservation, expected_output, priced, reservation
from proxy.runtime import Runtime
from proxy.usual_outputs import FEWEST_SAMPLES, UNKNOWN
from tests.accounts.cards import CREDIT, a_price, a_tier
from tests.accounts.snapshots import a_caller, an_entry

HELLO = [{"role": "user", "content": "Hello"}]
# One nano for a token of input, a thousand for one of output.
PLAIN = TokenPrice("default", 0, 1, input=1, cached_input=0, cache_write=2, output=1000)
CALLER = a_caller(key=1)


def asked(dialect: Dialect = Dialect.CHAT, **fields: Any) -> Asked:
    name = "input" if dialect is Dialect.RESPONSES else "messages"
    limit = {"max_tokens": 10**6} if dialect is Dialect.MESSAGES else {}
    return FORMATS[dialect].open_request(msgspec.json.encode({"model": "m", name: HELLO, **limit, **fields}))


def a_plan(*prices: TokenPrice, most: int | None = None, multiplier: int | None = None, **seat: Any) -> Plan:
    model = Model("m", "M", prices=prices, max_output_tokens=most, multiplier_thousandths=multiplier)
    entry = an_entry(1, **seat)
    return Plan(entry, model, Choice("m", "as requested"), Endpoint.CHAT, Initiator.USER, vision=False, session="")


async def reserved(request: Asked, plan: Plan, runtime: Runtime | None = None) -> int:
    return await reservation(runtime or Runtime(), CALLER, request, plan, time.time())


def hold(runtime: Runtime, card: RateCard) -> None:
    runtime.directory.snapshot = replace(runtime.directory.snapshot, prices=card)


async def parts(request: Asked, plan: Plan) -> tuple[int, int]:
    """Tokens of input and of output that are held back."""
    output, input_ = divmod(await reserved(request, plan), 1000)
    return input_, output


async def test_an_unknown_length_is_taken_for_two_thousand_tokens() -> None:
    input_, output = await parts(asked(), a_plan(PLAIN))
    assert 5 <= input_ < 20
    assert output == UNKNOWN


@pytest.mark.parametrize(
    ("dialect", "name"),
    [
        (Dialect.CHAT, "max_tokens"),
        (Dialect.CHAT, "max_completion_tokens"),
        (Dialect.RESPONSES, "max_output_tokens"),
        (Dialect.MESSAGES, "max_tokens"),
    ],
)
async def test_a_limit_of_the_callers_bounds_the_output_in_every_dialect(dialect: Dialect, name: str) -> None:
    assert (await parts(asked(dialect, **{name: 7}), a_plan(PLAIN)))[1] == 7
    assert (await parts(asked(dialect, **{name: 10**6}), a_plan(PLAIN)))[1] == UNKNOWN


async def test_what_is_usual_for_the_key_bounds_it_too() -> None:
    runtime = Runtime()
    for _ in range(FEWEST_SAMPLES):
        runtime.usual_outputs.note(CALLER.key, "m", 90)
    assert (await reserved(asked(), a_plan(PLAIN), runtime)) // 1000 == 90
    assert (await reserved(asked(max_tokens=50), a_plan(PLAIN), runtime)) // 1000 == 50


def test_chats_new_name_counts_before_its_old_one() -> None:
    assert expected_output(asked(max_tokens=9, max_completion_tokens=5), None, UNKNOWN) == 5


def test_the_models_own_limit_bounds_it() -> None:
    assert expected_output(asked(max_tokens=500), 100, UNKNOWN) == 100
    assert expected_output(asked(), 100, UNKNOWN) == 100


def test_a_limit_of_another_dialect_says_nothing() -> None:
    assert expected_output(asked(max_output_tokens=3), None, 77) == 77
    assert expected_output(asked(max_tokens=None), None, 77) == 77


def a_picture(width: int, height: int) -> str:
    """A PNG full of noise: as many bytes as its size asks for."""
    noise = bytes(zlib.crc32(struct.pack(">I", number)) & 255 for number in range(width * height // 8))
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", head), (b"IDAT", noise), (b"IEND", b""))
    )
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + chunks).decode()


async def test_a_picture_counts_by_its_size_on_the_screen_and_not_by_its_bytes() -> None:
    data = a_picture(1000, 800)
    assert len(data) > 32 * 1024, "too small to be counted in a thread"
    url = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    input_, _ = await parts(asked(messages=[{"role": "user", "content": [url]}], max_tokens=1), a_plan(PLAIN))
    assert 85 < input_ < 3000 < len(data) // 4


async def test_the_estimate_is_set_right_by_what_was_seen_of_the_model() -> None:
    request, runtime = asked(messages=[{"role": "user", "content": "word " * 2000}], max_tokens=1), Runtime()
    before = await reserved(request, a_plan(PLAIN), runtime)
    runtime.calibration.note("m", 1000, 1500)
    after = await reserved(request, a_plan(PLAIN), runtime)
    assert after - 1000 == pytest.approx((before - 1000) * 1.5, abs=1)


async def test_the_card_of_the_installation_prices_what_the_list_does_not() -> None:
    runtime = Runtime()
    assert await reserved(asked(), a_plan(), runtime) == 0
    card = RateCard([a_price(origin=PriceOrigin.CONSOLE, input_nano=0, output_nano=5_000_000)])
    hold(runtime, card)
    assert await reserved(asked(max_tokens=100), a_plan(), runtime) == 500


async def test_a_seat_that_pays_by_the_request_reserves_nothing_unless_it_pays_by_token() -> None:
    runtime = Runtime()
    hold(runtime, RateCard([a_price()]))
    assert await reserved(asked(), a_plan(multiplier=330), runtime) == 0
    assert await reserved(asked(), a_plan(multiplier=330, token_based=True), runtime) > 0


async def test_the_tier_of_a_long_request_prices_all_of_it() -> None:
    long = a_plan(a_tier(1), a_tier(50, above=10, output=7000 * CREDIT))
    request = asked(messages=[{"role": "user", "content": "word " * 100}], max_tokens=1000)
    assert await reserved(request, long) > 7 * CREDIT


def test_embeddings_reserve_their_input_alone() -> None:
    assert embedding_reservation(Runtime(), a_plan(PLAIN), 4001, time.time()) == 1001
    assert embedding_reservation(Runtime(), a_plan(), 4001, time.time()) == 0


def test_a_price_beyond_every_ledger_fills_the_budget_and_no_more() -> None:
    dear = TokenPrice("t", 0, 1, input=2**62, cached_input=None, cache_write=None, output=0)
    assert priced(1000, 0, [dear]) == 2**63 - 1


@given(st.integers(0, 10**7), st.integers(0, 10**6), st.integers(0, 10**6))
def test_more_output_never_reserves_less(input_: int, output: int, more: int) -> None:
    assert priced(input_, output, [a_tier()]) <= priced(input_, output + more, [a_tier()])
