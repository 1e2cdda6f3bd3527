"""Reports: grouped by anything, over any stretch of time, narrowed by anything, and never beyond what one may see."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from accounts.days import this_day
from accounts.models import ApiKey, Member, Role, Team
from accounts.reports import Dimension, Measures, Per, ReportQuery, Viewer, parse, run, totals
from accounts.reports.dimensions import last_of
from tests.accounts.booked import booked
from tests.accounts.rows import a_member, a_seat

pytestmark = pytest.mark.django_db

ALL = Viewer.everything()
SUNDAY, MONDAY = date(2026, 11, 1), date(2026, 11, 2)
NEXT_MONTH = date(2026, 12, 1)
CREDIT = 10**9


def query(by: str = "member", per: str = "range", **more: Any) -> ReportQuery:
    filters = {Dimension(name): values for name, values in more.pop("filters", {}).items()}
    days = {"since": SUNDAY, "until": NEXT_MONTH} | more
    return ReportQuery(by=Dimension(by), per=Per(per), filters=filters, **days)


def costs(rows: Any) -> dict[Any, int]:
    return {(row.period, row.name) if row.period else row.name: row.measures.nano for row in rows}


@pytest.fixture
def people() -> tuple[Member, Member]:
    """Two members of two teams with a request each on a Sunday, the Monday after it and the first of next month."""
    rosa, ben = (a_member(name, team=Team.objects.create(name=f"team of {name}")) for name in ("rosa", "ben"))
    number = 0
    for member, factor in ((rosa, 1), (ben, 10)):
        key, _secret = ApiKey.objects.issue(member, "laptop")
        seat = a_seat(member, login=f"octo-{member}")
        for day, nano in ((SUNDAY, 1), (MONDAY, 2), (NEXT_MONTH, 4)):
            number += 1
            booked(
                number, day=day, member=member, team=member.team, key=key, seat=seat, served_model=f"model-{factor}",
                program="codex", session=f"talk-{day}", nano_reported=nano * factor * CREDIT,
            )  # fmt: skip
    return rosa, ben


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("all", {"everything": 77}),
        ("member", {"rosa": 7, "ben": 70}),
        ("team", {"team of rosa": 7, "team of ben": 70}),
        ("model", {"model-1": 7, "model-10": 70}),
        ("seat", {"octo-rosa": 7, "octo-ben": 70}),
        ("program", {"codex": 77}),
    ],
)
def test_usage_is_summed_by_any_dimension(people: Any, by: str, names: dict[str, int]) -> None:
    assert costs(run(ALL, query(by))) == {name: spent * CREDIT for name, spent in names.items()}


def test_keys_are_told_with_their_member(people: Any) -> None:
    rows = list(run(ALL, query("key")))
    assert sorted(row.detail for row in rows) == ["ben", "rosa"]
    assert all(row.name.startswith("laptop (brg_") for row in rows)


def test_conversations_are_the_keys_own_and_the_dearest_comes_first(people: Any) -> None:
    rows = list(run(ALL, query("session")))
    told = [(row.name, row.detail, row.measures.nano // CREDIT) for row in rows]
    assert told[:3] == [("talk-2026-12-01", "ben", 40), ("talk-2026-11-02", "ben", 20), ("talk-2026-11-01", "ben", 10)]
    assert len(rows) == 6
    assert rows[0].measures.average_ms is None


@pytest.mark.parametrize(
    ("per", "sums"),
    [
        ("day", {SUNDAY: 11, MONDAY: 22, NEXT_MONTH: 44}),
        ("week", {date(2026, 10, 26): 11, MONDAY: 22, date(2026, 11, 30): 44}),
        ("month", {SUNDAY: 33, NEXT_MONTH: 44}),
    ],
)
def test_time_is_cut_into_days_weeks_that_begin_on_monday_and_months(people: Any, per: str, sums: Any) -> None:
    rows = list(run(ALL, query("all", per)))
    assert {row.period: row.measures.nano // CREDIT for row in rows} == sums
    assert [row.period for row in rows] == sorted(sums, reverse=True)


def test_within_a_period_the_dearest_comes_first(people: Any) -> None:
    rows = [(row.period, row.name) for row in run(ALL, query("member", "month"))]
    assert rows == [(NEXT_MONTH, "ben"), (NEXT_MONTH, "rosa"), (SUNDAY, "ben"), (SUNDAY, "rosa")]


def test_both_ends_of_the_range_count(people: Any) -> None:
    assert totals(ALL, query(since=MONDAY, until=MONDAY)).nano == 22 * CREDIT
    assert totals(ALL, query(since=NEXT_MONTH + timedelta(days=1), until=NEXT_MONTH + timedelta(days=9))) == Measures(
        total_ms=0
    )


def test_every_dimension_narrows_and_several_values_widen(people: Any) -> None:
    rosa, ben = people
    key = ApiKey.objects.get(member=rosa)
    for filters in (
        {"member": (rosa.pk,)}, {"team": (rosa.team_id,)}, {"key": (key.pk,)}, {"model": ("model-1",)},
        {"program": ("codex",), "member": (rosa.pk,)},
    ):  # fmt: skip
        assert totals(ALL, query(filters=filters)).nano == 7 * CREDIT
    assert totals(ALL, query(filters={"member": (rosa.pk, ben.pk)})).nano == 77 * CREDIT
    assert totals(ALL, query(filters={"member": (rosa.pk,), "model": ("model-10",)})).nano == 0


def test_requests_without_a_member_a_seat_or_a_model_can_be_asked_for(people: Any) -> None:
    booked(90, status="refused", requested_model="nonsense")
    for name, value in (("member", None), ("seat", None), ("model", "")):
        assert totals(ALL, query(filters={name: (value,)})).refused == 1
    rows = {row.name: row.measures.opened for row in run(ALL, query("model"))}
    assert rows["no model"] == 1
    assert totals(ALL, query(filters={"seat": (None, a_seat().pk)})).opened == 1


@pytest.mark.parametrize("by", [by for by in Dimension if by != Dimension.SESSION])
@pytest.mark.parametrize("per", list(Per))
def test_the_lines_of_any_report_add_up_to_its_totals(people: Any, by: Dimension, per: Per) -> None:
    booked(91, status="failed", total_ms=40, input_tokens=3, cached_tokens=9, nano_computed=5)
    asked = query(by, per)
    lines = [row.measures for row in run(ALL, asked)]
    sums = totals(ALL, asked)
    assert sums.opened == 7
    for name in ("opened", "settled", "failed", "input_tokens", "cached_tokens", "nano", "nano_stand_in", "total_ms"):
        assert sum(getattr(line, name) for line in lines) == getattr(sums, name)


def test_a_page_is_cut_out_of_the_lines(people: Any) -> None:
    whole = list(run(ALL, query("member", "day")))
    assert [*run(ALL, query("member", "day"), start=0, limit=4), *run(ALL, query("member", "day"), start=4)] == whole


@pytest.mark.parametrize("per", [Per.DAY, Per.WEEK, Per.MONTH])
@pytest.mark.parametrize("end", [1, 3, 7, 40])
def test_the_first_lines_of_a_long_range_are_those_of_the_whole(per: Per, end: int) -> None:
    for number in range(1, 21):
        booked(
            number, day=NEXT_MONTH - timedelta(days=number * 17), served_model=f"m{number % 3}", nano_reported=number
        )
    asked = query("model", per, since=date(2025, 1, 1))
    assert list(run(ALL, asked, limit=end)) == list(run(ALL, asked))[:end]
    assert list(run(ALL, asked, start=2, limit=end)) == list(run(ALL, asked))[2 : 2 + end]


def test_lines_are_sorted_by_any_column(people: Any) -> None:
    assert [row.name for row in run(ALL, query("member", order="nano"))] == ["rosa", "ben"]
    assert [row.name for row in run(ALL, query("member", order="-nano"))] == ["ben", "rosa"]
    assert [row.measures.nano // CREDIT for row in run(ALL, query("session", order="nano"))] == [1, 2, 4, 10, 20, 40]


@pytest.mark.parametrize("by", list(Dimension))
def test_a_member_sees_own_rows_whatever_the_query_asks_for(people: Any, by: Dimension) -> None:
    rosa, ben = people
    own = Viewer.only(rosa.pk)
    assert sum(row.measures.nano for row in run(own, query(by))) == 7 * CREDIT
    assert totals(own, query(by)).nano == 7 * CREDIT
    stolen = query(by, filters={"member": (ben.pk,)})
    assert [row for row in run(own, stolen) if row.measures.opened] == []
    assert totals(own, stolen).opened == 0


def test_a_viewer_that_is_nobody_sees_nothing(people: Any) -> None:
    assert list(run(Viewer(), query())) == []
    assert totals(Viewer(), query("session")).opened == 0


@pytest.mark.parametrize(("role", "sees_all"), [(Role.OWNER, True), (Role.AUDITOR, True), (Role.MEMBER, False)])
def test_owners_and_auditors_see_everything_members_their_own(role: Role, sees_all: bool) -> None:
    member = a_member(role=role)
    assert Viewer.of(member) == (Viewer.everything() if sees_all else Viewer.only(member.pk))


def test_reported_and_stand_in_credits_stand_apart() -> None:
    booked(1, nano_reported=3 * CREDIT, nano_computed=9)
    booked(2, nano_computed=CREDIT // 2)
    sums = totals(ALL, query())
    assert (sums.credits, sums.credits_reported, sums.credits_stand_in) == (Decimal("3.5"), Decimal(3), Decimal("0.5"))


def test_the_share_of_cache_misses_and_the_average_time_are_those_of_the_sums() -> None:
    booked(1, input_tokens=10, cached_tokens=80, cache_write_tokens=10, total_ms=100)
    booked(2, input_tokens=20, cached_tokens=0, cache_write_tokens=0, total_ms=301, status="cancelled")
    booked(3, status="open")
    sums = totals(ALL, query())
    assert (sums.miss_share, sums.average_ms, sums.open) == (Decimal("0.2500"), 200, 1)
    assert (Measures().miss_share, Measures(total_ms=0).average_ms) == (None, None)


def test_a_report_asks_the_database_as_often_for_many_lines_as_for_few(django_assert_num_queries: Any) -> None:
    for number in range(1, 60):
        booked(number, member=a_member(), served_model=f"model-{number}")
    for by in ("member", "model"):
        expected = 2 if by == "member" else 1
        with django_assert_num_queries(expected):
            assert len(list(run(ALL, query(by)))) == 59


def test_an_address_without_words_means_this_month_by_member() -> None:
    asked = parse(QueryDict())
    today = this_day()
    assert asked == ReportQuery(Dimension.MEMBER, Per.RANGE, today.replace(day=1), today, {}, "")


def test_an_address_says_what_how_when_and_whose() -> None:
    asked = parse(
        QueryDict("by=model&per=week&since=2026-10-05&until=2026-11-22&member=3&member=4&seat=none&order=-opened")
    )
    assert asked == ReportQuery(
        Dimension.MODEL,
        Per.WEEK,
        date(2026, 10, 5),
        date(2026, 11, 22),
        {Dimension.MEMBER: (3, 4), Dimension.SEAT: (None,)},
        "-opened",
    )


FAULTS = [
    ("by=colour", "by"), ("per=hour", "per"), ("since=yesterday", "since"), ("until=2026-13-01", "until"),
    ("since=2026-11-22&until=2026-11-21", "since"), ("member=rosa", "member"), ("key=-1", "key"),
    ("seat=99999999999999999999", "seat"), ("order=colour", "order"), ("membr=3", "membr"), ("session=x", "session"),
    ("by=session&seat=3", "seat"), ("by=session&per=day", "per"), ("by=session&model=x", "model"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "parameter"), FAULTS)
def test_what_cannot_be_understood_is_named_with_its_parameter(text: str, parameter: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse(QueryDict(text))
    assert list(caught.value.message_dict) == [parameter]


def test_all_faults_of_an_address_are_told_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        parse(QueryDict("by=colour&since=x&foo=1"))
    assert set(caught.value.message_dict) == {"by", "since", "foo"}


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_month_ends_the_day_before_the_next_begins(day: date) -> None:
    first = day.replace(day=1)
    end = last_of(Per.MONTH, first)
    assert (end.month, (end + timedelta(days=1)).day) == (first.month, 1)
