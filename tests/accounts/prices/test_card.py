"""Which of a card's prices holds: by day, by origin, by name, by what the seat's own list says."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Price, PriceOrigin
from accounts.prices.card import CardEntry, RateCard, load_card, per_million
from tests.accounts.cards import AUGUST, CREDIT, JULY, JUNE, a_model, a_price, a_tier

SHIPPED, LIVE, IMPORT, CONSOLE = PriceOrigin.SHIPPED, PriceOrigin.LIVE, PriceOrigin.IMPORT, PriceOrigin.CONSOLE


def found(card: RateCard, day: date = AUGUST, model: str = "m") -> tuple[str, int] | None:
    """Origin and input price in credits of what holds."""
    entry = card.find(model, day)
    return None if entry is None else (entry.origin, (entry.tiers[0].input or 0) // CREDIT)


def test_people_win_over_the_live_list_and_that_over_what_is_shipped() -> None:
    rows = [a_price(input_=1), a_price(input_=2, origin=LIVE), a_price(input_=3, origin=IMPORT)]
    assert found(RateCard(rows)) == (IMPORT, 3)
    assert found(RateCard(rows[:2])) == (LIVE, 2)
    assert found(RateCard(rows[:1])) == (SHIPPED, 1)
    assert found(RateCard()) is None


def test_people_win_even_when_the_others_are_newer() -> None:
    rows = [a_price(input_=1, origin=CONSOLE), a_price(input_=2, origin=LIVE, valid_from=AUGUST)]
    assert found(RateCard(rows)) == (CONSOLE, 1)


def test_of_peoples_prices_the_newest_holds_and_on_one_day_the_consoles() -> None:
    rows = [a_price(input_=1, origin=CONSOLE), a_price(input_=2, origin=IMPORT, valid_from=JULY)]
    assert found(RateCard(rows)) == (IMPORT, 2)
    rows.append(a_price(input_=3, origin=CONSOLE, valid_from=JULY))
    assert found(RateCard(rows)) == (CONSOLE, 3)


def test_a_price_holds_from_its_first_day_on_until_the_next() -> None:
    card = RateCard([a_price(input_=1), a_price(input_=2, valid_from=JULY)])
    days = (JUNE - timedelta(days=1), JUNE, JULY - timedelta(days=1), JULY, AUGUST)
    assert [found(card, day) for day in days] == [None, (SHIPPED, 1), (SHIPPED, 1), (SHIPPED, 2), (SHIPPED, 2)]


def test_a_price_of_peoples_that_has_not_begun_leaves_the_others_in_force() -> None:
    assert found(RateCard([a_price(input_=1), a_price(input_=2, origin=CONSOLE, valid_from=AUGUST)]), JULY) == (
        SHIPPED,
        1,
    )


def test_what_is_switched_off_does_not_count() -> None:
    rows = [a_price(input_=1), a_price(input_=2, origin=LIVE, active=False)]
    assert found(RateCard(rows)) == (SHIPPED, 1)


def test_tiers_of_one_origin_and_day_belong_together() -> None:
    rows = [
        a_price(input_=5, above_input_tokens=200_000, valid_from=JULY),
        a_price(input_=1),
        a_price(input_=2, valid_from=JULY),
        a_price(input_=9, above_input_tokens=200_000),
    ]
    entry = RateCard(rows).find("m", AUGUST)
    assert entry is not None
    assert [(tier.above_input_tokens, tier.input) for tier in entry.tiers] == [(0, 2 * CREDIT), (200_000, 5 * CREDIT)]


def test_without_its_first_tier_an_entry_does_not_hold_and_without_a_higher_one_it_does() -> None:
    rows = [
        a_price(input_=1),
        a_price(input_=2, valid_from=JULY),
        a_price(input_=3, above_input_tokens=9, valid_from=JULY),
    ]
    rows[2].active = False
    entry = RateCard(rows).find("m", AUGUST)
    assert entry is not None
    assert [tier.input for tier in entry.tiers] == [2 * CREDIT]
    rows[1].active, rows[2].active = False, True
    assert found(RateCard(rows)) == (SHIPPED, 1)


@pytest.mark.parametrize(
    ("asked", "held"),
    [
        ("claude-haiku-4.5", "claude-haiku-4.5"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4.5"),
        ("Claude-Haiku-4.5", "claude-haiku-4.5"),
        ("claude-haiku-4", "claude-haiku-4"),
        ("claude-haiku-4.6", None),
        ("", None),
    ],
)
def test_the_exact_id_comes_first_then_another_spelling_of_it_and_never_another_version(
    asked: str, held: str | None
) -> None:
    card = RateCard([a_price("claude-haiku-4.5"), a_price("claude-haiku-4")])
    for _ in range(2):  # the second answer comes from memory
        entry = card.find(asked, AUGUST)
        assert (entry.model if entry else None) == held


def test_names_that_nobody_knows_do_not_fill_the_memory() -> None:
    card = RateCard([a_price()])
    for number in range(5000):
        assert card.find(f"unknown{number}", AUGUST) is None
    assert len(card._names) <= 2000


def test_the_seats_own_list_takes_the_place_of_the_live_rows() -> None:
    card = RateCard([a_price(input_=1), a_price(input_=2, origin=LIVE)])
    assert card.quote(a_model(a_tier(3)), AUGUST) == CardEntry("m", LIVE, None, (a_tier(3),))
    assert card.prices(a_model(a_tier(3)), AUGUST) == (a_tier(3),)
    assert card.prices(a_model(), AUGUST)[0].input == 2 * CREDIT
    assert RateCard().prices(a_model(), AUGUST) == ()


def test_a_list_that_says_what_the_card_says_is_quoted_with_its_date() -> None:
    entry = RateCard([a_price(input_=2, origin=LIVE, valid_from=JULY)]).quote(a_model(a_tier(2)), AUGUST)
    assert entry is not None
    assert (entry.origin, entry.valid_from) == (LIVE, JULY)


@given(st.lists(st.sampled_from(list(PriceOrigin)), unique=True), st.booleans(), st.booleans(), st.booleans())
def test_what_is_quoted_is_what_is_paid(
    origins: list[PriceOrigin], has_list: bool, is_legacy: bool, token_based: bool
) -> None:
    card = RateCard([a_price(input_=number + 1, origin=origin) for number, origin in enumerate(origins)])
    model = a_model(*([a_tier(2)] if has_list else []), multiplier=330 if is_legacy else None)
    entry = card.quote(model, AUGUST, token_based=token_based)
    assert per_million(card.prices(model, AUGUST, token_based=token_based)) == per_million(entry.tiers if entry else ())


def test_people_win_over_the_seats_own_list() -> None:
    card = RateCard([a_price(input_=1, origin=CONSOLE)])
    assert card.prices(a_model(a_tier(3)), AUGUST)[0].input == CREDIT


def test_a_model_whose_live_rows_were_switched_off_is_not_paid_by_any_live_list() -> None:
    card = RateCard([a_price(input_=1), a_price(input_=2, origin=LIVE, active=False)])
    assert card.prices(a_model(a_tier(2)), AUGUST)[0].input == CREDIT


def test_a_list_that_does_not_say_what_input_costs_says_nothing() -> None:
    card = RateCard([a_price(input_=1)])
    assert card.prices(a_model(a_tier(input=None)), AUGUST)[0].input == CREDIT


def test_a_seat_that_counts_requests_pays_no_credits_unless_it_pays_by_token() -> None:
    card = RateCard([a_price(input_=1), a_price(input_=7, origin=CONSOLE)])
    legacy = a_model(multiplier=330)
    assert card.quote(legacy, AUGUST) is None
    assert card.prices(legacy, AUGUST, token_based=True)[0].input == 7 * CREDIT
    assert card.prices(a_model(a_tier(3), multiplier=330), AUGUST)[0].input == 7 * CREDIT


def test_prices_for_another_number_of_tokens_are_the_same_prices() -> None:
    thousands = a_tier(1, batch_size=1000, input=CREDIT // 1000, output=CREDIT)
    assert per_million([thousands]) == per_million([a_tier(1)])
    assert per_million([thousands]) != per_million([a_tier(2)])


@pytest.mark.django_db
def test_the_card_is_read_from_all_rows() -> None:
    Price.objects.all().delete()
    a_price("n", 3, origin=CONSOLE).save()
    assert found(load_card(), model="n") == (CONSOLE, 3)


_rows = st.lists(
    st.builds(
        a_price,
        model=st.sampled_from(["m", "n"]),
        input_=st.integers(0, 1000),
        origin=st.sampled_from(list(PriceOrigin)),
        valid_from=st.dates(JUNE, JUNE + timedelta(days=5)),
        above_input_tokens=st.sampled_from([0, 100, 200]),
        active=st.booleans(),
    ),
    unique_by=lambda row: (row.model, row.origin, row.valid_from, row.above_input_tokens),
    max_size=24,
)
_days = st.dates(JUNE - timedelta(days=1), JUNE + timedelta(days=6))
_ranks = {SHIPPED: 0, LIVE: 1, IMPORT: 2, CONSOLE: 2}


@given(_rows, _days, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_says_nothing(rows: list[Price], day: date, dice: random.Random) -> None:
    shuffled = list(rows)
    dice.shuffle(shuffled)
    assert RateCard(shuffled).find("m", day) == RateCard(rows).find("m", day)


@given(_rows, _days)
def test_no_other_entry_in_force_is_preferred_to_the_one_found(rows: list[Price], day: date) -> None:
    """Against the rules said once more, row by row."""
    entry = RateCard(rows).find("m", day)
    begun = [
        row for row in rows if row.model == "m" and row.active and row.above_input_tokens == 0 and row.valid_from <= day
    ]
    assert (entry is None) == (not begun)
    if entry is None:
        return
    assert entry.valid_from is not None
    best = max(begun, key=lambda row: (_ranks[PriceOrigin(row.origin)], row.valid_from, row.origin == CONSOLE))
    assert (entry.origin, entry.valid_from, entry.tiers[0].input) == (best.origin, best.valid_from, best.input_nano)
    beside = [row for row in rows if (row.model, row.origin, row.valid_from) == ("m", best.origin, best.valid_from)]
    assert {tier.above_input_tokens for tier in entry.tiers} == {row.above_input_tokens for row in beside if row.active}
