"""Likely causes of a drift: which, how large, in which order, and in words of both languages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import translation

from accounts.models import QuotaUnit, Reconciliation
from accounts.reconciling.drift import NANO, Cause, Evidence, likely_causes, note, sentence, verdict

AT = datetime(2026, 11, 20, tzinfo=UTC)


def found(drift: int, evidence: Evidence | None = None, tolerance: int = 0) -> list[tuple[str, int]]:
    return [(cause["code"], cause["nano"]) for cause in likely_causes(drift, tolerance, evidence or Evidence())]


def test_within_the_tolerance_nothing_has_to_be_explained() -> None:
    busy = Evidence(abandoned=3, stand_in_rows=2, open_rows=1)
    assert found(5, busy, tolerance=5) == []
    assert found(-5, busy, tolerance=5) == []


def test_more_at_github_and_nothing_else_known_is_traffic_outside() -> None:
    assert found(7 * NANO) == [(Cause.OUTSIDE, 7 * NANO)]


def test_what_ended_just_before_the_first_reading_explains_its_share_and_no_more() -> None:
    assert found(10, Evidence(late_before=4)) == [(Cause.OUTSIDE, 6), (Cause.LAG, 4)]
    assert found(10, Evidence(late_before=40)) == [(Cause.LAG, 10)]


def test_causes_stand_in_the_order_of_their_size_and_none_exceeds_the_drift() -> None:
    evidence = Evidence(
        abandoned=2, abandoned_reserved=30, open_rows=1, open_reserved=500, stand_in=60, stand_in_rows=3, unpriced=1
    )
    assert found(100, evidence) == [
        (Cause.OUTSIDE, 100),
        (Cause.OPEN, 100),
        (Cause.ESTIMATED, 60),
        (Cause.ABANDONED, 30),
        (Cause.UNPRICED, 0),
    ]


def test_less_at_github_is_lag_as_far_as_the_last_minutes_go() -> None:
    assert found(-10, Evidence(late_until=30)) == [(Cause.LAG, 10)]
    assert found(-10, Evidence(late_until=3)) == [(Cause.RETURNED, 7), (Cause.LAG, 3)]


def test_a_promotion_is_named_when_reported_figures_show_a_discount_that_computed_ones_lack() -> None:
    evidence = Evidence(discounted=200, reported=180, computed=1000, stand_in=1000, stand_in_rows=4)
    assert (Cause.PROMOTION, 100) in found(-100, evidence)
    without = Evidence(discounted=200, reported=200, computed=1000, stand_in=1000, stand_in_rows=4)
    assert Cause.PROMOTION not in dict(found(-100, without))


@pytest.mark.parametrize("code", list(Cause))
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_cause_has_words_with_nothing_left_to_fill_in(code: Cause, language: str) -> None:
    whole = {
        "nano": 1_500_000_000,
        "requests": 3,
        "resolution": NANO // 10,
        "at": AT.isoformat(),
        "since": AT.isoformat(),
    }
    with translation.override(language):
        said = sentence(note(code) | whole, QuotaUnit.CREDITS)
        bare = sentence(note(code), QuotaUnit.CREDITS)
    assert said
    assert "%(" not in said + bare
    assert said != code


def test_a_code_of_a_later_version_stands_for_itself() -> None:
    assert sentence({"code": "moon", "nano": 1}, QuotaUnit.CREDITS) == "moon"


@pytest.mark.parametrize(
    ("github", "said"),
    [
        (None, "It could not be compared."),
        (5 * NANO, "GitHub and the ledger agree."),
        (7 * NANO, "GitHub counted 2.000 AI credits more than the ledger."),
        (NANO, "GitHub counted 4.000 AI credits less than the ledger."),
    ],
)
def test_the_verdict_is_one_sentence(github: int | None, said: str) -> None:
    row = Reconciliation(
        since=AT, until=AT, ledger_nano=5 * NANO, github_nano=github, tolerance_nano=1, unit=QuotaUnit.CREDITS
    )
    assert verdict(row) == said
