"""The ledger in the console: found by what people have in hand, read only, quick with many rows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.admin.ledger_list import request_id
from accounts.days import this_day
from accounts.models import ApiKey, UsageAttempt, UsageDay, UsageRecord, UsageSession
from accounts.reports.window import ROWS
from tests.accounts.booked import booked
from tests.accounts.console import list_of, owner, page_of, saving, text_of
from tests.accounts.rows import a_member, a_record, a_seat

__all__ = ["owner"]

pytestmark = pytest.mark.django_db

ID = UUID("0198f3a1-2b3c-7d4e-8f50-123456789abc")


def found(owner: Client, **query: str) -> list[int]:
    """Return the numbers of the rows that the list shows, in its order."""
    page = owner.get(list_of("usagerecord"), query)
    assert page.status_code == 200
    return [row.pk.int for row in page.context["cl"].result_list]


@pytest.mark.parametrize(
    "text",
    [str(ID), ID.hex, f"req_{ID}", f"req_{ID.hex}", f"  {str(ID).upper()} ", f"REQ_{ID.hex}"],
)
def test_a_request_is_found_by_its_id_however_it_was_copied(owner: Client, text: str) -> None:
    a_record(ID.int)
    a_record(1, tag=str(ID))
    assert found(owner, q=text) == [ID.int]


@pytest.mark.parametrize("text", ["", "req_", "rosa", "0198f3a1", "gpt-5.2"])
def test_other_words_are_no_request_id(text: str) -> None:
    assert request_id(text) is None


@pytest.mark.parametrize("word", ["rosa", "ROS", "laptop", "gpt-5.2", "gpt-4o-mini", "sprint-9", "cc-7"])
def test_a_request_is_found_by_member_key_model_and_booking(owner: Client, word: str) -> None:
    a_record(
        1, member_name="rosa", key_name="laptop", requested_model="gpt-4o-mini", served_model="gpt-5.2",
        tag="sprint-9", cost_centre="cc-7",
    )  # fmt: skip
    a_record(2, member_name="ben", served_model="claude-opus-4.5")
    assert found(owner, q=word) == [1]


def test_the_latest_request_comes_first(owner: Client) -> None:
    for number in (2, 9, 5):
        a_record(number)
    assert found(owner) == [9, 5, 2]


def test_the_list_shows_who_asked_for_what_and_what_it_took(owner: Client) -> None:
    member, seat = a_member("rosa"), a_seat(login="octo")
    key, _secret = ApiKey.objects.issue(member, "laptop")
    a_record(
        1, member=member, member_name="rosa", key=key, key_name="laptop", seat=seat, seat_name="octo", door="messages",
        requested_model="gpt-4o-mini", served_model="claude-opus-4.5", status="failed", input_tokens=1234,
        cached_tokens=50000, output_tokens=77, nano_reported=1_234_500_000, first_byte_ms=420, total_ms=9876,
        attempts=2,
    )  # fmt: skip
    page = text_of(owner.get(list_of("usagerecord")))
    for shown in (
        "2026-11-01 12:00:00", ">rosa<", f"laptop {key.hint}", "messages", "gpt-4o-mini → claude-opus-4.5", "failed",
        "1,234", "50,000", ">77<", "1.235", "octo", ">420<", "9,876", ">2<",
    ):  # fmt: skip
        assert shown in page


def test_an_estimated_cost_is_marked(owner: Client) -> None:
    a_record(1, nano_computed=2_000_000_000, cost_source="estimated")
    assert "≈ 2.000" in text_of(owner.get(list_of("usagerecord")))


def test_filters_narrow_by_status_door_model_member_seat_and_streaming(owner: Client) -> None:
    rosa, seat = a_member("rosa"), a_seat()
    a_record(1, status="failed", door="messages", served_model="gpt-5", member=rosa, seat=seat, streamed=True)
    a_record(2, served_model="gpt-5-mini")
    for query in (
        {"status__exact": "failed"}, {"door": "messages"}, {"model": "gpt-5"}, {"member__id__exact": str(rosa.pk)},
        {"seat__id__exact": str(seat.pk)}, {"streamed__exact": "1"},
    ):  # fmt: skip
        assert found(owner, **query) == [1]


DAYS = [
    ("today", 0, True), ("today", 1, False), ("yesterday", 1, True), ("yesterday", 0, False), ("week", 6, True),
    ("week", 7, False), ("month", 29, True), ("month", 30, False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "days_ago", "is_found"), DAYS)
def test_the_last_days_have_names(owner: Client, name: str, days_ago: int, is_found: bool) -> None:
    a_record(1, day=this_day() - timedelta(days=days_ago))
    assert found(owner, day=name) == ([1] if is_found else [])


@pytest.mark.parametrize(("period", "rows"), [("2026", [3, 2, 1]), ("2026-11", [3, 2]), ("2026-11-22", [3])])
def test_a_year_a_month_and_a_day_are_drilled_into(owner: Client, period: str, rows: list[int]) -> None:
    for number, day in enumerate((date(2026, 2, 28), date(2026, 11, 1), date(2026, 11, 22), date(2027, 1, 1)), 1):
        a_record(number, day=day)
    assert found(owner, day=period) == rows


def test_a_day_that_is_none_leads_back_to_the_whole_list(owner: Client) -> None:
    answer = owner.get(list_of("usagerecord"), {"day": "2026-13"})
    assert answer["location"] == f"{list_of('usagerecord')}?e=1"


def test_the_drill_down_keeps_the_other_filters_and_leaves_the_page(owner: Client) -> None:
    a_record(1, day=date(2026, 11, 22))
    a_record(2, day=date(2026, 11, 23), status="failed")
    page = owner.get(list_of("usagerecord"), {"status__exact": "failed", "p": "1", "day": "2026-11"})
    drill = page.context["drilldown"]
    assert drill.here == "November 2026"
    assert [step.link for step in drill.steps] == [f"?status__exact=failed&day=2026-11-{day}" for day in (22, 23)]
    assert drill.back.link == "?status__exact=failed&day=2026"


def test_a_list_of_many_asks_the_database_as_often_as_a_list_of_one(owner: Client) -> None:
    asked = []
    for rows in (range(1, 2), range(2, 40)):
        for number in rows:
            member = a_member()
            key, _secret = ApiKey.objects.issue(member)
            a_record(number, member=member, key=key, seat=a_seat(member), member_name=member.username)
        owner.get(list_of("usagerecord"))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            owner.get(list_of("usagerecord"))
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_no_look_at_the_list_counts_or_walks_the_whole_ledger(owner: Client) -> None:
    a_record(1)
    with CaptureQueriesContext(connection) as queries:
        owner.get(list_of("usagerecord"))
    on_ledger = [query["sql"] for query in queries if 'FROM "accounts_usagerecord"' in query["sql"]]
    assert on_ledger
    assert [sql for sql in on_ledger if "COUNT(" in sql or "LIMIT" not in sql] == []


@pytest.fixture
def two_big_days() -> None:
    """As many requests on one day as a list looks at, by the roll-ups, and one failed request on the day before."""
    a_record(1, day=date(2026, 11, 20), status="failed", member_name="rosa", door="messages", served_model="gpt-5")
    a_record(2, day=date(2026, 11, 21))
    UsageDay.objects.create(slot="a", day=date(2026, 11, 20), opened=1)
    UsageDay.objects.create(slot="b", day=date(2026, 11, 21), opened=ROWS)


LABORIOUS: list[dict[str, str]] = [
    {"status__exact": "failed"}, {"door": "messages"}, {"model": "gpt-5"}, {"q": "rosa"}, {"o": "-7"},
    {"streamed__exact": "0"}, {"status__exact": "failed", "day": "2026"},
]  # fmt: skip


@pytest.mark.parametrize("query", LABORIOUS)
def test_what_no_index_answers_is_looked_for_in_the_newest_days_and_the_page_leads_to_earlier_ones(
    owner: Client, two_big_days: None, query: dict[str, str]
) -> None:
    page = owner.get(list_of("usagerecord"), query)
    assert 1 not in [row.pk.int for row in page.context["cl"].result_list]
    assert "since 2026-11-21 only" in text_of(page)
    earlier = owner.get(list_of("usagerecord") + page.context["cl"].earlier)
    assert [row.pk.int for row in earlier.context["cl"].result_list] == [1]
    assert "since 2026-11-20 only" not in text_of(earlier)


@pytest.mark.parametrize("query", [{}, {"day": "2026-11-20"}, {"q": str(UUID(int=1))}, {"p": "1"}])
def test_what_an_index_answers_is_looked_for_everywhere(
    owner: Client, two_big_days: None, query: dict[str, str]
) -> None:
    page = owner.get(list_of("usagerecord"), query)
    assert 1 in [row.pk.int for row in page.context["cl"].result_list]
    assert page.context["cl"].earlier == ""


def test_open_requests_are_found_whatever_their_day(owner: Client, two_big_days: None) -> None:
    a_record(3, day=date(2026, 10, 1), status="open")
    assert found(owner, status__exact="open") == [3]


def test_a_range_of_days_can_be_asked_for(owner: Client) -> None:
    for number, day in enumerate((date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 30), date(2026, 12, 1)), 1):
        a_record(number, day=day)
    assert found(owner, day="2026-11-02..2026-11-30") == [3, 2]
    assert found(owner, day="2026-11-02..2026-12") == [4, 3, 2]
    assert owner.get(list_of("usagerecord"), {"day": "2026-11-30..2026-11-02"}).status_code == 302


def test_a_request_leads_to_its_conversation(owner: Client) -> None:
    key, _secret = ApiKey.objects.issue(a_member("rosa"))
    record = booked(1, key=key, session="talk")
    assert page_of(UsageSession.objects.get()) in text_of(owner.get(page_of(record)))


def test_pages_lead_on_without_a_number_of_all_rows(owner: Client) -> None:
    for number in range(1, 52):
        a_record(number)
    assert len(found(owner)) == 50
    assert found(owner, p="2") == [1]


def form(**changes: Any) -> dict[str, Any]:
    empty = {f"attempt_rows-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")}
    return {"note": "", "tag": "", "cost_centre": "", **empty, **changes}


def test_only_note_tag_and_cost_centre_are_written(owner: Client) -> None:
    record = a_record(1, input_tokens=10, nano_reported=5, member_name="rosa")
    owner.post(
        page_of(record),
        form(note="ok", tag="t", cost_centre="cc", input_tokens="0", nano_reported="0", member_name="x", status="open"),
    )
    kept = UsageRecord.objects.get()
    assert (kept.note, kept.tag, kept.cost_centre) == ("ok", "t", "cc")
    assert (kept.input_tokens, kept.nano_reported, kept.member_name, kept.status) == (10, 5, "rosa", "settled")
    assert LogEntry.objects.get().get_change_message() == "Changed Note, Tag and Cost centre."


def test_a_note_saved_while_the_request_settles_does_not_undo_the_settlement() -> None:
    record = a_record(1, status="open", settled_at=None)
    with saving(record, {"note": "late", "tag": "", "cost_centre": ""}):
        UsageRecord.objects.as_ledger().update(status="settled", output_tokens=99)
    kept = UsageRecord.objects.get()
    assert (kept.status, kept.output_tokens, kept.note) == ("settled", 99, "late")


def test_attempts_are_shown_under_the_request_and_cannot_be_changed(owner: Client) -> None:
    record = a_record(1)
    for number, status in ((1, 502), (2, 200)):
        UsageAttempt.objects.create(record=record, number=number, seat_name=f"octo-{number}", status=status, nano=10**9)
    page = text_of(owner.get(page_of(record)))
    assert all(shown in page for shown in ("octo-1", "octo-2", "502", "1.000"))
    assert 'name="attempt_rows-0-status"' not in page
