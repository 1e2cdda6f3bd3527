"""What the seats' lists say of prices: written once, when it is news, whoever hears it."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from accounts.models import Epoch, Price, PriceOrigin
from accounts.prices.card import RateCard, load_card
from accounts.prices.live import LivePrices
from bridge.copilot.model import Model
from tests.accounts.cards import AUGUST, CREDIT, JULY, a_model, a_tier

pytestmark = pytest.mark.django_db(transaction=True)


def hear(keeper: LivePrices, *models: Model, seat: int = 1, card: RateCard | None = None, day: date = JULY) -> bool:
    known = load_card() if card is None else card
    return bool(asyncio.run(keeper.hear(seat, {model.id: model for model in models}, known, day)))


def held() -> list[tuple[str, date, int]]:
    rows = Price.objects.filter(origin=PriceOrigin.LIVE).order_by("model", "valid_from")
    return [(row.model, row.valid_from, row.input_nano // CREDIT) for row in rows]


def test_a_list_is_written_once_and_its_repetitions_cost_nothing() -> None:
    keeper = LivePrices()
    assert hear(keeper, a_model(a_tier(1)))
    before = Epoch.current()
    assert not hear(keeper, a_model(a_tier(1)), card=RateCard())
    assert not hear(LivePrices(), a_model(a_tier(1)))
    assert Epoch.current() == before
    assert held() == [("m", JULY, 1)]


def test_another_process_that_has_not_heard_of_it_yet_writes_nothing_again() -> None:
    hear(LivePrices(), a_model(a_tier(1)))
    before = Epoch.current()
    assert not hear(LivePrices(), a_model(a_tier(1)), card=RateCard())
    assert Epoch.current() == before


def test_a_change_is_written_and_the_models_beside_it_are_left_alone() -> None:
    keeper = LivePrices()
    hear(keeper, a_model(a_tier(1)), a_model(a_tier(1), name="n"))
    assert hear(keeper, a_model(a_tier(2)), a_model(a_tier(1), name="n"), day=AUGUST)
    assert held() == [("m", JULY, 1), ("m", AUGUST, 2), ("n", JULY, 1)]


def test_seats_that_are_told_different_prices_do_not_overwrite_each_other_for_ever() -> None:
    keeper = LivePrices()
    hear(keeper, a_model(a_tier(1)), seat=1)
    assert hear(keeper, a_model(a_tier(2)), seat=2)
    before = Epoch.current()
    for seat, price in ((1, 1), (2, 2), (1, 1)):
        assert not hear(keeper, a_model(a_tier(price)), seat=seat)
    assert Epoch.current() == before


def test_models_without_prices_are_no_news() -> None:
    assert not hear(LivePrices(), a_model(multiplier=330), a_model(a_tier(input=None), name="n"))
    assert held() == []


def test_processes_that_hear_the_same_at_once_write_it_once() -> None:
    models = {f"m{number}": a_model(a_tier(number), name=f"m{number}") for number in range(40)}

    async def all_at_once() -> None:
        await asyncio.gather(*(LivePrices().hear(seat, models, RateCard(), JULY) for seat in range(4)))

    asyncio.run(all_at_once())
    assert sorted(held()) == sorted((f"m{number}", JULY, number) for number in range(40))
