"""The rate card in the console: one's own prices exact in credits, all others switched and noted only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.admin.price import exact_credits
from accounts.days import this_day
from accounts.models import Epoch, Price, PriceOrigin
from accounts.prices.card import load_card
from tests.accounts.cards import CREDIT, a_price
from tests.accounts.console import act_on, auditor, list_of, owner, page_of, text_of, ticked

__all__ = ["auditor", "owner"]

pytestmark = pytest.mark.django_db

ADD = "admin:accounts_price_add"
ELSEWHERE = [PriceOrigin.SHIPPED, PriceOrigin.LIVE, PriceOrigin.IMPORT]


@pytest.fixture(autouse=True)
def no_prices() -> None:
    Price.objects.all().delete()


def a_form(**changes: Any) -> dict[str, Any]:
    form = {
        "model": "m", "above_input_tokens": "0", "valid_from": "2026-07-01", "input_credits": "500",
        "cached_credits": "", "cache_write_credits": "", "output_credits": "2500", "active": "on", "note": "",
    }  # fmt: skip
    return form | changes


def saved(**fields: Any) -> Price:
    price = a_price(**fields)
    price.save()
    return price


def test_a_price_is_made_in_credits_and_kept_to_the_nano(owner: Client) -> None:
    before = Epoch.current()
    form = a_form(input_credits="0.000000001", cached_credits="0", cache_write_credits="9223372036.854775807")
    owner.post(reverse(ADD), form)
    price = Price.objects.get()
    assert (price.input_nano, price.cached_nano, price.cache_write_nano) == (1, 0, 2**63 - 1)
    assert (price.output_nano, price.origin) == (2500 * CREDIT, PriceOrigin.CONSOLE)
    assert Epoch.current() > before


def test_an_empty_amount_is_that_of_input_and_stays_empty(owner: Client) -> None:
    owner.post(reverse(ADD), a_form())
    price = Price.objects.get()
    assert (price.cached_nano, price.cache_write_nano) == (None, None)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"input_credits": ""}, "This field is required"),
        ({"output_credits": ""}, "This field is required"),
        ({"input_credits": "-1"}, "greater than or equal to 0"),
        ({"input_credits": "0.0000000001"}, "no more than 9 decimal places"),
        ({"cached_credits": "9223372036.854775808"}, "less than or equal to"),
        ({"input_credits": "nan"}, "Enter a number"),
        ({"model": "a b"}, "A model&#x27;s id has no spaces."),
        ({"above_input_tokens": "-1"}, "greater than or equal to 0"),
        ({"above_input_tokens": "100"}, "First make the price above 0"),
        ({"valid_from": ""}, "This field is required"),
    ],
)
def test_what_is_wrong_is_told_and_not_saved(owner: Client, changes: dict[str, str], told: str) -> None:
    assert told in text_of(owner.post(reverse(ADD), a_form(**changes)))
    assert not Price.objects.exists()


def test_a_tier_and_day_has_one_price_and_higher_tiers_stand_on_the_first(owner: Client) -> None:
    owner.post(reverse(ADD), a_form())
    assert "There is a price for this model" in text_of(owner.post(reverse(ADD), a_form(input_credits="1")))
    owner.post(reverse(ADD), a_form(above_input_tokens="200000"))
    owner.post(reverse(ADD), a_form(valid_from="2026-08-01"))
    assert Price.objects.count() == 3


def test_an_amount_is_shown_as_it_was_written_and_saving_it_again_changes_nothing(owner: Client) -> None:
    price = saved(origin=PriceOrigin.CONSOLE, input_nano=1_234_567_890_123, cached_nano=None)
    page = text_of(owner.get(page_of(price)))
    assert 'value="1234.567890123"' in page
    form = a_form(input_credits="1234.567890123", output_credits="1000", valid_from="2026-06-01", note="dear")
    owner.post(page_of(price), form)
    price.refresh_from_db()
    assert (price.input_nano, price.cached_nano, price.note) == (1_234_567_890_123, None, "dear")


def test_ones_own_price_is_changed_and_deleted(owner: Client) -> None:
    price = saved(origin=PriceOrigin.CONSOLE)
    owner.post(page_of(price), a_form(input_credits="7.5", cached_credits="1"))
    price.refresh_from_db()
    assert (price.input_nano, price.cached_nano, str(price.valid_from)) == (75 * CREDIT // 10, CREDIT, "2026-07-01")
    owner.post(reverse("admin:accounts_price_delete", args=[price.pk]), {"post": "yes"})
    assert not Price.objects.exists()


@pytest.mark.parametrize("origin", ELSEWHERE)
def test_a_price_decided_elsewhere_can_be_switched_off_and_noted_only(owner: Client, origin: PriceOrigin) -> None:
    price = saved(origin=origin, input_=3)
    page = text_of(owner.get(page_of(price)))
    assert 'name="input_credits"' not in page
    assert 'name="model"' not in page
    owner.post(page_of(price), a_form(active="", note="not for us", model="x", input_credits="9"))
    price.refresh_from_db()
    assert (price.model, price.input_nano, price.origin) == ("m", 3 * CREDIT, origin)
    assert (price.active, price.note) == (False, "not for us")
    assert owner.post(reverse("admin:accounts_price_delete", args=[price.pk]), {"post": "yes"}).status_code == 403


def test_the_list_marks_what_holds_today(owner: Client) -> None:
    later = this_day() + timedelta(days=1)
    rows = {
        "covered": saved(input_=1),
        "in force": saved(input_=2, origin=PriceOrigin.LIVE),
        "not yet": saved(input_=3, origin=PriceOrigin.CONSOLE, valid_from=later),
        "switched off": saved(input_=4, origin=PriceOrigin.IMPORT, active=False),
    }
    page = owner.get(list_of("price"))
    states = {row.pk: row.shown_state for row in page.context["cl"].result_list}
    assert states == {
        rows["covered"].pk: "covered", rows["in force"].pk: "current", rows["not yet"].pk: "later",
        rows["switched off"].pk: "off",
    }  # fmt: skip
    for word in ("in force", "another holds", "not yet in force", "switched off"):
        assert word in text_of(page)


def test_the_card_is_read_once_for_a_page_of_prices(owner: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(40):
        saved(model=f"m{number}")
    with django_assert_max_num_queries(14):
        owner.get(list_of("price"))


def test_the_list_can_be_narrowed_to_one_origin(owner: Client) -> None:
    saved(model="from-the-house")
    saved(model="from-a-person", origin=PriceOrigin.CONSOLE)
    shown = text_of(owner.get(list_of("price"), {"origin__exact": "console"}))
    assert "from-a-person" in shown
    assert "from-the-house" not in shown


def test_prices_are_switched_off_and_on_by_a_button_and_many_at_once(owner: Client) -> None:
    one, other = saved(model="a"), saved(model="b")
    owner.post(act_on(one, "switch_off_one"), {"confirmed": "yes"})
    assert load_card().find("a", this_day()) is None
    owner.post(list_of("price"), ticked("switch_off_many", one, other, confirmed="yes"))
    assert not Price.objects.filter(active=True).exists()
    owner.post(list_of("price"), ticked("switch_on_many", one, other, confirmed="yes"))
    assert Price.objects.filter(active=True).count() == 2


def test_an_auditor_reads_the_card_and_changes_nothing(auditor: Client) -> None:
    price = saved(origin=PriceOrigin.CONSOLE, input_=3)
    assert "m" in text_of(auditor.get(list_of("price")))
    assert auditor.post(page_of(price), a_form(input_credits="9")).status_code == 403
    price.refresh_from_db()
    assert price.input_nano == 3 * CREDIT


@pytest.mark.parametrize(
    ("nano", "text"),
    [(None, "–"), (0, "0"), (1, "0.000000001"), (500 * CREDIT, "500"), (1_234_500_000_000, "1,234.5")],
)
def test_credits_of_the_card_have_every_decimal_that_there_is(nano: int | None, text: str) -> None:
    assert exact_credits(nano) == text
