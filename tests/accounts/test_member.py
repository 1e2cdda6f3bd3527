"""Roles decide what Django lets a member see."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Epoch, Member, Role, Team
from tests.accounts.rows import a_member

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("role", "staff", "superuser"),
    [(Role.OWNER, True, True), (Role.AUDITOR, True, False), (Role.MEMBER, False, False)],
)
def test_the_role_decides_the_flags_of_django(role: Role, staff: bool, superuser: bool) -> None:
    member = a_member(role=role)
    assert (member.is_staff, member.is_superuser) == (staff, superuser)


def test_saving_the_role_alone_saves_its_flags_too() -> None:
    member = a_member()
    member.role = Role.OWNER
    member.save(update_fields=["role"])
    assert Member.objects.get(pk=member.pk).is_superuser


def test_a_superuser_of_djangos_own_command_is_an_owner() -> None:
    assert Member.objects.create_superuser("root", password="x").is_owner


def test_an_auditor_may_look_at_everything_in_accounts_and_change_nothing() -> None:
    auditor = a_member(role=Role.AUDITOR)
    assert auditor.has_perm("accounts.view_usagerecord")
    assert auditor.has_module_perms("accounts")
    assert not auditor.has_perm("accounts.change_usagerecord")
    assert not auditor.has_perm("accounts.delete_seat")
    assert not auditor.has_perm("auth.view_group")


def test_an_inactive_auditor_sees_nothing() -> None:
    auditor = a_member(role=Role.AUDITOR)
    auditor.deactivate()
    assert not auditor.has_perm("accounts.view_seat")
    assert not auditor.has_module_perms("accounts")


def test_a_member_has_no_permission_at_all() -> None:
    assert not a_member().has_module_perms("accounts")


def test_signing_in_is_not_announced_but_deactivation_is() -> None:
    member, before = a_member(), Epoch.current()
    before = Epoch.current()
    member.save(update_fields=["last_login"])
    assert Epoch.current() == before
    member.deactivate()
    assert Epoch.current() == before + 1


@pytest.mark.parametrize("name", ["Asia/Shanghai", "UTC", "Europe/Berlin"])
def test_known_time_zones_pass(name: str) -> None:
    Member(username="a", password="x", time_zone=name).full_clean()


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "/etc/passwd", "Asia"])
def test_unknown_time_zones_are_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="not a known time zone"):
        Member(username="a", password="x", time_zone=name).full_clean()


def test_a_team_gets_a_slug_even_from_a_name_without_letters() -> None:
    assert Team.objects.create(name="编译器").slug == "编译器"
    assert Team.objects.create(name="!!!").slug.startswith("team-")
