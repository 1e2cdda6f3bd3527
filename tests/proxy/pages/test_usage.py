"""The member's own usage: reports, requests, conversations and files, and nobody else's, whatever is asked."""

from __future__ import annotations

import csv
import io
import json
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.days import this_day
from accounts.models import ApiKey, Budget, Member, Role, Team, UsageAttempt, UsageDay, UsageRecord, UsageSession
from accounts.reports import Dimension, Per
from accounts.reports.window import ROWS
from proxy.pages.usage import OFFERED, SHOWN
from tests.accounts.booked import booked
from tests.proxy.pages.conftest import MakeMember, browser_of, make_seat

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOVEMBER = {"since": "2026-11-01", "until": "2026-11-30"}


@pytest.fixture
def other(make_member: MakeMember) -> Member:
    return make_member("somebody-else")


def request_of(member: Member, number: int, **fields: Any) -> UsageRecord:
    key = ApiKey.objects.filter(member=member).first() or ApiKey.objects.issue(member, f"key of {member}")[0]
    values = {
        "opened_at": NOON + timedelta(minutes=number), "member": member, "member_name": member.username, "key": key,
        "key_name": key.name, "requested_model": f"wish-{number}", "served_model": f"model-{number}",
        "nano_reported": number * 10**9, "cost_source": "reported", "session": f"talk of {member}", "initiator": "user",
        "program": "codex",
    } | fields  # fmt: skip
    return booked(number, **values)


def text_of(answer: Any) -> str:
    parts = answer.streaming_content if answer.streaming else [answer.content]
    return b"".join(parts).decode()


def pages_of(member: Member) -> list[str]:
    """Every page and file of the member's usage, with an address that asks for everything."""
    record = UsageRecord.objects.filter(member=member)[0]
    session = UsageSession.objects.filter(member=member)[0]
    everything = "?since=2020-01-01&until=2030-01-01"
    lists = [f"{reverse(name)}{everything}" for name in ("usage", "requests", "usage_file", "requests_file")]
    groups = [f"{reverse('usage')}{everything}&by={by.value}" for by in Dimension]
    return [*lists, *groups, reverse("request", args=[record.pk]), reverse("conversation", args=[session.pk])]


def test_a_member_sees_own_rows_on_every_page(browser: Client, member: Member, other: Member) -> None:
    request_of(member, 1)
    request_of(other, 2)
    for address in pages_of(member):
        text = text_of(browser.get(address))
        assert "somebody-else" not in text
        assert "model-2" not in text
    for name in ("usage", "requests", "usage_file", "requests_file"):
        assert "model-1" in text_of(browser.get(f"{reverse(name)}?since=2020-01-01&until=2030-01-01"))


@pytest.mark.parametrize("role", [Role.MEMBER, Role.OWNER, Role.AUDITOR])
def test_anothers_request_and_conversation_do_not_exist(make_member: MakeMember, other: Member, role: Role) -> None:
    record = request_of(other, 2)
    visitor = browser_of(make_member("visitor", role=role))
    assert visitor.get(reverse("request", args=[record.pk])).status_code == 404
    assert visitor.get(reverse("conversation", args=[UsageSession.objects.get().pk])).status_code == 404


def test_nobody_gets_anothers_rows_by_asking_for_them(browser: Client, member: Member, other: Member) -> None:
    request_of(member, 1)
    team, seat = Team.objects.create(name="somebody-elses team"), make_seat(other, "somebody-elses-seat")
    stolen = request_of(other, 2, seat=seat, team=team)
    key = ApiKey.objects.get(member=other)
    for extra in (
        f"member={other.pk}",
        f"key={key.pk}",
        "model=model-2",
        f"before={stolen.pk}",
        f"seat={seat.pk}",
        f"team={team.pk}&by=key",
        f"member={other.pk}&by=key",
    ):
        for name in ("usage", "requests", "usage_file", "requests_file"):
            text = text_of(browser.get(f"{reverse(name)}?since=2020-01-01&until=2030-01-01&{extra}"))
            assert stolen.pk.hex not in text.replace("-", "").replace(f"before={stolen.pk.hex}", "")
            assert "somebody-else" not in text
            assert "2.000" not in text


def test_visitors_are_sent_to_sign_in(visitor: Client, member: Member) -> None:
    request_of(member, 1)
    for address in pages_of(member):
        answer = visitor.get(address)
        assert (answer.status_code, answer["location"].split("?")[0]) == (302, reverse("signin"))


def test_pages_take_no_posts_and_are_not_cached(browser: Client, member: Member) -> None:
    request_of(member, 1)
    for address in pages_of(member):
        assert browser.post(address).status_code == 405
        assert "no-store" in browser.get(address)["cache-control"]


@pytest.mark.parametrize("by", OFFERED)
@pytest.mark.parametrize("per", list(Per))
def test_usage_is_shown_by_everything_that_is_offered(browser: Client, member: Member, by: Dimension, per: Per) -> None:
    request_of(member, 1, input_tokens=25, cached_tokens=75)
    page = browser.get(reverse("usage"), NOVEMBER | {"by": by.value, "per": per.value})
    if by == Dimension.SESSION and per != Per.RANGE:
        assert page.status_code == 400
        return
    assert page.status_code == 200
    assert page.context["report"].sums.opened == 1
    assert "25.0 %" in text_of(page)
    assert f'value="{by.value}" selected' in text_of(page)


def test_a_line_leads_to_its_requests(browser: Client, member: Member) -> None:
    request_of(member, 1)
    request_of(member, 2)
    for by in (Dimension.MODEL, Dimension.KEY, Dimension.PROGRAM, Dimension.SEAT, Dimension.ALL):
        for line in browser.get(reverse("usage"), NOVEMBER | {"by": by.value}).context["report"].lines:
            assert len(browser.get(line.requests).context["rows"]) == line.row.measures.opened
    (line,) = browser.get(reverse("usage"), NOVEMBER | {"by": "session"}).context["report"].lines
    assert browser.get(line.requests).context["conversation"].shown == 2


