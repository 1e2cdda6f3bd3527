"""How long a seat lasts, as pages say it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import QuotaReading, QuotaSource, Seat
from accounts.models.quota_reading import Grain
from accounts.quotas.forecast import Forecast
from accounts.quotas.outlook import NOTHING_KNOWN, by_day, history, outlook, outlooks
from accounts.quotas.readings import note
from accounts.quotas.words import forecast_in_words, left_in_words, unit_of, window_in_words
from bridge.copilot.quota import Quota
from tests.accounts.rows import a_seat

NOW = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
RESET = datetime(2026, 12, 1, tzinfo=UTC)


def credits_left(left: float, total: float = 1500.0, **fields: Any) -> Quota:
    told = {"reset_at": RESET.timestamp(), "token_based": True, "percent_remaining": 100 * left / total} | fields
    return Quota("premium_interactions", entitlement=total, remaining=left, **told)


def used_since(seat: Seat, hours: int, per_hour: float, *, start: float = 1500.0) -> None:
    """Readings of every hour until NOW."""
    for hour in range(hours + 1):
        at = NOW - timedelta(hours=hours - hour)
        note(seat.pk, [credits_left(start - hour * per_hour)], at.timestamp(), QuotaSource.ACCOUNT)
    seat.refresh_from_db()


WORDS = [
    (credits_left(1234.0), "1,234 of 1,500 credits (82 %)"),
    (credits_left(1234.0, token_based=False), "1,234 of 1,500 premium requests (82 %)"),
    (credits_left(1234.0, token_based=None), "1,234 of 1,500 (82 %)"),
    (credits_left(-3.0, percent_remaining=-0.2), "-3 of 1,500 credits (0 %)"),
    (credits_left(0.0, overage_permitted=True, overage_count=25.0), "0 of 1,500 credits (0 %), and 25 beyond it"),
    (Quota("premium_interactions", unlimited=True), "unlimited"),
    (Quota("premium_interactions", percent_remaining=40.0, token_based=True), "40 %"),
    (Quota("chat", entitlement=200.0, remaining=150.0), "150 of 200 chat messages (75 %)"),
    (Quota("premium_interactions"), ""),
]


@pytest.mark.parametrize(("quota", "words"), WORDS)
def test_what_is_left_is_said_with_its_unit(quota: Quota, words: str) -> None:
    assert left_in_words(quota) == words


def test_a_window_says_when_it_resets_until_it_has() -> None:
    quota = Quota("session", entitlement=0.0, percent_remaining=5.7, reset_at=(NOW + timedelta(hours=2)).timestamp())
    assert window_in_words(quota, NOW) == "5-hour limit: 6 % left, resets Nov. 10, 2026, 2 p.m."
    assert window_in_words(quota, NOW + timedelta(hours=2)) == "5-hour limit: reset since it was last seen"
    assert window_in_words(Quota("weekly", percent_remaining=50.0), NOW) == "weekly limit: 50 % left"
    assert window_in_words(Quota("weekly"), NOW) == ""


def test_days_are_those_of_the_installations_zone(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Shanghai"
    evening = datetime(2026, 11, 22, 20, 0, tzinfo=UTC).timestamp()
    with timezone.override("America/New_York"):
        assert forecast_in_words(Forecast(1.0, evening, None)) == "at this pace empty on Nov. 23, 2026"
        assert forecast_in_words(Forecast(1.0, None, evening)) == "lasts until the reset on Nov. 23, 2026"
    assert forecast_in_words(None) == ""


def test_only_known_units_are_said() -> None:
    assert unit_of(Quota("session", token_based=True)) == ""


@pytest.mark.django_db
def test_a_seat_that_is_used_evenly_runs_out_on_a_day() -> None:
    seat = a_seat()
    used_since(seat, 48, 10.0)
    found = outlook(seat, NOW)
    assert found.left == "1,020 of 1,500 credits (68 %)"
    assert found.end == "at this pace empty on Nov. 14, 2026"
    assert (found.resets, found.is_scarce) == ("Dec. 1, 2026", True)


@pytest.mark.django_db
def test_a_seat_that_is_hardly_used_lasts_until_its_reset() -> None:
    seat = a_seat()
    used_since(seat, 48, 0.1)
    found = outlook(seat, NOW)
    assert (found.end, found.is_scarce) == ("lasts until the reset on Dec. 1, 2026", False)


@pytest.mark.django_db
def test_headers_that_tell_percent_alone_are_forecast_as_well() -> None:
    seat = a_seat()
    for hour in range(49):
        quota = Quota("premium_interactions", percent_remaining=100.0 - hour, reset_at=RESET.timestamp())
        note(seat.pk, [quota], (NOW - timedelta(hours=48 - hour)).timestamp())
    seat.refresh_from_db()
    found = outlook(seat, NOW)
    assert (found.left, found.end) == ("52 %", "at this pace empty on Nov. 12, 2026")


@pytest.mark.django_db
def test_nothing_is_said_of_what_is_not_known() -> None:
    seat = a_seat()
    assert outlook(seat, NOW) == NOTHING_KNOWN
    note(seat.pk, [credits_left(20.0)], NOW.timestamp())
    seat.refresh_from_db()
    found = outlook(seat, NOW)
    assert (found.end, found.forecast, found.is_scarce) == ("", None, True)
    after = outlook(seat, RESET + timedelta(hours=1))
    assert not after.is_scarce


@pytest.mark.django_db
def test_the_history_of_a_day_says_what_was_left_and_used() -> None:
    seat = a_seat()
    used_since(seat, 48, 10.0)
    lines = by_day(history(seat, NOW))
    assert [(line.day.day, line.left, line.used) for line in lines] == [
        (10, 1020.0, 130.0),
        (9, 1150.0, 240.0),
        (8, 1390.0, None),
    ]


@pytest.mark.django_db
def test_a_day_with_a_reset_says_no_use() -> None:
    seat = a_seat()
    note(seat.pk, [credits_left(100.0)], (NOW - timedelta(days=1)).timestamp())
    note(seat.pk, [credits_left(1500.0)], NOW.timestamp())
    seat.refresh_from_db()
    assert [line.used for line in by_day(history(seat, NOW))] == [None, None]


@pytest.mark.django_db
def test_many_seats_are_looked_up_at_once(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    seats = [a_seat() for _ in range(20)]
    for seat in seats:
        note(seat.pk, [credits_left(700.0)], NOW.timestamp())
    QuotaReading.objects.update(grain=Grain.HOURLY)
    rows = list(Seat.objects.all())
    with django_assert_num_queries(2):
        found = outlooks(rows, NOW)
    assert {outlook.left for outlook in found.values()} == {"700 of 1,500 credits (47 %)"}
