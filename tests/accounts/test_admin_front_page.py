"""The console's front page: its numbers are the ledger's, and each link leads to the rows it counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.admin.dashboard import Figure
from accounts.days import end_of, start_of, this_day
from accounts.models import Budget, BudgetPeriod, Instance, SeatState
from tests.accounts.booked import booked
from tests.accounts.console import auditor, owner, text_of
from tests.accounts.rows import a_member, a_record, a_seat

__all__ = ["auditor", "owner"]

pytestmark = pytest.mark.django_db

ALIVE, SILENT, STOPPED = UUID(int=1), UUID(int=2), UUID(int=3)


def front_page(client: Client) -> Any:
    return client.get(reverse("admin:index")).context


def numbers(figures: list[Figure]) -> dict[str, str]:
    return {figure.title: figure.value for figure in figures}


def rows_behind(client: Client, link: str) -> int:
    return len(client.get(link).context["cl"].result_list)


def today(number: int, **fields: Any) -> None:
    booked(number, day=this_day(), **fields)


def test_an_empty_ledger_is_shown_as_nothing_not_as_an_error(owner: Client) -> None:
    page = front_page(owner)
    assert numbers(page["figures"]) == {
        "Requests": "0", "Failures": "0", "Credits": "0.000", "Tokens in": "0", "Tokens out": "0",
    }  # fmt: skip
    assert (page["models"], page["members"], page["running"], page["outcomes"]) == ([], [], [], [])


def test_todays_figures_add_up_what_was_opened_today(owner: Client) -> None:
    today(1, nano_reported=1_500_000_000, nano_computed=9, input_tokens=10, cached_tokens=1000, output_tokens=5)
    today(2, nano_computed=250_000_000, cache_write_tokens=90, output_tokens=7, status="failed")
    today(3, status="refused")
    booked(4, day=this_day() - timedelta(days=1), nano_reported=7_000_000_000, input_tokens=10**6)
    page = front_page(owner)
    assert numbers(page["figures"]) == {
        "Requests": "3", "Failures": "1", "Credits": "1.750", "Tokens in": "1,100", "Tokens out": "12",
    }  # fmt: skip
    details = {figure.title: figure.detail for figure in page["figures"] if figure.detail}
    assert details == {"Credits": "0.250 of them not reported by GitHub", "Tokens in": "1,000 of them cached"}
    assert numbers(page["outcomes"]) == {"settled": "1", "refused": "1", "failed": "1"}


def test_every_number_leads_to_the_rows_it_counts(owner: Client) -> None:
    rosa = a_member("rosa")
    today(1, served_model="gpt-5", member=rosa, member_name="rosa")
    today(2, served_model="gpt-5-mini", status="failed")
    today(3, served_model="gpt-5", status="failed")
    booked(4, day=this_day() - timedelta(days=1), served_model="gpt-5", member=rosa, status="failed")
    page = front_page(owner)
    for figure in page["figures"][:2] + page["outcomes"]:
        assert rows_behind(owner, figure.link) == int(figure.value)
    for share in page["models"] + page["members"]:
        assert rows_behind(owner, share.link) == int(share.requests)


def test_the_months_figures_begin_with_its_first_day(owner: Client) -> None:
    day = this_day()
    booked(1, day=day, nano_reported=2 * 10**9)
    booked(2, day=day.replace(day=1), nano_reported=3 * 10**9, status="failed")
    booked(3, day=day.replace(day=1) - timedelta(days=1), nano_reported=5 * 10**9)
    month = numbers(front_page(owner)["month_figures"])
    assert (month["Requests"], month["Failures"], month["Credits"]) == ("2", "1", "5.000")
    for figure in front_page(owner)["month_figures"]:
        assert owner.get(figure.link).status_code == 200


def test_models_and_members_are_ranked_by_what_they_cost_and_cut_at_five(owner: Client) -> None:
    for number in range(1, 8):
        member = a_member(f"member-{number}x")
        today(number, served_model=f"model-{number}", member=member, nano_reported=number * 10**9, input_tokens=3)
    page = front_page(owner)
    assert [share.name for share in page["models"]] == [f"model-{number}" for number in (7, 6, 5, 4, 3)]
    assert [share.name for share in page["members"]] == [f"member-{number}x" for number in (7, 6, 5, 4, 3)]
    assert (page["models"][0].credits, page["models"][0].tokens, page["models"][0].requests) == ("7.000", "3", "1")


def test_requests_that_reached_no_model_are_not_ranked_as_one(owner: Client) -> None:
    today(1, status="refused", requested_model="nonsense")
    assert front_page(owner)["models"] == []


def test_seats_are_counted_in_the_state_that_requests_would_find(owner: Client) -> None:
    now = timezone.now()
    a_seat()
    a_seat().cool(now - timedelta(minutes=1), "over")
    a_seat().cool(now + timedelta(hours=1), "slow down")
    a_seat().suspend("blocked")
    seats = front_page(owner)["seats"]
    labels = {str(SeatState.ACTIVE.label): "2", str(SeatState.COOLING.label): "1", str(SeatState.SUSPENDED.label): "1"}
    assert numbers(seats) == labels
    for figure in seats:
        assert rows_behind(owner, figure.link) == int(figure.value)


def test_running_are_open_requests_of_living_processes_only(owner: Client) -> None:
    now = timezone.now()
    Instance.objects.create(id=ALIVE, host="a", pid=1, heartbeat_at=now)
    Instance.objects.create(id=SILENT, host="b", pid=2, heartbeat_at=now - timedelta(minutes=5))
    Instance.objects.create(id=STOPPED, host="c", pid=3, heartbeat_at=now, stopped_at=now)
    opened = now - timedelta(seconds=42)
    for number, instance in enumerate((ALIVE, SILENT, STOPPED, UUID(int=9)), 1):
        record = a_record(number, status="open", opened_at=opened, member_name=f"m{number}", requested_model="gpt-5")
        type(record).objects.as_ledger().filter(pk=record.pk).update(instance=instance)
    a_record(8, status="settled", opened_at=opened)
    page = front_page(owner)
    (row,) = page["running"]
    assert (page["running_count"], row.member, row.model) == (1, "m1", "gpt-5")
    assert 42 <= row.seconds < 60


def test_the_page_tells_the_risk_and_is_open_to_auditors(auditor: Client) -> None:
    page = text_of(auditor.get(reverse("admin:index")))
    assert "may breach GitHub&#x27;s terms" in page or "may breach GitHub's terms" in page
    assert "can get an account suspended" in page
    assert "prefer each member" in page


def test_the_page_asks_the_database_as_often_for_many_rows_as_for_few(
    owner: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(1, 30):
        today(number, member=a_member(), seat=a_seat(), served_model=f"m{number}")
    with django_assert_max_num_queries(13):
        owner.get(reverse("admin:index"))


def test_a_budget_near_its_limit_stands_on_the_front_page(owner: Client) -> None:
    today = this_day()
    for limit, spent in ((10, 8), (10, 7)):
        budget = Budget.objects.create(limit_nano=limit, note=str(spent))
        BudgetPeriod.objects.create(
            budget=budget, start=start_of("month", today), end=end_of("month", today), settled_nano=spent
        )
    page = text_of(owner.get(reverse("admin:index")))
    assert "80 %" in page
    assert "70 %" not in page
