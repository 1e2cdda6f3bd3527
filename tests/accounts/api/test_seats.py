"""Seats by the API: their state, the risk of a second one, and the question to GitHub."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Member, Role, Seat, SeatState, Serves, Team
from tests.accounts.api.world import ask, session_of
from tests.accounts.rows import a_member, a_seat
from tests.accounts.upstream import sim, simulator
from tests.simulator.server import SimulatorServer

__all__ = ["sim", "simulator"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client() -> Client:
    return session_of(a_member("olga", role=Role.OWNER))


@pytest.fixture
def mo() -> Member:
    return a_member("mo")


def test_github_is_asked_how_a_seat_is(client: Client, mo: Member, sim: SimulatorServer) -> None:
    token = sim.world.accounts["credits"].github_token
    seat = a_seat(mo, login="credits", github_id=1001, github_token=token, state=SeatState.NEEDS_LOGIN)
    told = ask(client, "post", f"/api/seats/{seat.pk}/check/").json()
    assert (told["well"], told["seat"]["state"], told["seat"]["plan"]) == (True, "active", "individual_pro")
    assert token not in str(told)


def test_a_seat_is_compared_with_githubs_counter(client: Client, mo: Member, sim: SimulatorServer) -> None:
    token = sim.world.accounts["credits"].github_token
    seat = a_seat(mo, login="credits", github_id=1001, github_token=token)
    told = ask(client, "post", f"/api/seats/{seat.pk}/reconcile/").json()
    assert (told["seat"], told["unit"], told["ledger_nano"]) == (seat.pk, "credits", 0)
    assert told["verdict"]
    assert all(cause["sentence"] != cause["code"] for cause in told["causes"])
    listed = ask(client, "get", f"/api/reconciliations/?seat={seat.pk}").json()["results"]
    assert [row["id"] for row in listed] == [told["id"]]


def test_a_seat_rests_is_switched_off_and_comes_back(client: Client, mo: Member) -> None:
    seat = a_seat(mo)
    address = f"/api/seats/{seat.pk}"
    rested = ask(client, "post", f"{address}/cool/", {"seconds": 60, "reason": "too fast"}).json()
    assert (rested["state"], rested["state_reason"], rested["usable"]) == ("cooling", "too fast", False)
    assert ask(client, "post", f"{address}/disable/").json()["state"] == "disabled"
    assert ask(client, "post", f"{address}/cool/", {"seconds": 60}).json()["state"] == "disabled"
    assert ask(client, "post", f"{address}/revive/").json()["state"] == "active"
    seat.refresh_from_db()
    assert seat.usable
    assert ask(client, "post", f"{address}/cool/", {"seconds": 0}).status_code == 400
    assert ask(client, "delete", f"{address}/").status_code == 409


def test_a_second_seat_for_the_same_people_needs_the_risk_accepted(client: Client, mo: Member) -> None:
    a_seat(None, serves=Serves.TEAM)
    second = a_seat(mo, serves=Serves.OWNER)
    address = f"/api/seats/{second.pk}/"
    refused = ask(client, "patch", address, {"serves": "team"})
    told = refused.json()["error"]
    assert (refused.status_code, told["code"], told["param"]) == (409, "risk_not_accepted", "accept_risk")
    assert "suspends accounts" in told["message"]
    assert Seat.objects.get(pk=second.pk).serves == Serves.OWNER
    assert ask(client, "patch", address, {"serves": "team", "accept_risk": True}).json()["serves"] == "team"
    assert ask(client, "patch", address, {"label": "Second"}).json()["label"] == "Second"


def test_reviving_a_seat_beside_another_needs_the_risk_accepted(client: Client, mo: Member) -> None:
    a_seat(mo)
    off = a_seat(mo, state=SeatState.DISABLED)
    address = f"/api/seats/{off.pk}/revive/"
    assert ask(client, "post", address).json()["error"]["code"] == "risk_not_accepted"
    assert ask(client, "post", address, {"accept_risk": True}).json()["state"] == "active"


def test_which_teams_a_seat_serves_can_be_said(client: Client, mo: Member) -> None:
    seat, team = a_seat(mo, serves=Serves.TEAM), Team.objects.create(name="Compilers")
    told = ask(client, "patch", f"/api/seats/{seat.pk}/", {"teams": [team.pk]}).json()
    assert told["teams"] == [team.pk]
    assert list(seat.teams.all()) == [team]


def test_what_github_decides_is_not_changed_by_hand(client: Client, mo: Member) -> None:
    seat = a_seat(mo, login="octo", state=SeatState.SUSPENDED, state_until=timezone.now())
    ask(client, "patch", f"/api/seats/{seat.pk}/", {"state": "active", "login": "other", "plan": "max", "owner": None})
    kept = Seat.objects.get(pk=seat.pk)
    assert (kept.state, kept.login, kept.plan, kept.owner) == (SeatState.SUSPENDED, "octo", "", mo)
