"""The rows that nobody writes one by one: shipped, imported, live; the same act twice changes nothing."""

from __future__ import annotations

import random
from datetime import date

import pytest
from django.db import IntegrityError
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Epoch, Price, PriceOrigin, TrailEntry
from accounts.prices.card import load_card
from accounts.prices.files import PriceLine, shipped_card
from accounts.prices.rows import Changes, import_prices, keep_live, live_lines, sync_shipped
from bridge.copilot.model import TokenPrice
from tests.accounts.cards import AUGUST, CREDIT, JULY, JUNE, a_model, a_price, a_tier

pytestmark = pytest.mark.django_db

LONG = (a_tier(1), a_tier(2, above=200_000))


@pytest.fixture(autouse=True)
def no_prices() -> None:
    Price.objects.all().delete()


def a_line(model: str = "m", input_: int = 1, above: int = 0, day: date = JULY) -> PriceLine:
    return PriceLine(model, above, day, input_ * CREDIT, None, None, 5 * CREDIT)


def held(origin: PriceOrigin) -> list[tuple[str, date, int, int, bool]]:
    rows = Price.objects.filter(origin=origin).order_by("model", "valid_from", "above_input_tokens")
    return [(row.model, row.valid_from, row.above_input_tokens, row.input_nano // CREDIT, row.active) for row in rows]


def marks() -> tuple[int, int]:
    """What tells that something was announced or is in the trail."""
    return Epoch.current(), TrailEntry.objects.count()


def test_the_shipped_card_becomes_rows_and_the_next_start_changes_nothing() -> None:
    count = len(shipped_card())
    assert sync_shipped() == Changes(new=count)
    before = marks()
    assert sync_shipped() == Changes(unchanged=count)
    assert not sync_shipped()
    assert marks() == before


def test_a_start_mends_shipped_rows_and_leaves_what_people_decided() -> None:
    sync_shipped()
    rows = Price.objects.filter(model="claude-opus-4.5")
    rows.update(input_nano=1, active=False, note="not for us")
    a_price("gone").save()
    a_price("own", origin=PriceOrigin.CONSOLE).save()
    assert sync_shipped() == Changes(changed=1, removed=1, unchanged=len(shipped_card()) - 1)
    row = rows.get()
    assert (row.input_nano, row.active, row.note) == (500 * CREDIT, False, "not for us")
    assert Price.objects.filter(model="own").exists()


def test_an_import_makes_the_rows_of_its_models_and_days_those_of_the_file() -> None:
    import_prices([a_line(), a_line(input_=2, above=100), a_line("n"), a_line(day=JUNE)])
    told = import_prices([a_line(input_=3), a_line("o")])
    assert told == Changes(new=1, changed=1, unchanged=0, removed=1)
    assert held(PriceOrigin.IMPORT) == [
        ("m", JUNE, 0, 1, True),
        ("m", JULY, 0, 3, True),
        ("n", JULY, 0, 1, True),
        ("o", JULY, 0, 1, True),
    ]


def test_importing_the_same_again_changes_nothing_and_is_in_no_trail() -> None:
    import_prices([a_line()])
    before = marks()
    assert import_prices([a_line()]) == Changes(unchanged=1)
    assert marks() == before


def test_an_import_is_in_the_trail() -> None:
    before = TrailEntry.objects.count()
    import_prices([a_line()])
    assert TrailEntry.objects.count() > before


def test_an_import_switches_its_rows_on_again() -> None:
    import_prices([a_line()])
    Price.objects.update(active=False)
    assert import_prices([a_line()]) == Changes(changed=1)
    assert held(PriceOrigin.IMPORT) == [("m", JULY, 0, 1, True)]


def test_a_dry_run_says_what_would_change_and_changes_nothing() -> None:
    import_prices([a_line(), a_line(input_=2, above=9)])
    before = marks()
    assert import_prices([a_line(input_=4), a_line("n")], dry_run=True) == Changes(new=1, changed=1, removed=1)
    assert marks() == before
    assert held(PriceOrigin.IMPORT) == [("m", JULY, 0, 1, True), ("m", JULY, 9, 2, True)]


def test_an_import_is_written_whole_or_not_at_all() -> None:
    import_prices([a_line()])
    refused = PriceLine("n", 0, JULY, -1, None, None, None)  # type: ignore[arg-type]  # what no reader would let through
    with pytest.raises(IntegrityError):
        import_prices([a_line(input_=9), refused])
    assert held(PriceOrigin.IMPORT) == [("m", JULY, 0, 1, True)]


def test_what_a_list_states_is_kept_from_that_day_on() -> None:
    assert keep_live({"m": LONG}, JULY) == Changes(new=2)
    assert held(PriceOrigin.LIVE) == [("m", JULY, 0, 1, True), ("m", JULY, 200_000, 2, True)]


def test_a_list_that_states_the_same_is_no_news_on_any_day() -> None:
    keep_live({"m": LONG}, JULY)
    before = marks()
    assert not keep_live({"m": LONG}, JULY)
    assert not keep_live({"m": LONG}, AUGUST)
    assert marks() == before


def test_a_change_on_a_later_day_keeps_the_earlier_price_and_one_on_the_same_day_replaces_it() -> None:
    keep_live({"m": LONG}, JUNE)
    keep_live({"m": LONG}, JULY)
    keep_live({"m": (a_tier(5),)}, AUGUST)
    keep_live({"m": (a_tier(6), a_tier(7, above=100))}, AUGUST)
    keep_live({"m": (a_tier(8),)}, AUGUST)
    assert held(PriceOrigin.LIVE) == [
        ("m", JUNE, 0, 1, True),
        ("m", JUNE, 200_000, 2, True),
        ("m", AUGUST, 0, 8, True),
    ]


def test_a_model_whose_live_prices_somebody_switched_off_stays_off_when_the_price_changes() -> None:
    keep_live({"m": LONG, "n": LONG}, JUNE)
    Price.objects.filter(model="m").update(active=False)
    keep_live({"m": (a_tier(5),), "n": (a_tier(5),)}, JULY)
    assert held(PriceOrigin.LIVE)[2:] == [
        ("m", JULY, 0, 5, False),
        ("n", JUNE, 0, 1, True),
        ("n", JUNE, 200_000, 2, True),
        ("n", JULY, 0, 5, True),
    ]
    assert load_card().find("m", AUGUST) is None


def test_a_model_that_left_the_list_keeps_its_price() -> None:
    keep_live({"m": LONG}, JUNE)
    keep_live({"n": LONG}, JULY)
    assert {row[0] for row in held(PriceOrigin.LIVE)} == {"m", "n"}


def test_many_models_are_written_in_several_transactions() -> None:
    models = {f"model{number:03}": (a_tier(number),) for number in range(60)}
    assert keep_live(models, JULY) == Changes(new=60)
    assert not keep_live(models, AUGUST)
    assert [row[3] for row in held(PriceOrigin.LIVE)] == list(range(60))


@pytest.mark.parametrize(
    "tiers",
    [
        (),
        (a_tier(input=None),),
        (a_tier(output=None),),
        (a_tier(above=5),),
        (a_tier(above=0), a_tier(above=2**31)),
        (a_tier(input=2**63),),
        (a_tier(cache_write=2**63),),
    ],
)
def test_what_the_card_cannot_hold_is_left_out(tiers: tuple[TokenPrice, ...]) -> None:
    assert live_lines("m", tiers, JULY) == ()
    assert not keep_live({"m": tiers}, JULY)


def test_a_name_too_long_for_the_card_is_left_out() -> None:
    assert not keep_live({"m" * 201: LONG}, JULY)


def test_of_two_tiers_that_begin_alike_the_first_counts() -> None:
    assert [line.input_nano for line in live_lines("m", (a_tier(1), a_tier(2)), JULY)] == [CREDIT]


def test_a_price_for_a_thousand_tokens_is_kept_for_a_million() -> None:
    (line,) = live_lines("m", [a_tier(batch_size=1000, input=CREDIT, output=2, cached_input=0)], JULY)
    assert line.amounts == {
        "input_nano": 1000 * CREDIT, "cached_nano": 0, "cache_write_nano": None, "output_nano": 2000,
    }  # fmt: skip


_lists = st.lists(
    st.tuples(st.dates(JUNE, AUGUST), st.dictionaries(st.sampled_from("mn"), st.integers(0, 3), min_size=1)), max_size=6
)


@given(_lists, st.randoms(use_true_random=False))
def test_after_any_course_of_lists_the_card_says_what_the_last_one_said(
    lists: list[tuple[date, dict[str, int]]], dice: random.Random
) -> None:
    Price.objects.all().delete()
    last: dict[str, int] = {}
    for day, prices in sorted(lists, key=lambda each: each[0]):
        models = {name: (a_tier(price),) for name, price in prices.items()}
        for _process in range(dice.randint(1, 2)):
            keep_live(models, day)
        last |= prices
        card = load_card()
        for name, price in last.items():
            assert card.prices(a_model(name=name), day)[0].input == price * CREDIT
