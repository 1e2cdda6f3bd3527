"""API keys: issued once, kept as a digest, limited, rotated and revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.forms.models import model_to_dict
from django.utils import timezone

from accounts.models import ApiKey, Epoch, Member, Team
from accounts.secrets import checksum_holds, digest
from tests.accounts.rows import a_member

pytestmark = pytest.mark.django_db


def test_the_text_of_a_key_is_returned_once_and_stored_nowhere() -> None:
    key, text = ApiKey.objects.issue(a_member(), "laptop")
    assert checksum_holds(text)
    stored = ApiKey.objects.filter(pk=key.pk).values().get()
    assert text not in repr(stored)
    assert stored["digest"] == digest(text)
    assert text not in f"{key!r} {key}"


def test_a_key_is_found_by_its_text() -> None:
    key, text = ApiKey.objects.issue(a_member())
    assert ApiKey.objects.for_secret(text) == key
    assert ApiKey.objects.for_secret(text + "x") is None


def test_a_text_of_ones_own_choice_becomes_a_key_once() -> None:
    key, text = ApiKey.objects.issue(a_member(), secret="my own words")
    assert (text, key.digest) == ("my own words", digest("my own words"))
    with pytest.raises(ValidationError):
        ApiKey.objects.issue(a_member(), secret="my own words")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("doors", ["chat", "kitchen"]),
        ("doors", "chat"),
        ("doors", [["chat"]]),
        ("models", [""]),
        ("models", ["claude opus"]),
        ("models", [3]),
        ("addresses", ["10.0.0.0/33"]),
        ("addresses", [""]),
        ("addresses", [167772160]),
    ],
)
def test_a_malformed_limit_is_refused_and_named(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as refusal:
        ApiKey.objects.issue(a_member(), **{field: value})
    assert set(refusal.value.message_dict) == {field}


def test_well_formed_limits_are_kept() -> None:
    key, _ = ApiKey.objects.issue(
        a_member(), doors=["chat", "models"], models=["claude-*"], addresses=["10.0.0.0/8", "2001:db8::1"]
    )
    key.refresh_from_db()
    assert model_to_dict(key, ["doors", "models", "addresses"]) == {
        "doors": ["chat", "models"],
        "models": ["claude-*"],
        "addresses": ["10.0.0.0/8", "2001:db8::1"],
    }


def test_only_keys_that_are_neither_revoked_nor_expired_live() -> None:
    member, now = a_member(), timezone.now()
    lives, _ = ApiKey.objects.issue(member, expires_at=now + timedelta(days=1))
    expired, _ = ApiKey.objects.issue(member, expires_at=now - timedelta(seconds=1))
    revoked, _ = ApiKey.objects.issue(member)
    revoked.revoke()
    assert list(ApiKey.objects.live()) == [lives]
    assert [key.is_live for key in (lives, expired, revoked)] == [True, False, False]
    assert not ApiKey.objects.live(now + timedelta(days=2)).exists()


def test_revocation_is_announced_and_keeps_its_first_moment() -> None:
    key, _ = ApiKey.objects.issue(a_member())
    before = Epoch.current()
    key.revoke()
    first = key.revoked_at
    key.revoke()
    assert key.revoked_at == first
    assert Epoch.current() == before + 1


def test_rotation_leaves_both_keys_alive_for_the_overlap() -> None:
    key, text = ApiKey.objects.issue(a_member(), "ci", doors=["chat"], models=["gpt-*"], addresses=["10.0.0.0/8"])
    successor, new_text = key.rotate(timedelta(hours=1))
    assert new_text != text
    assert (successor.replaces, successor.name, successor.expires_at) == (key, "ci", None)
    assert (successor.doors, successor.models, successor.addresses) == (["chat"], ["gpt-*"], ["10.0.0.0/8"])
    soon, later = timezone.now() + timedelta(minutes=59), timezone.now() + timedelta(minutes=61)
    assert set(ApiKey.objects.live(soon)) == {key, successor}
    assert list(ApiKey.objects.live(later)) == [successor]


def test_rotation_without_overlap_revokes_at_once() -> None:
    key, _ = ApiKey.objects.issue(a_member())
    key.rotate(timedelta())
    assert ApiKey.objects.get(pk=key.pk).revoked_at is not None


def test_rotation_never_lengthens_the_old_keys_life_and_renews_the_span_of_the_new_one() -> None:
    end = timezone.now() + timedelta(minutes=5)
    key, _ = ApiKey.objects.issue(a_member(), expires_at=end)
    ApiKey.objects.filter(pk=key.pk).quiet_update(created_at=end - timedelta(days=90))
    key.refresh_from_db()
    successor, _ = key.rotate(timedelta(hours=1))
    assert key.expires_at == end
    assert successor.expires_at is not None
    assert abs(successor.expires_at - timezone.now() - timedelta(days=90)) < timedelta(minutes=1)


def test_an_ended_key_cannot_be_rotated() -> None:
    key, _ = ApiKey.objects.issue(a_member())
    stale = ApiKey.objects.get(pk=key.pk)
    key.revoke()
    with pytest.raises(ValidationError, match="cannot be rotated"):
        stale.rotate(timedelta(hours=1))
    assert ApiKey.objects.count() == 1


TEAM_LIMITS: dict[str, Any] = {
    "doors": ["chat", "messages"],
    "models": ["gpt-5*", "claude-*-4.5", "*-mini"],
    "requests_per_minute": 60,
    "tokens_per_minute": None,
    "concurrent_requests": 4,
}


def a_teammate(**limits: Any) -> Member:
    return a_member(team=Team.objects.create(name="Platform", **(TEAM_LIMITS | limits)))


@pytest.mark.parametrize(
    "limits",
    [
        {},
        {"doors": ["chat"], "models": ["gpt-5-mini"], "requests_per_minute": 60, "concurrent_requests": 1},
        {"models": ["gpt-5*", "gpt-5.?*", "gpt-5*-codex", "claude-*-4.5", "claude-opus-4.5", "o*-mini"]},
        {"doors": ["management", "chat"], "tokens_per_minute": 10**9},
    ],
)
def test_a_key_may_be_issued_with_what_its_team_may_do(limits: dict[str, Any]) -> None:
    key, _ = ApiKey.objects.issue(a_teammate(), **limits)
    assert model_to_dict(key, list(limits)) == limits


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("doors", ["chat", "embeddings"]),
        ("models", ["gpt-4o"]),
        ("models", ["gpt-*"]),
        ("models", ["*"]),
        ("models", ["claude-*"]),
        ("models", ["claude-*-4.*"]),
        ("models", ["*mini"]),
        ("requests_per_minute", 61),
        ("concurrent_requests", 5),
    ],
)
def test_a_key_with_more_than_its_team_may_do_is_not_issued(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as refusal:
        ApiKey.objects.issue(a_teammate(), **{field: value})
    assert set(refusal.value.message_dict) == {field}
    assert "Platform" in refusal.value.messages[0]
    assert not ApiKey.objects.exists()


def test_a_team_that_is_not_active_limits_no_key() -> None:
    member = a_teammate(active=False)
    ApiKey.objects.issue(member, doors=["embeddings"], requests_per_minute=1000)


@pytest.mark.parametrize("field", ApiKey.number_fields)
@pytest.mark.parametrize("value", [0, -1])
def test_a_number_that_makes_no_limit_is_refused(field: str, value: int) -> None:
    limits: dict[str, Any] = {field: value}
    with pytest.raises(ValidationError) as refusal:
        ApiKey.objects.issue(a_member(), **limits)
    assert set(refusal.value.message_dict) == {field}


def test_a_rotated_key_keeps_every_limit_though_its_team_allows_less_by_now() -> None:
    limits: dict[str, Any] = {
        "doors": ["chat"],
        "models": ["gpt-5*"],
        "addresses": ["10.0.0.0/8"],
        "requests_per_minute": 50,
        "tokens_per_minute": 70_000,
        "concurrent_requests": 3,
    }
    assert set(limits) == set(ApiKey.limit_fields)
    key, _ = ApiKey.objects.issue(a_teammate(), **limits)
    Team.objects.update(doors=["messages"], models=["claude-*"], requests_per_minute=5)
    key = ApiKey.objects.get()
    successor, _ = key.rotate(timedelta(hours=1))
    successor.refresh_from_db()
    assert model_to_dict(successor, ApiKey.limit_fields) == limits
    assert successor.replaces == key
