"""Reports, the proof and conversations in the console."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.days import this_day
from accounts.models import ApiKey, Seat, UsageDay, UsageSession
from accounts.reports import Dimension, Per
from tests.accounts.booked import booked
from tests.accounts.console import auditor, list_of, outsider, owner, page_of, text_of
from tests.accounts.rows import a_member, a_record, a_seat

__all__ = ["auditor", "outsider", "owner"]

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 20)
REPORT = "admin:accounts_usageday_changelist"
NOVEMBER = {"since": "2026-11-01", "until": "2026-11-30"}
PAGES = [
    "admin:accounts_usageday_changelist", "admin:accounts_usageday_export", "admin:accounts_usageday_requests",
    "admin:accounts_usageday_attention", "admin:accounts_usageday_proof",
]  # fmt: skip


def report(client: Client, **query: str) -> Any:
    return client.get(reverse(REPORT), NOVEMBER | query)


def rows_behind(client: Client, link: str) -> list[int]:
    page = client.get(link)
    assert page.status_code == 200
    return [row.pk.int for row in page.context["cl"].result_list]


@pytest.mark.parametrize("page", PAGES)
def test_owners_and_auditors_see_the_reports_members_and_strangers_are_sent_to_sign_in(
    owner: Client, auditor: Client, outsider: Client, page: str
) -> None:
    booked(1, member=a_member("rosa"), member_name="rosa", day=DAY)
    address = reverse(page)
    assert [visitor.get(address).status_code for visitor in (owner, auditor)] == [200, 200]
    for visitor in (outsider, Client()):
        answer = visitor.get(address)
        assert (answer.status_code, answer["location"].split("?")[0]) == (302, reverse("admin:login"))


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_changed_by_posting_to_a_report(auditor: Client, page: str) -> None:
    booked(1, day=DAY)
    before = list(UsageDay.objects.values())
    auditor.post(reverse(page), {"opened": "0", "action": "delete_selected"})
    assert list(UsageDay.objects.values()) == before


def test_the_report_shows_lines_sums_and_files(owner: Client) -> None:
    rosa = a_member("rosa")
    booked(1, day=DAY, member=rosa, nano_reported=1_500_000_000, input_tokens=25, cached_tokens=75, total_ms=1234)
    booked(2, day=DAY, member=a_member("ben"), nano_computed=250_000_000, premium_thousandths=1500)
    page = text_of(report(owner))
    for shown in (">rosa<", ">ben<", "1.500", "0.250", "1.750", "25.0 %", "1,234", "1.500"):
        assert shown in page
    assert "by=member&amp;per=range&amp;since=2026-11-01&amp;until=2026-11-30&amp;format=csv" in page


@pytest.mark.parametrize("by", list(Dimension))
@pytest.mark.parametrize("per", list(Per))
def test_every_grouping_has_a_page(owner: Client, by: Dimension, per: Per) -> None:
    key, _secret = ApiKey.objects.issue(a_member("rosa"), "laptop")
    booked(1, day=DAY, member=key.member, key=key, seat=a_seat(key.member), session="talk", served_model="gpt-5")
    is_impossible = by == Dimension.SESSION and per != Per.RANGE
    page = report(owner, by=by.value, per=per.value)
    assert page.status_code == (400 if is_impossible else 200)
    if not is_impossible:
        assert page.context["report"].sums.opened == 1


def test_every_line_leads_to_the_very_requests_it_counts(owner: Client) -> None:
    rosa = a_member("rosa")
    key, _secret = ApiKey.objects.issue(rosa, "laptop")
    seat = a_seat(rosa)
    booked(1, day=DAY, member=rosa, key=key, seat=seat, served_model="gpt-5", program="codex")
    booked(2, day=DAY + timedelta(days=1), member=rosa, key=key, seat=seat, served_model="gpt-5", program="codex")
    booked(3, day=DAY, status="refused")
    for by in (
        Dimension.ALL,
        Dimension.MEMBER,
        Dimension.TEAM,
        Dimension.KEY,
        Dimension.MODEL,
        Dimension.SEAT,
        Dimension.PROGRAM,
    ):
        for per in Per:
            for line in report(owner, by=by.value, per=per.value).context["report"].lines:
                assert len(rows_behind(owner, line.requests)) == line.row.measures.opened


def test_a_line_can_be_opened_and_its_filter_taken_back(owner: Client) -> None:
    rosa = a_member("rosa")
    booked(1, day=DAY, member=rosa, served_model="gpt-5")
    booked(2, day=DAY, member=a_member("ben"), served_model="gpt-5")
    (line,) = [line for line in report(owner).context["report"].lines if line.row.name == "rosa"]
    narrowed = owner.get(reverse(REPORT) + line.narrowed)
    assert [(line.row.name, line.row.measures.opened) for line in narrowed.context["report"].lines] == [("gpt-5", 1)]
    (filter_link,) = narrowed.context["report"].filters
    assert filter_link.title == "member: rosa"
    assert owner.get(reverse(REPORT) + filter_link.address).context["report"].sums.opened == 2


def test_long_reports_have_pages_whose_sums_are_those_of_the_whole(owner: Client) -> None:
    for number in range(205):
        booked(number + 1, day=DAY, served_model=f"model-{number:03}")
    first = report(owner, by="model").context["report"]
    second = owner.get(reverse(REPORT) + first.next).context["report"]
    assert (len(first.lines), len(second.lines), second.next) == (200, 5, "")
    assert first.sums.opened == second.sums.opened == 205
    assert owner.get(reverse(REPORT) + second.previous).context["report"].number == 1


def test_an_address_that_means_nothing_is_told_so_and_the_default_report_is_shown(owner: Client) -> None:
    page = report(owner, by="colour")
    assert (page.status_code, page.context["faults"][0].split(":")[0]) == (400, "by")
    assert page.context["report"].query.by == Dimension.MEMBER


def test_files_hold_the_whole_report_and_its_requests(owner: Client) -> None:
    booked(1, day=DAY, member=a_member("rosa"), member_name="rosa")
    for name in ("export", "requests"):
        answer: Any = owner.get(reverse(f"admin:accounts_usageday_{name}"), NOVEMBER | {"format": "csv", "bom": "1"})
        text = b"".join(answer.streaming_content).decode()
        assert text.startswith("\ufeff")
        assert text.count("\r\n") == 2
        assert "rosa" in text


@pytest.mark.parametrize("name", ["export", "requests"])
def test_a_file_that_nobody_can_make_is_refused_in_words(owner: Client, name: str) -> None:
    for query in ({"format": "xlsx"}, {"since": "x"}, {"foo": "1"}):
        answer = owner.get(reverse(f"admin:accounts_usageday_{name}"), query)
        assert answer.status_code == 400
        assert answer.content.decode().endswith(".")


def test_seats_at_rest_and_seats_that_carry_most_are_named(owner: Client) -> None:
    today = this_day()
    month_ago = timezone.now() - timedelta(days=40)
    busy, idle, fresh, light = (a_seat(login=f"seat-{name}") for name in ("busy", "idle", "fresh", "light"))
    Seat.objects.exclude(pk=fresh.pk).update(created_at=month_ago)
    booked(1, day=today, seat=busy, nano_reported=90 * 10**9)
    booked(2, day=today, seat=light, nano_reported=10 * 10**9)
    booked(3, day=today - timedelta(days=14), seat=idle, nano_reported=1)
    page = owner.get(reverse("admin:accounts_usageday_attention"), {"since": str(today)})
    uses = {use.seat.login: (use.is_idle, use.is_heavy) for use in page.context["seats"]}
    assert uses == {
        "seat-busy": (False, True), "seat-light": (False, False), "seat-idle": (True, False),
        "seat-fresh": (False, False),
    }  # fmt: skip


def test_members_without_a_request_in_the_range_are_named(owner: Client) -> None:
    booked(1, day=DAY, member=a_member("rosa"))
    a_member("ben")
    a_member("gone", is_active=False)
    page = owner.get(reverse("admin:accounts_usageday_attention"), NOVEMBER)
    assert [str(member) for member in page.context["members"] if str(member) not in {"olga"}] == ["ben"]


def test_the_proof_page_says_that_the_ledger_adds_up_and_where_it_does_not(owner: Client) -> None:
    rosa = a_member("rosa")
    for number, status in enumerate(("open", "settled", "failed", "refused", "cancelled", "abandoned"), 1):
        booked(number, day=this_day(), member=rosa, status=status)
    address = reverse("admin:accounts_usageday_proof")
    page = owner.get(address)
    assert page.context["holds"]
    assert "Every request is accounted for." in text_of(page)
    for account in [*page.context["days"], *page.context["members"]]:
        assert len(rows_behind(owner, account.link)) == account.standing.opened == 6
    a_record(9, day=this_day(), status="open", member=rosa)
    wrong = owner.get(address)
    assert not wrong.context["holds"]
    assert "The ledger does not add up." in text_of(wrong)
    assert [account.standing.difference for account in wrong.context["days"]] == [-1]


def test_conversations_are_listed_and_one_is_shown_as_turns(owner: Client) -> None:
    key, _secret = ApiKey.objects.issue(a_member("rosa"), "laptop")
    for number, initiator in enumerate(("user", "agent", "user"), 1):
        booked(
            number,
            day=DAY,
            key=key,
            member=key.member,
            session="talk-1",
            initiator=initiator,
            nano_reported=number * 10**9,
        )
    assert "talk-1" in text_of(owner.get(list_of("usagesession")))
    assert "talk-1" in text_of(owner.get(list_of("usagesession"), {"q": "talk"}))
    page = owner.get(page_of(UsageSession.objects.get()))
    assert len(page.context["conversation"].turns) == 2
    text = text_of(page)
    assert all(shown in text for shown in ("Turn 1", "Turn 2", "3.000", "6.000", "rosa"))
    assert owner.get(reverse("admin:accounts_usagesession_change", args=[10**6])).status_code == 404
    assert owner.get("/admin/accounts/usagesession/x/change/").status_code == 404


@pytest.mark.parametrize(("day", "shown"), [("2026-11", True), ("2026-10", False), ("today", False)])
def test_conversations_are_narrowed_by_the_day_of_their_last_request(owner: Client, day: str, shown: bool) -> None:
    key, _secret = ApiKey.objects.issue(a_member("rosa"), "laptop")
    booked(1, day=date(2026, 11, 2), key=key, session="talk-1")
    assert ("talk-1" in text_of(owner.get(list_of("usagesession"), {"day": day}))) == shown


@pytest.mark.parametrize(
    "page", [REPORT, "admin:accounts_usageday_attention", "admin:accounts_usageday_proof", "admin:index"]
)
def test_a_page_asks_the_database_as_often_for_many_rows_as_for_few(
    owner: Client, django_assert_max_num_queries: Any, page: str
) -> None:
    for number in range(1, 40):
        member = a_member()
        booked(number, day=this_day(), member=member, seat=a_seat(member), served_model=f"m{number}")
    with django_assert_max_num_queries(16):
        assert owner.get(reverse(page)).status_code == 200
