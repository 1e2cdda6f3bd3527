"""Teams in the console: their limits are entered, checked and listed."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Team
from tests.accounts.console import auditor, list_of, owner, page_of, text_of

__all__ = ["auditor", "owner"]

pytestmark = pytest.mark.django_db

ADD = "admin:accounts_team_add"


def form_of(**fields: Any) -> dict[str, Any]:
    return {"name": "Platform", "slug": "platform", "active": "on", "note": "", **fields}


def test_limits_of_a_team_are_entered_and_stand_in_the_list(owner: Client) -> None:
    numbers = {"requests_per_minute": "600", "tokens_per_minute": "", "concurrent_requests": "12"}
    lists = {"doors": ["chat", "messages"], "models": "gpt-*\r\nclaude-*", "addresses": "10.0.0.0/8"}
    assert owner.post(reverse(ADD), form_of(**numbers, **lists)).status_code == 302
    team = Team.objects.get()
    assert (team.doors, team.models, team.addresses) == (["chat", "messages"], ["gpt-*", "claude-*"], ["10.0.0.0/8"])
    assert (team.requests_per_minute, team.tokens_per_minute, team.concurrent_requests) == (600, None, 12)
    assert "600 requests/min · 12 at once" in text_of(owner.get(list_of("team")))


def test_limits_of_a_team_are_changed_and_taken_away(owner: Client) -> None:
    team = Team.objects.create(name="Platform", models=["gpt-*"], requests_per_minute=5)
    owner.post(page_of(team), form_of(models="", addresses="", requests_per_minute="", concurrent_requests="3"))
    team.refresh_from_db()
    assert (team.models, team.requests_per_minute, team.concurrent_requests) == ([], None, 3)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("addresses", "office", "office is not a network address."),
        ("requests_per_minute", "0", "greater than or equal to 1"),
        ("concurrent_requests", "many", "Enter a whole number."),
        ("doors", ["management"], "management is not one of the available choices"),
    ],
)
def test_a_limit_that_is_none_is_refused_beside_its_field(owner: Client, field: str, value: Any, words: str) -> None:
    page = owner.post(reverse(ADD), form_of(**{field: value}))
    assert words in " ".join(page.context["adminform"].form.errors[field])
    assert not Team.objects.exists()


def test_an_auditor_reads_the_limits_and_changes_none(auditor: Client) -> None:
    team = Team.objects.create(name="Platform", models=["gpt-*"], requests_per_minute=5)
    assert "gpt-*" in text_of(auditor.get(page_of(team)))
    assert auditor.post(page_of(team), form_of(requests_per_minute="9")).status_code == 403
    team.refresh_from_db()
    assert team.requests_per_minute == 5
