"""`manage.py issuekey`: the key alone on standard output, limits as options, faults in a sentence."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.forms.models import model_to_dict

from accounts.models import ApiKey, Team
from tests.accounts.rows import a_member

pytestmark = pytest.mark.django_db


def issue(*options: str) -> ApiKey:
    told = StringIO()
    call_command("issuekey", "mo", *options, stdout=told)
    key = ApiKey.objects.for_secret(told.getvalue().strip())
    assert key is not None
    return key


def test_every_limit_has_an_option() -> None:
    a_member("mo")
    key = issue(
        "--name", "laptop", "--doors", "chat,messages", "--models", "gpt-5*, claude-*", "--addresses", "10.0.0.0/8,::1",
        "--rpm", "60", "--tpm", "200000", "--concurrent", "8",
    )  # fmt: skip
    assert key.name == "laptop"
    assert model_to_dict(key, ApiKey.limit_fields) == {
        "doors": ["chat", "messages"],
        "models": ["gpt-5*", "claude-*"],
        "addresses": ["10.0.0.0/8", "::1"],
        "requests_per_minute": 60,
        "tokens_per_minute": 200_000,
        "concurrent_requests": 8,
    }


def test_without_options_nothing_is_limited() -> None:
    a_member("mo")
    assert set(map(str, model_to_dict(issue(), ApiKey.limit_fields).values())) == {"[]", "None"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--doors", "chat,kitchen"], "--doors: kitchen is no door; doors are chat, responses, messages"),
        (["--addresses", "office"], "--addresses: office is not a network address."),
        (["--rpm", "0"], "--rpm: "),
        (["--concurrent", "9"], "--concurrent: The team Platform has a limit of 4; enter that or less."),
        (["--models", "gpt-*,o3"], "--models: The team Platform may not use: o3."),
        (["--expires", "0"], "--expires takes a number of days, 1 or more."),
    ],
)
def test_what_cannot_be_is_told_with_the_option_at_fault(options: list[str], words: str) -> None:
    a_member("mo", team=Team.objects.create(name="Platform", models=["gpt-*"], concurrent_requests=4))
    with pytest.raises(CommandError) as fault:
        issue(*options)
    assert words in str(fault.value)
    assert not ApiKey.objects.exists()


def test_a_number_that_is_none_is_refused_by_the_option_itself() -> None:
    with pytest.raises(CommandError, match="--rpm: invalid int value"):
        issue("--rpm", "many")
