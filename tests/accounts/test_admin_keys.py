"""API keys in the console: shown once, limited, rotated, revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import ApiKey, Member, Team
from accounts.secrets import checksum_holds
from tests.accounts.console import act_on, auditor, list_of, owner, page_of, text_of, ticked
from tests.accounts.rows import a_member

__all__ = ["auditor", "owner"]

pytestmark = pytest.mark.django_db

ADD = "admin:accounts_apikey_add"


def issue(owner: Client, member: Member, **fields: Any) -> Any:
    form = {"member": member.pk, "name": "laptop", "expires_at_0": "", "expires_at_1": "", **fields}
    return owner.post(reverse(ADD), form)


def shown_secret(page: Any) -> str:
    text = text_of(page)
    start = text.index("brg_", text.index('id="secret"'))
    return text[start : text.index('"', start)]


def everything_kept(client: Client) -> str:
    """Return what outlives the answer: cookies, sessions, messages in either, and the history."""
    sessions = [repr(session.get_decoded()) for session in Session.objects.all()]
    history = [f"{entry.object_repr} {entry.change_message}" for entry in LogEntry.objects.all()]
    return " ".join([client.cookies.output(), *sessions, *history])


def test_a_new_key_is_shown_on_the_page_that_follows_and_never_again(owner: Client) -> None:
    page = issue(owner, a_member("rosa"))
    key, secret = ApiKey.objects.get(), shown_secret(page)
    assert page.status_code == 200
    assert checksum_holds(secret)
    assert ApiKey.objects.for_secret(secret) == key
    assert "no-store" in page["Cache-Control"]
    assert secret not in everything_kept(owner)
    for address in (list_of("apikey"), page_of(key), reverse("admin:index")):
        assert secret not in text_of(owner.get(address))


def test_the_page_with_the_secret_offers_to_copy_it_and_makes_a_reload_harmless(owner: Client) -> None:
    text = text_of(issue(owner, a_member()))
    assert 'data-copy="secret"' in text
    assert f'data-replace-address="{page_of(ApiKey.objects.get())}"' in text


def test_issuing_is_told_in_the_history_by_the_hint_alone(owner: Client) -> None:
    issue(owner, a_member())
    entry = LogEntry.objects.get()
    assert entry.is_addition()
    assert (entry.object_repr, entry.object_id) == (str(ApiKey.objects.get()), str(ApiKey.objects.get().pk))


def test_limits_are_written_one_a_line(owner: Client) -> None:
    issue(owner, a_member(), doors=["chat", "messages"], models="gpt-5*\r\nclaude-*", addresses="10.0.0.0/8, ::1")
    key = ApiKey.objects.get()
    assert key.doors == ["chat", "messages"]
    assert key.models == ["gpt-5*", "claude-*"]
    assert key.addresses == ["10.0.0.0/8", "::1"]


def test_a_network_that_is_none_is_refused_beside_its_field_and_no_key_is_made(owner: Client) -> None:
    page = issue(owner, a_member(), addresses="office")
    assert "office is not a network address." in text_of(page)
    assert not ApiKey.objects.exists()


def test_limits_of_a_key_can_be_changed_and_its_text_and_member_cannot(owner: Client) -> None:
    key, secret = ApiKey.objects.issue(a_member(), "laptop")
    other = a_member()
    owner.post(page_of(key), {"name": "desk", "models": "gpt-*", "member": other.pk, "digest": "0" * 64, "hint": "x"})
    now = ApiKey.objects.get()
    assert (now.name, now.models) == ("desk", ["gpt-*"])
    assert (now.member, now.digest, now.hint) == (key.member, key.digest, key.hint)
    assert ApiKey.objects.for_secret(secret) == now


def test_revoking_asks_first_and_then_ends_the_key(owner: Client) -> None:
    key, _secret = ApiKey.objects.issue(a_member(), "laptop")
    assert "Revoke" in text_of(owner.get(act_on(key, "revoke_one")))
    assert ApiKey.objects.get().is_live
    assert owner.post(act_on(key, "revoke_one"), {"confirmed": "yes"})["location"] == page_of(key)
    assert not ApiKey.objects.get().is_live
    assert LogEntry.objects.get().get_change_message() == "Changed revoked."


def test_ticked_keys_are_revoked_together_after_one_question(owner: Client) -> None:
    first, second = (ApiKey.objects.issue(a_member())[0] for _ in range(2))
    third, _secret = ApiKey.objects.issue(a_member())
    asked = owner.post(list_of("apikey"), ticked("revoke_many", first, second))
    assert ApiKey.objects.live().count() == 3
    assert text_of(asked).count('name="_selected_action"') == 2
    done = owner.post(list_of("apikey"), ticked("revoke_many", first, second, confirmed="yes"), follow=True)
    assert list(ApiKey.objects.live()) == [third]
    assert text_of(done).count("is revoked.") == 2


def test_a_revoked_key_can_be_read_and_no_longer_changed(owner: Client) -> None:
    key, _secret = ApiKey.objects.issue(a_member())
    assert act_on(key, "rotate_one") in text_of(owner.get(page_of(key)))
    key.revoke()
    page = owner.get(page_of(key))
    assert page.status_code == 200
    assert act_on(key, "rotate_one") not in text_of(page)
    assert owner.post(page_of(key), {"name": "again"}).status_code == 403
    assert owner.post(act_on(key, "rotate_one"), {"confirmed": "yes", "overlap": "0"}).status_code == 403


def test_rotation_shows_the_successor_once_and_keeps_the_old_key_for_the_overlap(owner: Client) -> None:
    key, old = ApiKey.objects.issue(a_member(), "laptop", models=["gpt-*"])
    assert ApiKey.objects.count() == 1
    assert "The old key goes on for" in text_of(owner.get(act_on(key, "rotate_one")))
    page = owner.post(act_on(key, "rotate_one"), {"confirmed": "yes", "overlap": "24"})
    secret = shown_secret(page)
    successor, ending = ApiKey.objects.for_secret(secret), ApiKey.objects.for_secret(old)
    assert successor is not None
    assert ending is not None
    assert ending.expires_at is not None
    assert (successor.replaces, successor.models) == (key, ["gpt-*"])
    assert timedelta(hours=23) < ending.expires_at - timezone.now() <= timedelta(hours=24)
    assert secret not in everything_kept(owner)


def test_an_expired_key_is_not_rotated_and_says_why(owner: Client) -> None:
    key, _secret = ApiKey.objects.issue(a_member(), expires_at=timezone.now() - timedelta(days=1))
    page = owner.post(act_on(key, "rotate_one"), {"confirmed": "yes", "overlap": "0"}, follow=True)
    assert "A key that has ended cannot be rotated" in text_of(page)
    assert ApiKey.objects.count() == 1


def test_an_auditor_can_neither_issue_nor_rotate(auditor: Client) -> None:
    key, _secret = ApiKey.objects.issue(a_member())
    assert issue(auditor, key.member).status_code == 403
    assert auditor.post(act_on(key, "rotate_one"), {"confirmed": "yes", "overlap": "0"}).status_code == 403
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(
    ("state", "expected"), [("live", {"soon", "long"}), ("expired", {"over"}), ("revoked", {"no"})]
)
def test_keys_are_found_by_their_state(owner: Client, state: str, expected: set[str]) -> None:
    now = timezone.now()
    ApiKey.objects.issue(a_member(), "soon", expires_at=now + timedelta(days=1))
    ApiKey.objects.issue(a_member(), "long")
    ApiKey.objects.issue(a_member(), "over", expires_at=now - timedelta(days=1))
    ApiKey.objects.issue(a_member(), "no")[0].revoke()
    listed = owner.get(list_of("apikey"), {"is": state}).context["cl"].result_list
    assert {key.name for key in listed} == expected


def test_the_list_reads_its_members_with_the_keys(
    owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(20):
        ApiKey.objects.issue(a_member())
    with django_assert_max_num_queries(12):
        owner.get(list_of("apikey"))


def test_numbers_limit_a_key_and_stand_in_the_list(owner: Client) -> None:
    issue(owner, a_member(), requests_per_minute="30", tokens_per_minute="90000", concurrent_requests="")
    key = ApiKey.objects.get()
    assert (key.requests_per_minute, key.tokens_per_minute, key.concurrent_requests) == (30, 90_000, None)
    assert "30 requests/min · 90,000 tokens/min" in text_of(owner.get(list_of("apikey")))
    form = {"name": "laptop", "requests_per_minute": "", "concurrent_requests": "2", "tokens_per_minute": "5"}
    owner.post(page_of(key), form)
    key.refresh_from_db()
    assert (key.requests_per_minute, key.tokens_per_minute, key.concurrent_requests) == (None, 5, 2)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("requests_per_minute", "0", "greater than or equal to 1"),
        ("requests_per_minute", "61", "The team Platform has a limit of 60"),
        ("models", "claude-*", "The team Platform may not use: claude-*."),
        ("doors", ["embeddings"], "The team Platform may not use: embeddings."),
    ],
)
def test_what_cannot_be_issued_is_told_beside_its_field(owner: Client, field: str, value: Any, words: str) -> None:
    team = Team.objects.create(name="Platform", doors=["chat"], models=["gpt-*"], requests_per_minute=60)
    page = issue(owner, a_member(team=team), **{field: value})
    assert words in " ".join(page.context["adminform"].form.errors[field])
    assert not ApiKey.objects.exists()


def test_nothing_is_issued_to_somebody_who_is_deactivated(owner: Client) -> None:
    page = issue(owner, a_member("gone", is_active=False))
    assert "gone is deactivated" in text_of(page)
    assert not ApiKey.objects.exists()


def test_rotation_keeps_the_numbers(owner: Client) -> None:
    key, _old = ApiKey.objects.issue(a_member(), requests_per_minute=30, concurrent_requests=2)
    secret = shown_secret(owner.post(act_on(key, "rotate_one"), {"confirmed": "yes", "overlap": "24"}))
    successor = ApiKey.objects.for_secret(secret)
    assert successor is not None
    assert (successor.requests_per_minute, successor.concurrent_requests) == (30, 2)
