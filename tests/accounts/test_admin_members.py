"""Members in the console: made, changed, given passwords, deactivated; teams beside them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ApiKey, Epoch, Member, Role, Team
from tests.accounts.console import act_on, list_of, owner, page_of, text_of, ticked
from tests.accounts.rows import a_member, a_seat

__all__ = ["owner"]

pytestmark = pytest.mark.django_db

PASSWORD = "a-long-enough-phrase"


def form_of(member: Member, **changes: Any) -> dict[str, Any]:
    fields = {
        "username": member.username,
        "first_name": member.first_name,
        "last_name": member.last_name,
        "email": member.email,
        "language": member.language,
        "time_zone": member.time_zone,
        "role": member.role,
        "team": member.team_id or "",
        "is_active": "on" if member.is_active else "",
    }
    return {name: value for name, value in (fields | changes).items() if value is not None}


def test_a_new_member_gets_role_team_and_language_and_changes_the_password_first(owner: Client) -> None:
    team = Team.objects.create(name="Platform")
    page = text_of(owner.get(reverse("admin:accounts_member_add")))
    assert 'name="must_change_password" ' in page
    assert "checked" in page[page.index('name="must_change_password"') :][:400]
    form = {
        "username": "rosa", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD,
        "must_change_password": "on", "role": "auditor", "team": team.pk, "language": "zh-hans",
    }  # fmt: skip
    owner.post(reverse("admin:accounts_member_add"), form)
    rosa = Member.objects.get(username="rosa")
    assert (rosa.role, rosa.team, rosa.language, rosa.must_change_password) == ("auditor", team, "zh-hans", True)
    assert (rosa.is_staff, rosa.is_superuser) == (True, False)
    assert rosa.check_password(PASSWORD)


def test_the_role_decides_the_console(owner: Client) -> None:
    rosa = a_member("rosa")
    owner.post(page_of(rosa), form_of(rosa, role="owner"))
    rosa.refresh_from_db()
    assert (rosa.is_staff, rosa.is_superuser) == (True, True)
    owner.post(page_of(rosa), form_of(rosa, role="member"))
    rosa.refresh_from_db()
    assert (rosa.is_staff, rosa.is_superuser) == (False, False)


def test_djangos_own_flags_and_permissions_are_not_in_the_form(owner: Client) -> None:
    rosa = a_member("rosa")
    owner.post(page_of(rosa), form_of(rosa, is_superuser="on", is_staff="on", user_permissions="1", groups="1"))
    rosa.refresh_from_db()
    assert (rosa.is_staff, rosa.is_superuser, rosa.user_permissions.count()) == (False, False, 0)


@pytest.mark.parametrize("change", [{"role": "member"}, {"role": "auditor"}, {"is_active": None}])
def test_the_last_owner_stays_one(owner: Client, change: dict[str, Any]) -> None:
    olga = Member.objects.get(role=Role.OWNER)
    page = owner.post(page_of(olga), form_of(olga, **change))
    assert "The last active owner stays one" in text_of(page)
    olga.refresh_from_db()
    assert (olga.role, olga.is_active) == ("owner", True)


def test_one_of_two_owners_can_go(owner: Client) -> None:
    second = a_member("second", role=Role.OWNER)
    owner.post(page_of(second), form_of(second, role="member"))
    second.refresh_from_db()
    assert second.role == "member"


def test_deactivation_asks_first_and_then_ends_sign_in(owner: Client) -> None:
    rosa = a_member("rosa")
    assert "Deactivate" in text_of(owner.get(act_on(rosa, "deactivate_one")))
    assert Member.objects.get(pk=rosa.pk).is_active
    before = Epoch.current()
    owner.post(act_on(rosa, "deactivate_one"), {"confirmed": "yes"})
    assert not Member.objects.get(pk=rosa.pk).is_active
    assert Epoch.current() > before


def test_ticking_everybody_leaves_the_last_owner(owner: Client) -> None:
    members = [a_member(), a_member(), *Member.objects.filter(role=Role.OWNER)]
    page = owner.post(list_of("member"), ticked("deactivate_many", *members, confirmed="yes"), follow=True)
    assert "The last active owner stays one" in text_of(page)
    assert list(Member.objects.filter(is_active=True).values_list("role", flat=True)) == ["owner"]


def test_a_password_set_by_an_owner_is_for_one_sign_in(owner: Client) -> None:
    rosa = a_member("rosa", password="old-password-of-rosa")
    page = owner.get(act_on(rosa, "set_password"), follow=True)
    assert page.status_code == 200
    owner.post(page.request["PATH_INFO"], {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD})
    rosa.refresh_from_db()
    assert rosa.check_password(PASSWORD)
    assert rosa.must_change_password


def test_ones_own_password_is_changed_where_the_old_one_is_asked_for(owner: Client) -> None:
    olga = Member.objects.get(role=Role.OWNER)
    assert owner.get(reverse("admin:auth_user_password_change", args=[olga.pk]))["location"] == reverse("password")


def test_saving_a_member_leaves_a_password_alone_that_was_changed_meanwhile(owner: Client) -> None:
    rosa = a_member("rosa", password="old-password-of-rosa")
    form = form_of(rosa, first_name="Rosa", password=rosa.password)
    rosa.set_password(PASSWORD)
    rosa.save()
    owner.post(page_of(rosa), form)
    rosa.refresh_from_db()
    assert rosa.first_name == "Rosa"
    assert rosa.check_password(PASSWORD)


def test_a_time_zone_nobody_knows_is_refused(owner: Client) -> None:
    rosa = a_member("rosa")
    assert "is not a known time zone" in text_of(owner.post(page_of(rosa), form_of(rosa, time_zone="Mars/Base")))


def test_the_list_counts_live_keys_and_seats_once_each(owner: Client) -> None:
    rosa = a_member("rosa")
    for _ in range(2):
        ApiKey.objects.issue(rosa)
        a_seat(rosa)
    ApiKey.objects.issue(rosa)[0].revoke()
    a_member("nobody")
    listed = owner.get(list_of("member")).context["cl"].result_list
    assert {member.username: (member.live_key_count, member.held_seats) for member in listed} == {
        "olga": (0, 0),
        "rosa": (2, 2),
        "nobody": (0, 0),
    }


def test_a_team_is_made_and_deactivated_and_its_members_counted(owner: Client) -> None:
    owner.post(reverse("admin:accounts_team_add"), {"name": "Plattform", "slug": "", "active": "on", "note": "n"})
    team = Team.objects.get()
    assert team.slug == "plattform"
    a_member(team=team)
    assert [row.member_total for row in owner.get(list_of("team")).context["cl"].result_list] == [1]
    owner.post(act_on(team, "deactivate_one"), {"confirmed": "yes"})
    assert not Team.objects.get().active
