"""API keys: issued once, kept as a digest, limited, rotated and revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.forms.models import model_to_dict
from django.utils import timezone

from accounts.models import ApiKey, Epoch
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
