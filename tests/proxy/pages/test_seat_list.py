"""The member's seats on the first page: what is left of the own ones, and the name and state of shared ones."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Member, Seat, SeatState, Serves, Team
from accounts.quotas.readings import note
from bridge.copilot.quota import Quota
from tests.proxy.pages.conftest import MakeMember, make_seat


def tell(seat: Seat, left: float, *, days_ago: float = 0.0) -> None:
    now = timezone.now()
    quotas = [
        Quota(
            "premium_interactions",
            entitlement=1500.0,
            remaining=left,
            percent_remaining=left / 15,
            reset_at=(now + timedelta(days=10)).timestamp(),
            token_based=True,
        ),
        Quota("session", entitlement=0.0, percent_remaining=64.0, reset_at=(now + timedelta(hours=3)).timestamp()),
    ]
    note(seat.pk, quotas, (now - timedelta(days=days_ago)).timestamp())


def shown(browser: Client, path: str = "/") -> str:
    return browser.get(path).content.decode()


@pytest.mark.parametrize("path", ["/", "/auth/device"])
def test_a_member_sees_what_is_left_of_the_own_seat_and_until_when(browser: Client, member: Member, path: str) -> None:
    seat = make_seat(member, "octo")
    tell(seat, 1400.0, days_ago=2)
    tell(seat, 700.0)
    text = shown(browser, path)
    assert "Left: 700 of 1,500 credits (47 %)" in text
    assert "at this pace empty on " in text
    assert "5-hour limit: 64 % left, resets " in text


def test_before_there_is_a_forecast_the_reset_is_told(browser: Client, member: Member) -> None:
    tell(make_seat(member, "octo"), 700.0)
    assert "resets on " in shown(browser).split("Left: ")[1].split("</p>")[0]


def test_a_seat_nobody_knows_anything_of_says_nothing_of_it(browser: Client, member: Member) -> None:
    make_seat(member, "octo")
    assert "Left:" not in shown(browser)


def test_of_a_shared_seat_its_name_and_state_are_shown_and_nothing_else(
    browser: Client, make_member: MakeMember
) -> None:
    seat = make_seat(make_member("lender"), "lent", label="Main seat", serves=Serves.TEAM, plan="individual_pro")
    tell(seat, 700.0)
    seat.cool(timezone.now() + timedelta(hours=1), "GitHub said: the reason")
    text = shown(browser)
    assert "Shared with you" in text
    assert "Main seat" in text
    assert "Resting" in text
    for hidden in ("lent<", "lender", "credits", "Copilot Pro+", "the reason"):
        assert hidden not in text.split("Shared with you")[1].split("</ul>")[0]
    assert "700" not in text


@pytest.mark.parametrize(
    ("fields", "is_active", "teams", "is_shown"),
    [
        ({"serves": Serves.TEAM}, True, [], True),
        ({"serves": Serves.TEAM}, True, ["mine"], True),
        ({"serves": Serves.TEAM}, True, ["mine", "other"], True),
        ({"serves": Serves.TEAM}, True, ["other"], False),
        ({"serves": Serves.TEAM}, False, [], False),
        ({"serves": Serves.TEAM, "state": SeatState.DISABLED}, True, [], False),
        ({"serves": Serves.OWNER}, True, [], False),
    ],
)
def test_shared_seats_are_those_that_requests_of_the_member_may_take(
    browser: Client,
    member: Member,
    make_member: MakeMember,
    fields: dict[str, str],
    is_active: bool,
    teams: list[str],
    is_shown: bool,
) -> None:
    made = {name: Team.objects.create(name=name) for name in ("mine", "other")}
    Member.objects.filter(pk=member.pk).update(team=made["mine"])
    seat = make_seat(make_member("lender", is_active=is_active), "lent-account", **fields)
    seat.teams.set([made[name] for name in teams])
    assert ("lent-account" in shown(browser)) is is_shown


def test_the_seats_of_a_team_that_was_closed_are_not_shown(
    browser: Client, member: Member, make_member: MakeMember
) -> None:
    team = Team.objects.create(name="Closed")
    Member.objects.filter(pk=member.pk).update(team=team)
    make_seat(make_member("lender"), "lent-account", serves=Serves.TEAM).teams.add(team)
    team.deactivate()
    assert "lent-account" not in shown(browser)


def test_an_own_seat_that_serves_the_team_is_listed_once(browser: Client, member: Member) -> None:
    make_seat(member, "octo", serves=Serves.TEAM)
    text = shown(browser)
    assert "Shared with you" not in text
    assert text.count("octo") == 1


def test_more_seats_ask_no_more_questions(
    browser: Client, member: Member, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make_seat(member, "first")
    shown(browser)
    with django_assert_max_num_queries(30) as few:
        shown(browser)
    for number in range(12):
        make_seat(member, f"octo{number}", serves=Serves.TEAM if number % 2 else Serves.OWNER)
    with django_assert_max_num_queries(len(few)):
        shown(browser)
