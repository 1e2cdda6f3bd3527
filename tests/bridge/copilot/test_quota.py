"""Allowances in headers and snapshots."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.copilot.quota import (
    Quota,
    governing_quota,
    read_moment,
    read_quota_headers,
    read_quota_snapshots,
)


def test_a_credit_header_is_read_whole() -> None:
    value = "ent=10000000&ov=0.0&ovPerm=true&rem=97.1&rst=2026-09-01T00%3A00%3A00Z&totRem=9719759.1"
    (quota,) = read_quota_headers({"X-Quota-Snapshot-Premium_Models": value})
    assert quota == Quota(
        "premium_models",
        entitlement=10_000_000,
        remaining=9_719_759.1,
        percent_remaining=97.1,
        overage_permitted=True,
        reset_at=1_788_220_800.0,
    )


def test_what_is_left_follows_from_the_percentage() -> None:
    (quota,) = read_quota_headers({"x-quota-snapshot-premium_interactions": "ent=300&ov=2.5&ovPerm=false&rem=29.7"})
    assert quota.remaining == pytest.approx(89.1)
    assert quota.overage_count == 2.5


def test_minus_one_means_unlimited() -> None:
    (quota,) = read_quota_headers({"x-quota-snapshot-chat": "ent=-1&rem=0.0"})
    assert quota.unlimited
    assert quota.entitlement is None
    assert not quota.exhausted


def test_session_and_weekly_limits_are_quotas_too() -> None:
    headers = httpx.Headers(
        {
            "x-usage-ratelimit-session": "ent=0&ov=0.0&ovPerm=false&rem=5.7&rst=2026-05-01T00%3A00%3A00Z",
            "x-usage-ratelimit-weekly": "ent=0&ov=0.0&ovPerm=false&rem=0.0",
            "content-type": "text/event-stream",
        }
    )
    session, weekly = read_quota_headers(headers)
    assert (session.name, session.percent_remaining, session.remaining) == ("session", 5.7, None)
    assert weekly.exhausted


@pytest.mark.parametrize("value", ["", "garbage", "ent=many&rem=nan", "&" * 200 + "a=1"])
def test_a_header_that_says_nothing_is_no_quota(value: str) -> None:
    assert read_quota_headers({"x-quota-snapshot-chat": value}) == ()


@given(st.text())
def test_no_header_value_raises(value: str) -> None:
    read_quota_headers({"x-quota-snapshot-chat": value, "x-usage-ratelimit-weekly": "ent=1&rst=" + value})


def test_overage_keeps_a_seat_going() -> None:
    assert Quota("premium_models", entitlement=300, remaining=-4, overage_permitted=False).exhausted
    assert not Quota("premium_models", entitlement=300, remaining=-4, overage_permitted=True).exhausted
    assert not Quota("premium_models").exhausted


def test_snapshots_of_the_wrong_shape_are_left_out() -> None:
    assert read_quota_snapshots(None) == ()
    assert read_quota_snapshots({"chat": None, "completions": 3}) == ()


def test_the_account_lends_its_reset_to_snapshots_without_one() -> None:
    first, second = read_quota_snapshots(
        {"a": {"entitlement": 1, "quota_reset_at": 0}, "b": {"entitlement": 1, "quota_reset_at": 1767225600}},
        reset_at=5.0,
    )
    assert (first.reset_at, second.reset_at) == (5.0, 1_767_225_600.0)


def test_premium_models_govern_a_paid_seat_and_chat_a_free_one() -> None:
    quotas = [Quota("chat"), Quota("premium_interactions"), Quota("premium_models")]
    assert governing_quota(quotas, free=False) == Quota("premium_models")
    assert governing_quota(quotas[:2], free=False) == Quota("premium_interactions")
    assert governing_quota(quotas, free=True) == Quota("chat")
    assert governing_quota([], free=True) is None


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-07-01", 1_782_864_000.0),
        ("2026-07-01T00:00:00.000Z", 1_782_864_000.0),
        ("2026-07-01T02:00:00+02:00", 1_782_864_000.0),
        (1_773_187_200, 1_773_187_200.0),
        (0, None),
        (True, None),
        ("soon", None),
        (None, None),
    ],
)
def test_moments_come_in_several_spellings(value: object, moment: float | None) -> None:
    assert read_moment(value) == moment
