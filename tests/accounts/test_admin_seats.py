"""Seats in the console: how each is, whom it serves behind GitHub's warning, and the acts on it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Epoch, Seat, SeatState, Serves, Team
from accounts.quotas.readings import note
from bridge.copilot.quota import Quota
from tests.accounts.console import act_on, auditor, list_of, owner, page_of, saving, text_of, ticked
from tests.accounts.rows import a_member, a_seat
from tests.accounts.upstream import sim, simulator
from tests.simulator.server import SimulatorServer

__all__ = ["auditor", "owner", "sim", "simulator"]

pytestmark = pytest.mark.django_db

WARNING = "multiple accounts to circumvent billing and usage limits"


def form_of(seat: Seat, **changes: Any) -> dict[str, Any]:
    teams = list(seat.teams.values_list("pk", flat=True))
    return {"label": seat.label, "serves": seat.serves, "teams": teams, **changes}


def badge_of(owner: Client, seat: Seat) -> tuple[str, str]:
    """Return the state and the reason that the list shows."""
    listed = owner.get(list_of("seat")).context["cl"]
    row = next(row for row in listed.result_list if row.pk == seat.pk)
    admin = listed.model_admin
    return " ".join(admin.state_badge(row).split(">")[1].split("<")[0].split()), admin.why(row)


def test_a_cooling_seat_says_until_when_and_why(owner: Client) -> None:
    seat = a_seat()
    seat.cool(timezone.now() + timedelta(hours=2), "GitHub asked to slow down.")
    state, reason = badge_of(owner, seat)
    assert state == "cooling down"
    assert reason.startswith("until ")
    assert reason.endswith(": GitHub asked to slow down.")


def test_a_seat_whose_rest_is_over_is_active_in_badge_and_filter(owner: Client) -> None:
    seat = a_seat()
    seat.exhaust("no credits", timezone.now() - timedelta(minutes=1))
    assert badge_of(owner, seat) == ("active", "–")
    assert found(owner, SeatState.ACTIVE) == [seat]
    assert found(owner, SeatState.EXHAUSTED) == []


def test_an_exhausted_seat_without_an_end_stays_exhausted(owner: Client) -> None:
    seat = a_seat()
    seat.exhaust("no credits")
    assert (found(owner, SeatState.EXHAUSTED), found(owner, SeatState.ACTIVE)) == ([seat], [])
    assert badge_of(owner, seat) == ("out of credits", "no credits")


def found(owner: Client, state: SeatState) -> list[Seat]:
    return list(owner.get(list_of("seat"), {"is": state.value}).context["cl"].result_list)


QUOTAS = [
    ({"premium_interactions": {"entitlement": 1500.0, "remaining": 1234.0, "percent_remaining": 82.3}},
     "1,234 of 1,500 (82 %)"),
    ({"premium_interactions": {"unlimited": True}}, "unlimited"),
    ({"chat": {"percent_remaining": 40.0}}, "40 %"),
    ({"premium_interactions": {"percent_remaining": -3.0}}, "-3 %"),
    ({}, "–"),
    ({"premium_interactions": {"field_of_a_later_version": 1}}, "–"),
]  # fmt: skip


@pytest.mark.parametrize(("quota", "words"), QUOTAS)
def test_what_is_left_is_said_in_words(owner: Client, quota: dict[str, dict[str, Any]], words: str) -> None:
    a_seat(quota={name: {"name": name, **fields} for name, fields in quota.items()})
    listed = owner.get(list_of("seat")).context["cl"]
    assert listed.model_admin.left(listed.result_list[0]) == words


def test_a_label_saved_while_github_suspends_the_seat_does_not_bring_it_back() -> None:
    seat = a_seat()
    with saving(seat, form_of(seat, label="Mine")):
        Seat.objects.get(pk=seat.pk).suspend("GitHub blocked the account.")
    kept = Seat.objects.get()
    assert (kept.label, kept.state) == ("Mine", SeatState.SUSPENDED)


def test_nothing_but_label_and_people_served_is_taken_from_the_form(owner: Client) -> None:
    seat, other = a_seat(), a_member()
    taken = form_of(seat, owner=other.pk, login="evil", state="disabled", github_token="ghu_evil", api_base="http://x")
    owner.post(page_of(seat), taken)
    kept = Seat.objects.get()
    assert (kept.owner, kept.login, kept.state, kept.api_base) == (seat.owner, seat.login, seat.state, "")
    assert kept.github_token is not None
    assert kept.github_token.reveal() == f"ghu_{seat.github_id}"


def test_the_first_seat_for_a_team_is_saved_without_a_question(owner: Client) -> None:
    seat, team = a_seat(), Team.objects.create(name="Platform")
    owner.post(page_of(seat), form_of(seat, serves="team", teams=[team.pk]))
    seat.refresh_from_db()
    assert (seat.serves, list(seat.teams.all())) == (Serves.TEAM, [team])


def test_a_second_seat_for_the_same_people_is_saved_only_behind_githubs_warning(owner: Client) -> None:
    a_seat(login="first-team-seat", serves="team")
    seat = a_seat()
    page = text_of(owner.post(page_of(seat), form_of(seat, serves="team")))
    assert WARNING in page
    assert "first-team-seat" in page
    assert 'type="checkbox" name="risk_accepted"' in page
    assert Seat.objects.get(pk=seat.pk).serves == Serves.OWNER
    owner.post(page_of(seat), form_of(seat, serves="team", risk_accepted="on"))
    assert Seat.objects.get(pk=seat.pk).serves == Serves.TEAM


def test_other_changes_of_a_confirmed_seat_ask_nothing_again(owner: Client) -> None:
    a_seat(serves="team")
    seat = a_seat(serves="team")
    owner.post(page_of(seat), form_of(seat, label="Second"))
    assert Seat.objects.get(pk=seat.pk).label == "Second"


def test_seats_of_different_teams_need_no_warning_and_widening_one_to_everyone_does(owner: Client) -> None:
    data, platform = Team.objects.create(name="Data"), Team.objects.create(name="Platform")
    a_seat(serves="team").teams.add(data)
    seat = a_seat()
    owner.post(page_of(seat), form_of(seat, serves="team", teams=[platform.pk]))
    assert Seat.objects.get(pk=seat.pk).serves == Serves.TEAM
    seat.refresh_from_db()
    assert WARNING in text_of(owner.post(page_of(seat), form_of(seat, teams=[])))
    assert list(seat.teams.all()) == [platform]


def test_a_seat_without_an_owner_keeps_serving_the_team(owner: Client) -> None:
    seat = Seat.objects.create(login="org", github_id=1, github_token="ghu_x", serves="team")
    assert "This seat has no owner" in text_of(owner.post(page_of(seat), form_of(seat, serves="owner")))


def test_two_disabled_seats_revived_together_are_warned_of_together(owner: Client) -> None:
    seats = [a_seat(serves="team"), a_seat(serves="team")]
    for seat in seats:
        seat.disable()
    assert WARNING not in text_of(owner.get(act_on(seats[0], "revive_one")))
    page = text_of(owner.post(list_of("seat"), ticked("revive_many", *seats)))
    assert WARNING in page
    assert page.count('role="alert"') == 1
    assert {seat.state for seat in Seat.objects.all()} == {SeatState.DISABLED}
    owner.post(list_of("seat"), ticked("revive_many", *seats, confirmed="yes"))
    assert {seat.state for seat in Seat.objects.all()} == {SeatState.ACTIVE}


def used_evenly(seat: Seat) -> None:
    """Readings of every hour of two days, ten credits apart, and the reset in ten days."""
    now = timezone.now()
    for hour in range(49):
        quota = Quota(
            "premium_interactions",
            entitlement=1500.0,
            remaining=1500.0 - 10 * hour,
            percent_remaining=100 - hour / 1.5,
            reset_at=(now + timedelta(days=10)).timestamp(),
            token_based=True,
        )
        note(seat.pk, [quota], (now - timedelta(hours=48 - hour)).timestamp())
    window = Quota("weekly", entitlement=0.0, percent_remaining=12.0, reset_at=(now + timedelta(days=2)).timestamp())
    note(seat.pk, [window], now.timestamp())


def test_the_list_says_how_long_a_seat_lasts(owner: Client) -> None:
    used_evenly(a_seat())
    page = text_of(owner.get(list_of("seat")))
    assert "1,020 of 1,500 credits (68 %)" in page
    assert "at this pace empty on " in page


def test_the_page_of_a_seat_shows_its_windows_and_its_last_thirty_days(owner: Client) -> None:
    seat = a_seat()
    assert "<polyline" not in text_of(owner.get(page_of(seat)))
    used_evenly(seat)
    page = text_of(owner.get(page_of(seat)))
    assert "weekly limit: 12 % left, resets " in page
    points = page.split('<polyline points="')[1].split('"')[0].split()
    assert len(points) >= 48
    assert all(0 <= float(number) <= 600 for point in points for number in point.split(","))
    assert page.count("<tr>") >= 3
    assert "1,020" in page


def test_an_auditor_sees_what_is_left_and_changes_nothing(auditor: Client) -> None:
    seat = a_seat()
    used_evenly(seat)
    assert "1,020 of 1,500 credits" in text_of(auditor.get(page_of(seat)))
    auditor.post(act_on(seat, "disable_one"), {"confirmed": "yes"})
    assert Seat.objects.get().state == SeatState.ACTIVE


def test_disabling_and_reviving_ask_first(owner: Client) -> None:
    seat = a_seat()
    owner.get(act_on(seat, "disable_one"))
    assert Seat.objects.get().state == SeatState.ACTIVE
    before = Epoch.current()
    owner.post(act_on(seat, "disable_one"), {"confirmed": "yes"})
    assert Seat.objects.get().state == SeatState.DISABLED
    assert Epoch.current() > before
    owner.post(act_on(seat, "revive_one"), {"confirmed": "yes"})
    assert Seat.objects.get().state == SeatState.ACTIVE


def test_reviving_a_second_seat_quotes_the_warning_before_it_is_done(owner: Client) -> None:
    a_seat(login="first-team-seat", serves="team")
    seat = a_seat(serves="team")
    seat.disable()
    asked = text_of(owner.get(act_on(seat, "revive_one")))
    assert WARNING in asked
    assert "first-team-seat" in asked


def test_ticked_seats_are_disabled_and_those_that_were_are_named(owner: Client) -> None:
    seats = [a_seat(), a_seat()]
    seats[0].disable()
    page = owner.post(list_of("seat"), ticked("disable_many", *seats, confirmed="yes"), follow=True)
    assert {seat.state for seat in Seat.objects.all()} == {SeatState.DISABLED}
    assert f"{seats[0].login} was disabled before." in text_of(page)
    assert f"{seats[1].login} is disabled." in text_of(page)


@pytest.mark.django_db(transaction=True)
def test_check_now_asks_github_and_reports_what_it_said(owner: Client, sim: SimulatorServer) -> None:
    account = sim.world.accounts["credits"]
    seat = a_seat(login="credits", github_id=account.id, github_token=account.github_token)
    seat.require_login("bad credentials")
    assert "GitHub is asked" in text_of(owner.get(act_on(seat, "check_one")))
    assert Seat.objects.get().state == SeatState.NEEDS_LOGIN
    page = owner.post(act_on(seat, "check_one"), {"confirmed": "yes"}, follow=True)
    assert "credits: active" in text_of(page)
    assert Seat.objects.get().state == SeatState.ACTIVE
    assert Seat.objects.get().quota_seen_at is not None


@pytest.mark.django_db(transaction=True)
def test_ticked_seats_are_checked_and_each_is_reported(owner: Client, sim: SimulatorServer) -> None:
    account = sim.world.accounts["credits"]
    well = a_seat(login="credits", github_id=account.id, github_token=account.github_token)
    ill = a_seat(login="gone", github_token="ghu_nobody_knows")
    page = text_of(owner.post(list_of("seat"), ticked("check_many", well, ill), follow=True))
    assert "credits: active" in page
    assert "gone: needs login" in page
    assert Seat.objects.get(pk=ill.pk).state == SeatState.NEEDS_LOGIN


def test_the_list_reads_owners_and_teams_with_the_seats_and_no_tokens(
    owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    team = Team.objects.create(name="Platform")
    for _ in range(20):
        a_seat(serves="team").teams.add(team)
    with django_assert_max_num_queries(14) as asked:
        owner.get(list_of("seat"))
    of_seats = [query["sql"] for query in asked.captured_queries if '"accounts_seat"."login"' in query["sql"]]
    assert of_seats
    assert [sql for sql in of_seats if "github_token" in sql or "copilot_token" in sql] == []
