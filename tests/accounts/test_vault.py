"""Text that is encrypted at rest: never shown, readable with every key, rewritten with the first."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.db import connection
from django.forms import modelform_factory
from pytest_django.fixtures import Settings

from accounts.models import Seat
from accounts.vault import Reencrypted, Sealed, VaultLocked, reencrypt
from tests.accounts.rows import a_seat

OLD, NEW = "o" * 40, "n" * 40


@pytest.fixture(autouse=True)
def _one_key(settings: Settings) -> None:
    settings.BRIDGE_ENCRYPTION_KEYS = [OLD]


def stored(seat: Seat) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT github_token FROM accounts_seat WHERE id = %s", [seat.pk])
        text: str = cursor.fetchone()[0]
    return text


def revealed(value: Sealed | None) -> str:
    assert value is not None
    return value.reveal()


def test_a_sealed_text_shows_dots_and_gives_its_text_only_when_asked() -> None:
    sealed = Sealed.of("ghu_secret")
    assert "secret" not in f"{sealed!r}{sealed}{sealed.ciphertext}"
    assert sealed.reveal() == "ghu_secret"


def test_the_same_text_is_never_encrypted_alike() -> None:
    assert Sealed.of("a").ciphertext != Sealed.of("a").ciphertext


def test_an_installations_own_fernet_key_is_a_key_too(settings: Settings) -> None:
    settings.BRIDGE_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert Sealed.of("ünïcödé").reveal() == "ünïcödé"


@pytest.mark.django_db
def test_only_ciphertext_reaches_the_table_and_the_row_reads_it_back() -> None:
    seat = a_seat(github_token="ghu_secret")
    assert "secret" not in stored(seat)
    assert revealed(seat.github_token) == "ghu_secret"
    assert revealed(Seat.objects.get(pk=seat.pk).github_token) == "ghu_secret"


@pytest.mark.django_db
def test_saving_a_row_that_was_read_keeps_its_ciphertext() -> None:
    seat = a_seat()
    before = stored(seat)
    Seat.objects.get(pk=seat.pk).save()
    assert stored(seat) == before


@pytest.mark.django_db
def test_an_update_encrypts_text_and_takes_none() -> None:
    seat = a_seat(copilot_token="old")
    Seat.objects.filter(pk=seat.pk).update(github_token="ghu_new", copilot_token=None)
    seat.refresh_from_db()
    assert (revealed(seat.github_token), seat.copilot_token) == ("ghu_new", None)
    assert list(Seat.objects.filter(copilot_token=None)) == [seat]


@pytest.mark.django_db
def test_a_column_is_compared_with_its_own_ciphertext_and_nothing_else() -> None:
    seat = a_seat(github_token="ghu_secret")
    assert Seat.objects.filter(github_token=seat.github_token).exists()
    assert not Seat.objects.filter(github_token=Sealed.of("ghu_secret")).exists()
    with pytest.raises(TypeError, match="Sealed"):
        Seat.objects.filter(github_token="ghu_secret").exists()


@pytest.mark.django_db
def test_a_missing_key_is_named_when_the_text_is_asked_for_and_not_before(settings: Settings) -> None:
    seat = a_seat()
    settings.BRIDGE_ENCRYPTION_KEYS = [NEW]
    [row] = Seat.objects.all()
    with pytest.raises(VaultLocked, match="BRIDGE_ENCRYPTION_KEYS"):
        revealed(row.github_token)
    settings.BRIDGE_ENCRYPTION_KEYS = [NEW, OLD]
    assert revealed(row.github_token) == f"ghu_{seat.github_id}"


def test_without_any_key_nothing_is_sealed(settings: Settings) -> None:
    settings.BRIDGE_ENCRYPTION_KEYS = []
    with pytest.raises(VaultLocked, match="empty"):
        Sealed.of("ghu_secret")


@pytest.mark.django_db
def test_exports_carry_ciphertext_and_can_be_read_back() -> None:
    seat = a_seat(github_token="ghu_secret")
    export = serializers.serialize("json", [seat])
    assert "ghu_secret" not in export
    [read] = serializers.deserialize("json", export)
    assert isinstance(read.object, Seat)
    assert revealed(read.object.github_token) == "ghu_secret"


def test_no_form_has_the_field() -> None:
    assert "github_token" not in modelform_factory(Seat, fields="__all__").base_fields


@pytest.mark.django_db
def test_reencryption_makes_the_first_key_enough(settings: Settings) -> None:
    seat = a_seat(copilot_token="tid=1")
    settings.BRIDGE_ENCRYPTION_KEYS = [NEW, OLD]
    assert reencrypt() == Reencrypted(rewritten=2, unreadable=0)
    settings.BRIDGE_ENCRYPTION_KEYS = [NEW]
    seat.refresh_from_db()
    assert (revealed(seat.github_token), revealed(seat.copilot_token)) == (f"ghu_{seat.github_id}", "tid=1")


@pytest.mark.django_db
def test_reencryption_counts_what_no_key_can_read_and_goes_on(settings: Settings) -> None:
    a_seat()
    settings.BRIDGE_ENCRYPTION_KEYS = [NEW]
    readable = a_seat()
    assert reencrypt() == Reencrypted(rewritten=1, unreadable=1)
    readable.refresh_from_db()
    assert revealed(readable.github_token) == f"ghu_{readable.github_id}"
