"""Reconciliations in the console: figures, causes, the rows behind, who may start one; and adding an app."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import QuotaUnit, Reconciliation, Seat, SeatKind, SeatState, Serves
from accounts.reconciling.drift import NANO
from tests.accounts.apps import CLIENT, INSTALLATION, installed, private_key
from tests.accounts.console import act_on, auditor, list_of, outsider, owner, page_of, text_of, ticked
from tests.accounts.rows import a_record, a_seat
from tests.accounts.upstream import sim, simulator
from tests.simulator.server import SimulatorServer

__all__ = ["auditor", "outsider", "owner", "sim", "simulator"]

pytestmark = pytest.mark.django_db

# GitHub is asked in threads of their own, which see only what is committed.
threaded = pytest.mark.django_db(transaction=True)
ALL = "admin:accounts_reconciliation_reconcile_all"
ADD_APP = "admin:accounts_seat_add_app"


def a_reconciliation(seat: Seat, **fields: Any) -> Reconciliation:
    now = timezone.now()
    values: dict[str, Any] = {
        "seat": seat, "since": now - timedelta(hours=9), "until": now, "ledger_nano": 2 * NANO, "requests": 1,
        "github_nano": 2_500_000_000, "causes": [{"code": "outside", "nano": NANO // 2}],
    }  # fmt: skip
    return Reconciliation.objects.create(**(values | fields))


def connected(sim: SimulatorServer, login: str = "credits", **fields: Any) -> Seat:
    return a_seat(login=login, github_token=sim.world.accounts[login].github_token, **fields)


def shown(visitor: Client, **query: Any) -> list[int]:
    return [row.pk for row in visitor.get(list_of("reconciliation"), query).context["cl"].result_list]


def test_the_list_shows_drift_in_credits_and_percent_with_the_likeliest_cause(owner: Client) -> None:
    a_reconciliation(a_seat())
    page = text_of(owner.get(list_of("reconciliation")))
    for words in (
        "2.500",
        "2.000",
        "+0.500",
        "20.0 %",
        "differs",
        "Traffic outside the gateway, up to 0.500 AI credits",
    ):
        assert words in page


def test_the_list_is_found_by_seat_and_by_verdict(owner: Client) -> None:
    one, other = a_seat(), a_seat()
    differs = a_reconciliation(one)
    agrees = a_reconciliation(other, github_nano=2 * NANO + 1, tolerance_nano=1, causes=[])
    unknown = a_reconciliation(other, github_nano=None, causes=[{"code": "no_readings", "nano": 0}])
    assert shown(owner, seat__id__exact=one.pk) == [differs.pk]
    assert shown(owner, verdict="agrees") == [agrees.pk]
    assert shown(owner, verdict="differs") == [differs.pk]
    assert shown(owner, verdict="unknown") == [unknown.pk]
    assert len(shown(owner, o="6")) == 3


def test_the_page_leads_to_exactly_the_requests_that_were_compared(owner: Client) -> None:
    seat = a_seat()
    row = a_reconciliation(seat)
    within = a_record(1, seat=seat, opened_at=row.until, settled_at=row.until)
    a_record(2, seat=seat, opened_at=row.since, settled_at=row.since)
    a_record(3, seat=a_seat(), opened_at=row.until, settled_at=row.until)
    page = text_of(owner.get(page_of(row)))
    assert "GitHub counted 0.500 AI credits more than the ledger." in page
    address = next(unescape(link) for link in re.findall(r'href="([^"]+)"', page) if "settled_at__gt" in link)
    assert [found.pk for found in owner.get(address).context["cl"].result_list] == [within.pk]


def test_causes_that_speak_of_requests_lead_to_them(owner: Client) -> None:
    seat = a_seat()
    causes = [{"code": code, "nano": 0, "requests": 1} for code in ("abandoned", "open", "estimated", "unpriced")]
    row = a_reconciliation(seat, causes=causes)
    common: dict[str, Any] = {"seat": seat, "opened_at": row.until}
    behind = [
        a_record(1, status="abandoned", **common),
        a_record(2, status="open", **common),
        a_record(3, nano_computed=5, **common),
        a_record(4, http_status=200, **common),
        a_record(5, nano_reported=5, http_status=200, **common),
    ]
    page = text_of(owner.get(page_of(row)))
    links = [unescape(link) for link in re.findall(r'href="([^"]+)"', page) if "day__gte" in link][:4]
    found = [[record.pk for record in owner.get(link).context["cl"].result_list] for link in links]
    assert found[:3] == [[behind[0].pk], [behind[1].pk], [behind[2].pk]]
    assert behind[3].pk in found[3]
    assert behind[4].pk not in found[3]


def test_premium_requests_and_what_could_not_be_compared_are_shown_as_such(owner: Client) -> None:
    row = a_reconciliation(a_seat(), unit=QuotaUnit.REQUESTS, github_nano=None, causes=[{"code": "legacy", "nano": 0}])
    page = text_of(owner.get(page_of(row)))
    assert "premium requests" in page
    assert "It could not be compared." in page


@threaded
def test_an_owner_starts_one_for_a_seat_and_is_told_how_it_stands(owner: Client, sim: SimulatorServer) -> None:
    seat = connected(sim)
    assert owner.get(act_on(seat, "reconcile_one")).status_code == 200
    assert not Reconciliation.objects.exists()
    owner.post(act_on(seat, "reconcile_one"), {"confirmed": "yes"})
    sim.world.accounts["credits"].nano_aiu += 3 * NANO // 2
    told = text_of(owner.post(act_on(seat, "reconcile_one"), {"confirmed": "yes"}, follow=True))
    assert "credits: GitHub counted 1.500 AI credits more than the ledger." in told
    assert Reconciliation.objects.filter(seat=seat).count() == 2


@threaded
def test_an_owner_starts_them_for_ticked_seats_and_for_all(owner: Client, sim: SimulatorServer) -> None:
    one, other = connected(sim), connected(sim, "pro")
    a_seat(state=SeatState.DISABLED)
    owner.post(list_of("seat"), ticked("reconcile_many", one, confirmed="yes"))
    assert list(Reconciliation.objects.values_list("seat", flat=True)) == [one.pk]
    assert owner.get(reverse(ALL)).status_code == 200
    owner.post(reverse(ALL), {"confirmed": "yes"})
    assert sorted(Reconciliation.objects.values_list("seat", flat=True)) == sorted([one.pk, one.pk, other.pk])


def test_an_auditor_reads_and_starts_none(auditor: Client, owner: Client, sim: SimulatorServer) -> None:
    seat = connected(sim)
    row = a_reconciliation(seat)
    assert auditor.get(page_of(row)).status_code == 200
    for address in (reverse(ALL), act_on(seat, "reconcile_one")):
        assert address in text_of(owner.get(list_of("reconciliation"))) + text_of(owner.get(page_of(seat)))
        assert address not in text_of(auditor.get(list_of("reconciliation"))) + text_of(auditor.get(page_of(seat)))
        assert auditor.get(address).status_code == 403
        assert auditor.post(address, {"confirmed": "yes"}).status_code == 403
    assert Reconciliation.objects.count() == 1
    assert sim.world.log == []


def an_app(**changes: Any) -> dict[str, Any]:
    given = {
        "client_id": CLIENT, "installation": INSTALLATION, "private_key": private_key(), "host": "github.com",
        "label": "Org",
    }  # fmt: skip
    return given | changes


@threaded
def test_an_owner_adds_an_app_and_is_told_that_it_is_experimental(owner: Client, sim: SimulatorServer) -> None:
    installed(sim)
    page = text_of(owner.get(reverse(ADD_APP)))
    assert "Experimental" in page
    assert "risk_accepted" not in page
    assert reverse(ADD_APP) in text_of(owner.get(list_of("seat")))
    told = text_of(owner.post(reverse(ADD_APP), an_app(), follow=True))
    seat = Seat.objects.get()
    assert (seat.kind, seat.serves, seat.label) == (SeatKind.APP, Serves.TEAM, "Org")
    assert "octo-org pays for it" in told
    assert "Experimental" in told


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"private_key": "-----BEGIN PRIVATE KEY-----"}, "This is no private key"),
        ({"client_id": "Iv23liOther"}, "does not accept the app"),
        ({"installation": "many"}, "whole number"),
        ({"host": "github.example"}, "A GitHub host is"),
    ],
)
def test_what_is_wrong_is_said_on_the_page_which_never_shows_the_key_again(
    owner: Client, sim: SimulatorServer, wrong: dict[str, Any], said: str
) -> None:
    installed(sim)
    page = text_of(owner.post(reverse(ADD_APP), an_app(**wrong)))
    assert said in unescape(page)
    assert "PRIVATE KEY" not in page
    assert private_key()[100:140] not in page
    assert not Seat.objects.exists()


@threaded
def test_beside_another_team_seat_the_warning_is_confirmed_first(owner: Client, sim: SimulatorServer) -> None:
    installed(sim)
    a_seat(serves=Serves.TEAM)
    assert "multiple accounts to circumvent billing" in text_of(owner.get(reverse(ADD_APP)))
    owner.post(reverse(ADD_APP), an_app())
    assert not Seat.objects.filter(kind=SeatKind.APP).exists()
    owner.post(reverse(ADD_APP), an_app(risk_accepted="on"))
    assert Seat.objects.filter(kind=SeatKind.APP).exists()


def test_nobody_but_an_owner_adds_an_app(
    auditor: Client, outsider: Client, client: Client, sim: SimulatorServer
) -> None:
    installed(sim)
    assert reverse(ADD_APP) not in text_of(auditor.get(list_of("seat")))
    assert auditor.get(reverse(ADD_APP)).status_code == 403
    assert auditor.post(reverse(ADD_APP), an_app()).status_code == 403
    for visitor in (outsider, client):
        assert visitor.post(reverse(ADD_APP), an_app()).status_code == 302
    assert not Seat.objects.exists()


@threaded
def test_the_page_of_an_app_seat_shows_no_secret(owner: Client, sim: SimulatorServer) -> None:
    installed(sim)
    owner.post(reverse(ADD_APP), an_app())
    seat = Seat.objects.get()
    page = text_of(owner.get(page_of(seat))) + text_of(owner.get(list_of("seat")))
    assert seat.private_key is not None
    assert seat.private_key.ciphertext not in page
    assert private_key()[100:140] not in page
    assert "organisation app" in page
