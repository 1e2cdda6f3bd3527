"""Lists: pages that neither skip nor repeat, filters that hold, parameters that are refused instead of passed over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import ApiKey, Member, QuotaReading, Role, UsageDay, UsageRecord
from tests.accounts.api.world import ask, session_of
from tests.accounts.rows import a_member, a_record, a_seat

pytestmark = pytest.mark.django_db

START = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def client() -> Client:
    return session_of(a_member("olga", role=Role.OWNER))


@pytest.fixture
def mo() -> Member:
    return a_member("mo")


def results(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def walk(client: Client, address: str) -> list[Any]:
    """The ids on all pages, following `next`."""
    found: list[Any] = []
    while address:
        answer = ask(client, "get", address)
        found += [row["id"] for row in results(answer)]
        address = answer.json()["next"]
    return found


@pytest.mark.parametrize("ordering", ["-opened_at", "opened_at"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_pages_of_the_ledger_hold_every_row_once(client: Client, ordering: str, limit: int) -> None:
    for number in range(1, 8):
        a_record(number, opened_at=START + timedelta(days=number // 3))
    expected = [str(row.pk) for row in UsageRecord.objects.order_by("day", "id")]
    found = walk(client, f"/api/usage/?limit={limit}&ordering={ordering}")
    assert found == (expected if ordering == "opened_at" else expected[::-1])


def test_a_row_that_arrives_between_two_pages_moves_none(client: Client) -> None:
    for number in range(1, 5):
        a_record(number, opened_at=START)
    first = ask(client, "get", "/api/usage/?limit=2").json()
    a_record(9, opened_at=START + timedelta(days=1))
    rest = walk(client, first["next"])
    assert len({row["id"] for row in first["results"]} | set(rest)) == 4
    assert len(rest) == 2


def test_a_page_of_the_ledger_counts_no_rows_and_asks_a_fixed_number_of_questions(client: Client) -> None:
    for number in range(1, 30):
        a_record(number, opened_at=START)
    with CaptureQueriesContext(
        connection,
    ) as few:
        ask(client, "get", "/api/usage/?limit=2")
    with CaptureQueriesContext(connection) as many:
        ask(client, "get", "/api/usage/?limit=29")
    assert len(few) == len(many)
    assert not [query for query in many if "COUNT(" in query["sql"].upper()]


def test_pages_of_other_long_tables_hold_every_row_once(client: Client) -> None:
    seat = a_seat()
    for number in range(5):
        QuotaReading.objects.create(seat=seat, name="chat", at=START + timedelta(seconds=number // 2), source="headers")
        UsageDay.objects.create(slot=str(number), day=START.date() + timedelta(days=number // 2))
    assert len(set(walk(client, "/api/readings/?limit=2"))) == 5
    assert len(set(walk(client, "/api/usage-days/?limit=2"))) == 5


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJhIl0", "WyIyMDI2LTEzLTAxIiwgIngiXQ", "////"])
def test_a_cursor_that_is_no_place_is_refused(client: Client, cursor: str) -> None:
    answer = ask(client, "get", f"/api/usage/?cursor={cursor}")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "cursor")


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("since=2026-11-02", {2, 3}),
        ("until=2026-11-02", {1, 2}),
        ("since=2026-11-02&until=2026-11-02", {2}),
        ("status=failed", {2}),
        ("member={mo}", {1, 2}),
        ("key={key}", {1}),
        ("seat={seat}", {3}),
        ("team=12345", set()),
        ("model=gpt-5", {2}),
        ("requested_model=fast", {1}),
        ("program=codex", {3}),
        ("session=s1", {1, 3}),
        ("initiator=agent", {2}),
        ("streamed=true", {1}),
        ("streamed=false", {2, 3}),
        ("min_credits=0.5", {1, 2}),
        ("min_credits=1", {1}),
        ("max_credits=0.5", {2}),
        ("cost_source=estimated", {2}),
        ("door=chat&status=settled", {1, 3}),
        ("tag=april", {3}),
    ],
)
def test_filters_of_the_ledger_hold(client: Client, mo: Member, query: str, numbers: set[int]) -> None:
    key, _secret = ApiKey.objects.issue(mo)
    seat = a_seat(mo)
    shared = {"member": mo, "initiator": "user"}
    a_record(
        1, key=key, session="s1", streamed=True, nano_reported=10**9, requested_model="fast", opened_at=START, **shared
    )
    a_record(
        2, status="failed", served_model="gpt-5", nano_computed=5 * 10**8, cost_source="estimated",
        opened_at=START + timedelta(days=1), **shared | {"initiator": "agent"},
    )  # fmt: skip
    a_record(3, seat=seat, session="s1", program="codex", tag="april", opened_at=START + timedelta(days=2))
    asked = query.format(mo=mo.pk, key=key.pk, seat=seat.pk)
    found = {int(row["id"].replace("-", ""), 16) for row in results(ask(client, "get", f"/api/usage/?{asked}"))}
    assert found == numbers


@pytest.mark.parametrize(
    ("address", "param"),
    [
        ("/api/usage/?memeber=1", "memeber"),
        ("/api/usage/?member=mo", "member"),
        ("/api/usage/?member=", "member"),
        ("/api/usage/?member=1&member=2", "member"),
        ("/api/usage/?streamed=maybe", "streamed"),
        ("/api/usage/?status=done", "status"),
        ("/api/usage/?since=yesterday", "since"),
        ("/api/usage/?ordering=note", "ordering"),
        ("/api/usage/?limit=0", "limit"),
        ("/api/usage/?limit=501", "limit"),
        ("/api/usage/?page=2", "page"),
        ("/api/members/?cursor=x", "cursor"),
        ("/api/members/?is_active=perhaps", "is_active"),
        ("/api/members/1/?role=owner", "role"),
        ("/api/reports/?membr=1", "membr"),
        ("/api/reports/?by=moon", "by"),
        ("/api/reports/export/?format=xml", "format"),
        ("/api/explain/?model=x&dor=chat", "dor"),
        ("/api/?x=1", "x"),
    ],
)
def test_a_parameter_that_means_nothing_is_refused(client: Client, address: str, param: str) -> None:
    answer = ask(client, "get", address)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param), answer.content


def test_the_refusal_of_a_misspelt_filter_names_the_known_ones(client: Client) -> None:
    message = ask(client, "get", "/api/teams/?actve=true").json()["error"]["message"]
    assert "actve" in message
    assert all(name in message for name in ("active", "limit", "ordering", "page", "search"))


def test_small_tables_have_numbers_of_pages_search_and_order(client: Client) -> None:
    for name in ("ada", "bob", "cleo"):
        a_member(name)
    told = ask(client, "get", "/api/members/?limit=2&ordering=-username").json()
    assert (told["count"], [row["username"] for row in told["results"]]) == (4, ["olga", "cleo"])
    assert [row["username"] for row in results(ask(client, "get", "/api/members/?search=ad"))] == ["ada"]
    assert ask(client, "get", "/api/members/?page=9").status_code == 404


def test_days_of_moments_are_those_of_the_installation(client: Client) -> None:
    seat = a_seat()
    for hour in (0, 23):
        QuotaReading.objects.create(seat=seat, name="x", at=datetime(2026, 11, 2, hour, tzinfo=UTC), source="headers")
    assert len(results(ask(client, "get", "/api/readings/?since=2026-11-02&until=2026-11-02"))) == 2
    assert results(ask(client, "get", "/api/readings/?until=2026-11-01")) == []
