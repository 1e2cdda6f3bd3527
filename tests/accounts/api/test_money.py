"""Amounts, prices, routes, budgets and corrections by the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ValidationError

from accounts.amounts import credits_of
from accounts.api.money import LARGEST, Money
from accounts.days import end_of, start_of
from accounts.models import (
    Budget,
    BudgetPeriod,
    BudgetScope,
    Correction,
    Member,
    ModelRoute,
    Price,
    PriceOrigin,
    Role,
    RouteOrigin,
    TrailEntry,
    UsageDay,
    UsageRecord,
)
from tests.accounts.api.world import ask, session_of, text_of
from tests.accounts.rows import a_member, a_record

PRICE = {"model": "gpt-9", "valid_from": "2026-11-01", "input": {"credits": "125"}, "output": {"nano": 10**12}}


@pytest.fixture
def client(db: None) -> Client:
    return session_of(a_member("olga", role=Role.OWNER))


@given(st.integers(0, LARGEST))
def test_an_amount_comes_back_from_either_figure(nano: int) -> None:
    field = Money()
    told = field.to_representation(nano)
    assert field.to_internal_value({"nano": told["nano"]}) == nano
    assert field.to_internal_value({"credits": told["credits"]}) == nano
    assert field.to_internal_value(told) == nano
    assert "E" not in told["credits"]


def test_amounts_are_told_without_needless_digits() -> None:
    assert [credits_of(nano) for nano in (0, 1, 10**9, 1_500_000_000, -1)] == [
        "0", "0.000000001", "1", "1.5", "-0.000000001",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "sent",
    [
        1, None, "1", [], {}, {"nano": 1.0}, {"nano": True}, {"nano": "1"}, {"nano": -1}, {"nano": 2**63},
        {"credits": 1}, {"credits": "x"}, {"credits": "0.0000000001"}, {"credits": "-1"}, {"credits": "NaN"},
        {"credits": "1e999999999"}, {"credits": "1e-30"}, {"credits": "9" * 29}, {"nano": 1, "credits": "1"},
        {"nano": 1, "dollars": 1},
    ],
)  # fmt: skip
def test_what_is_no_amount_is_refused(sent: object) -> None:
    with pytest.raises(ValidationError):
        Money().to_internal_value(sent)


def test_a_price_is_made_changed_and_deleted(client: Client) -> None:
    made = ask(client, "post", "/api/prices/", PRICE)
    assert made.status_code == 201, made.content
    row = Price.objects.get(model="gpt-9")
    assert (row.input_nano, row.cached_nano, row.output_nano, row.origin) == (125 * 10**9, None, 10**12, "console")
    changed = ask(client, "patch", f"/api/prices/{row.pk}/", {"cached_input": {"credits": "12.5"}}).json()
    assert changed["cached_input"] == {"nano": 12_500_000_000, "credits": "12.5"}
    again = ask(client, "post", "/api/prices/", PRICE)
    assert (again.status_code, again.json()["error"]["code"]) == (400, "invalid")
    assert ask(client, "delete", f"/api/prices/{row.pk}/").status_code == 204


def test_what_is_decided_elsewhere_can_be_switched_off_and_noted_only(client: Client) -> None:
    price = Price.objects.create(
        model="gpt-9", valid_from="2026-06-01", input_nano=1, output_nano=1, origin=PriceOrigin.LIVE
    )
    route = ModelRoute.objects.create(pattern="old", target="new", origin=RouteOrigin.ENVIRONMENT)
    for address, change in (
        (f"/api/prices/{price.pk}/", {"output": {"nano": 5}}),
        (f"/api/routes/{route.pk}/", {"target": "other"}),
    ):
        assert ask(client, "patch", address, change).status_code == 409
        assert ask(client, "delete", address).status_code == 409
        assert ask(client, "patch", address, {"active": False, "note": "not ours"}).json()["active"] is False


@pytest.mark.parametrize(
    "body",
    [
        {"pattern": "fast", "target": "gpt-5", "scope": "team"},
        {"pattern": "fast", "target": "gpt-5", "fallbacks": [""]},
        {"pattern": "fast", "target": "gpt-5", "origin": "shipped", "scope": "moon"},
        {"target": "gpt-5"},
    ],
)
def test_a_route_that_cannot_be_is_refused(client: Client, body: dict[str, Any]) -> None:
    before = ModelRoute.objects.count()
    assert ask(client, "post", "/api/routes/", body).status_code == 400
    assert ModelRoute.objects.count() == before


def test_a_route_made_here_is_the_consoles(client: Client) -> None:
    body = {"pattern": "fast", "target": "gpt-5", "fallbacks": ["gpt-4"], "origin": "shipped"}
    told = ask(client, "post", "/api/routes/", body).json()
    assert (told["origin"], told["fallbacks"], told["scope"]) == ("console", ["gpt-4"], "everyone")


def test_a_budget_tells_what_its_period_has_taken(client: Client) -> None:
    mo = a_member("mo")
    made = ask(
        client, "post", "/api/budgets/", {"scope": "member", "member": mo.pk, "span": "day", "limit": {"credits": "2"}}
    )
    assert made.status_code == 201, made.content
    budget, today = Budget.objects.get(), timezone.localdate()
    assert made.json()["current"]["left"] == {"nano": 2 * 10**9, "credits": "2"}
    UsageDay.objects.create(slot="x", day=today, member=mo, nano=5 * 10**8)
    UsageDay.objects.create(slot="y", day=today - timedelta(days=1), member=mo, nano=7)
    assert ask(client, "get", f"/api/budgets/{budget.pk}/").json()["current"]["settled"]["nano"] == 5 * 10**8
    BudgetPeriod.objects.create(
        budget=budget, start=today, end=today + timedelta(days=1), settled_nano=10**9, reserved_nano=3 * 10**9
    )
    for told in (
        ask(client, "get", f"/api/budgets/{budget.pk}/").json(),
        ask(client, "get", "/api/budgets/").json()["results"][0],
    ):
        current = told["current"]
        figures = [current[name]["credits"] for name in ("settled", "reserved", "left")]
        assert figures == ["1", "3", "0"]
        assert (current["start"], current["end"]) == (str(today), str(today + timedelta(days=1)))
    period = ask(client, "get", f"/api/budget-periods/?budget={budget.pk}").json()["results"][0]
    assert (period["left"]["nano"], period["limit"]["credits"]) == (0, "2")


def test_a_budget_names_what_its_scope_asks_for(client: Client) -> None:
    answer = ask(client, "post", "/api/budgets/", {"scope": "team", "limit": {"credits": "1"}})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")
    assert not Budget.objects.exists()


def test_a_period_begins_where_the_ledgers_own_does(client: Client) -> None:
    budget = Budget.objects.create(scope=BudgetScope.INSTALLATION, span="week", limit_nano=1)
    start = start_of("week", timezone.localdate())
    told = ask(client, "get", f"/api/budgets/{budget.pk}/").json()["current"]
    assert (told["start"], told["end"]) == (str(start), str(end_of("week", start)))


def test_bookkeeping_of_a_request_is_free_and_measurements_are_not(client: Client) -> None:
    record = a_record(1, output_tokens=10, nano_computed=5, cost_source="computed")
    body = {"note": "n", "tag": "t", "cost_centre": "c", "output_tokens": 99, "nano_computed": 1, "status": "failed"}
    answer = ask(client, "patch", f"/api/usage/{record.pk}/", body)
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert (told["note"], told["tag"], told["cost_centre"]) == ("n", "t", "c")
    entry = TrailEntry.objects.order_by("-number")[0]
    assert (entry.action, entry.actor_name) == ("usage.noted", "olga")
    kept = UsageRecord.objects.get()
    assert (kept.output_tokens, kept.nano_computed, kept.status) == (10, 5, "settled")


def test_a_correction_keeps_the_old_value_and_the_reason(client: Client) -> None:
    record = a_record(1, output_tokens=10)
    body = {"reason": "counted twice", "changes": {"output_tokens": 5}}
    answer = ask(client, "post", f"/api/usage/{record.pk}/correct/", body)
    assert answer.status_code == 200, answer.content
    kept = Correction.objects.get()
    assert (kept.old, kept.new, kept.reason, kept.by_name) == ("10", "5", "counted twice", "olga")
    assert UsageRecord.objects.get().output_tokens == 5
    listed = ask(client, "get", f"/api/corrections/?record={record.pk}").json()["results"]
    assert [line["column"] for line in listed] == ["output_tokens"]


@pytest.mark.parametrize(
    "body",
    [
        {"changes": {"output_tokens": 5}},
        {"reason": " ", "changes": {"output_tokens": 5}},
        {"reason": "x", "changes": {}},
        {"reason": "x", "changes": {"member_name": "nobody"}},
        {"reason": "x", "changes": {"output_tokens": -1}},
        {"reason": "x", "changes": {"output_tokens": 10}},
    ],
)
def test_a_correction_that_cannot_be_is_refused(client: Client, body: dict[str, Any]) -> None:
    record = a_record(1, output_tokens=10)
    assert ask(client, "post", f"/api/usage/{record.pk}/correct/", body).status_code == 400
    assert not Correction.objects.exists()


def test_the_owners_note_is_not_told_to_the_member(client: Client) -> None:
    mo = a_member("mo")
    record = a_record(1, member=mo, note="talk to Mo")
    address = f"/api/usage/{record.pk}/"
    assert ask(client, "get", address).json()["note"] == "talk to Mo"
    assert "talk to Mo" not in text_of(ask(session_of(mo), "get", address))


def _usage(mo: Member) -> None:
    day = timezone.localdate()
    UsageDay.objects.create(slot="1", day=day, member=mo, opened=2, settled=2, nano=3 * 10**9, input_tokens=30)
    other = a_member("nora")
    UsageDay.objects.create(slot="2", day=day, member=other, opened=1, settled=1, nano=10**9)


def test_a_report_sums_and_a_member_gets_its_own(client: Client) -> None:
    mo = a_member("mo")
    _usage(mo)
    told = ask(client, "get", "/api/reports/?by=member").json()
    assert [(line["name"], line["measures"]["cost"]["credits"]) for line in told["results"]] == [
        ("mo", "3"),
        ("nora", "1"),
    ]
    assert told["totals"]["cost"]["credits"] == "4"
    first = ask(client, "get", "/api/reports/?by=member&limit=1").json()
    assert (len(first["results"]), first["next_start"]) == (1, 1)
    own = ask(session_of(mo), "get", "/api/reports/?by=member").json()
    assert [line["name"] for line in own["results"]] == ["mo"]
    assert own["totals"]["cost"]["credits"] == "3"


def test_downloads_are_files_of_ones_own_rows(client: Client) -> None:
    mo = a_member("mo")
    _usage(mo)
    now = timezone.now()
    a_record(1, member=mo, member_name="mo", opened_at=now)
    a_record(2, member_name="nora", opened_at=now)
    report = ask(client, "get", "/api/reports/export/?by=member")
    assert report["Content-Type"].startswith("text/csv")
    assert "nora" in text_of(report)
    everybody = text_of(ask(client, "get", "/api/usage/export/?format=json"))
    own = text_of(ask(session_of(mo), "get", "/api/usage/export/?format=json"))
    assert ("nora" in everybody, "nora" in own, "mo" in own) == (True, False, True)