def test_requests_are_listed_latest_first_and_pages_lead_on(browser: Client, member: Member) -> None:
    for number in range(1, SHOWN + 3):
        request_of(member, number)
    first = browser.get(reverse("requests"), NOVEMBER)
    assert [row.line.requested for row in first.context["rows"]][:2] == [f"wish-{SHOWN + 2}", f"wish-{SHOWN + 1}"]
    second = browser.get(reverse("requests") + first.context["more"])
    assert [row.line.requested for row in second.context["rows"]] == ["wish-2", "wish-1"]
    assert second.context["more"] == ""


def test_requests_are_narrowed_by_days_and_status(browser: Client, member: Member) -> None:
    request_of(member, 1, status="failed")
    request_of(member, 2)
    request_of(member, 3, day=date(2026, 12, 1), status="failed")
    found = browser.get(reverse("requests"), NOVEMBER | {"status": "failed"}).context["rows"]
    assert [row.line.requested for row in found] == ["wish-1"]
    assert browser.get(reverse("requests"), {"since": "soon"}).status_code == 400


def test_a_range_with_very_many_requests_is_looked_at_from_its_end(browser: Client, member: Member) -> None:
    request_of(member, 1)
    request_of(member, 2, day=date(2026, 11, 21))
    UsageDay.objects.create(slot="x", day=date(2026, 11, 21), member=member, opened=ROWS)
    page = browser.get(reverse("requests"), NOVEMBER)
    assert [row.line.requested for row in page.context["rows"]] == ["wish-2"]
    assert "those since 2026-11-21 are shown" in text_of(page)


def test_one_request_tells_why_it_went_where_it_did_and_what_it_cost(browser: Client, member: Member) -> None:
    record = request_of(
        member, 1, route="gpt-4* → gpt-5 (console)", seat_name="octo", input_tokens=1234, cached_tokens=777,
        output_tokens=55, nano_reported=1_234_500_000, premium_thousandths=330, total_ms=9876, dropped="top_k",
        http_status=200, client="codex/1.2 (linux)", attempts=2,
    )  # fmt: skip
    for number, seat in ((1, "octo-1"), (2, "octo-2")):
        UsageAttempt.objects.create(record=record, number=number, seat_name=seat, status=502)
    text = text_of(browser.get(reverse("request", args=[record.pk])))
    for shown in (
        "gpt-4* → gpt-5 (console)", "wish-1", "model-1", "octo", "1,234", "777", "55", "1.235", "0.33", "9,876",
        "top_k", "reported by GitHub", "codex/1.2 (linux)", str(record.pk), "octo-1", "octo-2", "502",
        reverse("conversation", args=[UsageSession.objects.get().pk]),
    ):  # fmt: skip
        assert shown in text
    assert browser.get(reverse("request", args=[uuid.UUID(int=999)])).status_code == 404


def test_a_request_under_way_has_a_page_too(browser: Client, member: Member) -> None:
    record = request_of(member, 1, status="open", nano_reported=None, cost_source="", session="")
    assert "open" in text_of(browser.get(reverse("request", args=[record.pk])))


def test_a_conversation_is_shown_as_turns_with_a_running_total(browser: Client, member: Member) -> None:
    request_of(member, 1)
    request_of(member, 2, initiator="agent")
    text = text_of(browser.get(reverse("conversation", args=[UsageSession.objects.get().pk])))
    assert all(shown in text for shown in ("Turn 1", "└", "1.000", "3.000"))
    assert "Turn 2" not in text


def test_files_hold_own_rows_as_csv_and_json(browser: Client, member: Member, other: Member) -> None:
    request_of(member, 1)
    request_of(other, 2)
    lines = list(csv.DictReader(io.StringIO(text_of(browser.get(reverse("requests_file"), NOVEMBER)))))
    assert [line["member_name"] for line in lines] == ["member"]
    answer = browser.get(reverse("usage_file"), NOVEMBER | {"by": "model", "format": "json"})
    assert [line["name"] for line in json.loads(text_of(answer))] == ["model-1"]
    assert "usage-by-model-2026-11-01-2026-11-30.json" in answer["content-disposition"]
    assert browser.get(reverse("usage_file"), {"format": "xlsx"}).status_code == 400


def test_the_pages_are_reached_from_the_bar_and_the_overview(browser: Client, member: Member) -> None:
    request_of(member, 1, day=this_day())
    text = text_of(browser.get("/"))
    assert f'href="{reverse("usage")}"' in text
    assert f'href="{reverse("requests")}"' in text


def test_pages_ask_the_database_as_often_for_many_rows_as_for_few(
    browser: Client, member: Member, django_assert_max_num_queries: Any
) -> None:
    for number in range(1, 40):
        request_of(member, number)
    for address in pages_of(member):
        with django_assert_max_num_queries(8):
            text_of(browser.get(address))


def test_my_budgets_stand_on_my_usage_and_nobody_elses(make_member: MakeMember) -> None:
    mo, other = make_member("mo"), make_member("other")
    Budget.objects.create(scope="member", member=mo, limit_nano=8 * 10**9, span="week")
    Budget.objects.create(scope="member", member=other, limit_nano=77 * 10**9)
    Budget.objects.create(limit_nano=66 * 10**9)
    page = browser_of(mo).get(reverse("usage")).content.decode()
    assert "0.000 of 8.000 credits" in page
    assert "77.000" not in page
    assert "66.000" not in page
