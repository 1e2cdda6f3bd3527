"""The list of a member's API keys."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey, Member
from tests.proxy.pages.conftest import MakeMember


@pytest.mark.django_db
def test_a_visitor_is_sent_to_the_sign_in_page(visitor: Client) -> None:
    assert visitor.get("/me/keys").headers["location"] == "/signin?next=/me/keys"


def test_a_member_without_keys_is_told_where_they_come_from(browser: Client) -> None:
    assert "You have none yet" in browser.get("/me/keys").content.decode()


def test_keys_are_listed_by_hint_with_their_state_and_live_ones_first(browser: Client, member: Member) -> None:
    key, secret = ApiKey.objects.issue(member, "laptop", expires_at=timezone.now() + timedelta(days=3))
    ApiKey.objects.issue(member, "lost")[0].revoke()
    ApiKey.objects.issue(member, "past", expires_at=timezone.now() - timedelta(days=3))
    text = browser.get("/me/keys").content.decode()
    assert text.index("laptop") < text.index("past")
    assert text.index("laptop") < text.index("lost")
    assert [text.count(f">{word}<") for word in ("Live", "Revoked", "Expired")] == [1, 1, 1]
    assert text.count("not used yet") == 3
    assert secret not in text
    assert key.hint in text


def test_another_members_keys_are_not_listed(browser: Client, make_member: MakeMember) -> None:
    ApiKey.objects.issue(make_member("other"), "others-key")
    assert "others-key" not in browser.get("/me/keys").content.decode()
