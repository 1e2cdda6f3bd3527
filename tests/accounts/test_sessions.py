"""Page sessions end with the account they belong to, and no others."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import Member
from accounts.sessions import end_sessions
from tests.accounts.rows import a_member

pytestmark = pytest.mark.django_db


def sign_in(member: Member, times: int = 1) -> None:
    for _ in range(times):
        Client().force_login(member)


def test_every_session_of_a_member_who_is_deactivated_is_deleted_and_no_other() -> None:
    leaver, stayer = a_member(), a_member()
    sign_in(leaver, 3)
    sign_in(stayer, 2)
    leaver.deactivate()
    assert Session.objects.count() == 2
    assert end_sessions(leaver.pk) == 0
    assert end_sessions(stayer.pk) == 2


def test_saving_a_member_ends_sessions_only_when_the_account_is_ended() -> None:
    member = a_member()
    sign_in(member)
    member.language = "en"
    member.save()
    member.save(update_fields=["language"])
    assert Session.objects.count() == 1
    member.is_active = False
    member.save(update_fields=["language"])
    assert Session.objects.count() == 1, "the account is not ended in the database"
    member.save()
    assert not Session.objects.exists()
