"""The first start makes an owner and a key; later ones find them."""

from __future__ import annotations

import pytest
from django.contrib.auth import authenticate
from pytest_django.fixtures import Settings

from accounts.first_start import ENVIRONMENT_KEY, NameTaken, greeting, prepare
from accounts.models import ApiKey, Epoch, Member, ModelRoute, Role
from tests.accounts.rows import a_member

pytestmark = pytest.mark.django_db


def test_the_first_start_makes_an_owner_who_can_sign_in_once_and_a_key_that_works() -> None:
    start = prepare()
    assert start.password is not None
    assert start.key is not None
    owner = Member.objects.get(username="owner")
    assert authenticate(username="owner", password=start.password) == owner
    assert (owner.is_owner, owner.must_change_password) == (True, True)
    key = ApiKey.objects.for_secret(start.key)
    assert key is not None
    assert (key.member, key.is_live) == (owner, True)
    assert ModelRoute.objects.filter(pattern="gpt-4o-mini").exists()


def test_the_secrets_are_in_no_repr() -> None:
    start = prepare()
    assert start.password
    assert start.password not in repr(start)
    assert str(start.key) not in repr(start)


def test_a_second_start_changes_nothing_and_shows_no_secret() -> None:
    first = prepare()
    before = (Epoch.current(), list(ApiKey.objects.values()), list(Member.objects.values()))
    second = prepare()
    assert (Epoch.current(), list(ApiKey.objects.values()), list(Member.objects.values())) == before
    assert (second.owner, second.password, second.key) == (first.owner, None, None)


def test_an_owner_who_took_another_name_is_not_doubled() -> None:
    prepare()
    Member.objects.update(username="alice")
    assert prepare().owner.username == "alice"
    assert Member.objects.count() == 1


def test_a_plain_member_of_that_name_is_never_made_an_owner() -> None:
    a_member("owner")
    with pytest.raises(NameTaken, match="without the role"):
        prepare()
    assert not Member.objects.filter(role=Role.OWNER).exists()


def test_the_value_of_api_key_is_the_first_key(settings: Settings) -> None:
    settings.API_KEY = "my-own-api-key-of-any-shape"
    start = prepare()
    assert start.key is None
    [key] = ApiKey.objects.all()
    assert key == ApiKey.objects.for_secret("my-own-api-key-of-any-shape")
    assert (key.name, key.member) == (ENVIRONMENT_KEY, start.owner)
    assert "my-own-api-key" not in "\n".join(greeting(start))


def test_a_new_value_of_api_key_ends_the_old_one(settings: Settings) -> None:
    settings.API_KEY = "my-own-api-key-of-any-shape"
    prepare()
    settings.API_KEY = "another-api-key-of-any-shape"
    prepare()
    assert [key.hint for key in ApiKey.objects.live()] == ["anot…pe"]


def test_a_revoked_value_of_api_key_stays_revoked(settings: Settings) -> None:
    settings.API_KEY = "my-own-api-key-of-any-shape"
    prepare()
    ApiKey.objects.get().revoke()
    prepare()
    assert not ApiKey.objects.live().exists()
    assert ApiKey.objects.count() == 1


def test_the_mapping_of_the_environment_takes_the_place_of_the_shipped_routes(settings: Settings) -> None:
    settings.MODEL_MAPPING = {"fast": "gpt-5-mini"}
    prepare()
    assert list(ModelRoute.objects.values_list("pattern", "target")) == [("fast", "gpt-5-mini")]


def test_the_greeting_says_once_how_to_sign_in_and_what_to_do_next(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://bridge.example"
    start = prepare()
    text = "\n".join(greeting(start))
    for part in (str(start.password), str(start.key), "owner", "https://bridge.example/auth/device"):
        assert part in text
    assert list(greeting(prepare())) == [
        "The gateway is at https://bridge.example. Your API keys are listed at https://bridge.example/me/keys"
    ]
