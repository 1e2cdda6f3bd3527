"""A member's own API keys: listed, issued within what the team may do, replaced, revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey, Member, Team
from accounts.secrets import checksum_holds
from tests.proxy.pages.conftest import MakeMember, browser_of

PAGE = "/me/keys"


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def issue(browser: Client, **fields: Any) -> Any:
    return browser.post(PAGE, {"act": "issue", "name": "laptop", **fields})


def shown_text(answer: Any) -> str:
    text = text_of(answer)
    return text.split('<code id="secret">', 1)[1].split("</code>", 1)[0]


@pytest.mark.django_db
def test_a_visitor_is_sent_to_the_sign_in_page(visitor: Client) -> None:
    assert visitor.get(PAGE).headers["location"] == "/signin?next=/me/keys"
    assert issue(visitor).headers["location"] == "/signin?next=/me/keys"
    assert not ApiKey.objects.exists()


def test_a_member_without_keys_is_told_where_they_come_from(browser: Client) -> None:
    text = text_of(browser.get(PAGE))
    assert "You have none yet" in text
    assert text.count('type="checkbox" name="doors"') == 5
    assert "Management API" not in text


def test_keys_are_listed_by_hint_with_their_state_and_live_ones_first(browser: Client, member: Member) -> None:
    key, secret = ApiKey.objects.issue(member, "laptop", expires_at=timezone.now() + timedelta(days=3))
    ApiKey.objects.issue(member, "lost")[0].revoke()
    ApiKey.objects.issue(member, "past", expires_at=timezone.now() - timedelta(days=3))
    text = text_of(browser.get(PAGE))
    assert text.index("laptop") < text.index("past")
    assert text.index("laptop") < text.index("lost")
    assert [text.count(f">{word}<") for word in ("Live", "Revoked", "Expired")] == [1, 1, 1]
    assert text.count("not used yet") == 3
    assert secret not in text
    assert key.hint in text


def test_limits_are_shown_with_the_key_and_those_of_the_team_beside_the_form(browser: Client, member: Member) -> None:
    member.team = Team.objects.create(name="Platform", tokens_per_minute=90_000)
    member.save()
    ApiKey.objects.issue(member, "laptop", models=["gpt-*"], requests_per_minute=30, concurrent_requests=2)
    text = text_of(browser.get(PAGE))
    for words in ("models: gpt-*", "30 requests a minute", "2 at once", "90000 tokens a minute", "team Platform"):
        assert words in text.replace(",", "")


def test_another_members_keys_are_neither_listed_nor_touched(browser: Client, make_member: MakeMember) -> None:
    key, _text = ApiKey.objects.issue(make_member("other"), "others-key")
    assert "others-key" not in text_of(browser.get(PAGE))
    for act in ({"act": "revoke"}, {"act": "rotate", "overlap": "now"}):
        assert browser.post(PAGE, {**act, "key": str(key.pk)}).status_code == 404
    assert ApiKey.objects.get().is_live


def test_a_new_key_is_shown_once_and_kept_nowhere(browser: Client, member: Member) -> None:
    answer = issue(browser, days="30", doors=["chat", "messages"], models="gpt-*, claude-*", requests_per_minute="20")
    secret, key = shown_text(answer), ApiKey.objects.get()
    assert checksum_holds(secret)
    assert ApiKey.objects.for_secret(secret) == key
    assert (key.member, key.doors, key.models) == (member, ["chat", "messages"], ["gpt-*", "claude-*"])
    assert (key.requests_per_minute, key.tokens_per_minute) == (20, None)
    assert key.expires_at is not None
    assert timedelta(days=29) < key.expires_at - timezone.now() <= timedelta(days=30)
    assert "no-store" in answer.headers["cache-control"]
    kept = [repr(session.get_decoded()) for session in Session.objects.all()]
    assert secret not in " ".join([browser.cookies.output(), *kept, text_of(browser.get(PAGE))])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"doors": ["embeddings"]}, "may not use: embeddings"),
        ({"models": "gpt-*"}, "may not use: gpt-*"),
        ({"requests_per_minute": "61"}, "has a limit of 60"),
        ({"requests_per_minute": "0"}, "greater than or equal to 1"),
        ({"addresses": "office"}, "office is not a network address"),
        ({"days": "0"}, "greater than or equal to 1"),
        ({"doors": ["management"]}, "management is not one of the available choices"),
    ],
)
def test_nothing_is_issued_beyond_what_the_team_may_do_and_the_form_says_why(
    browser: Client, member: Member, fields: dict[str, Any], words: str
) -> None:
    member.team = Team.objects.create(name="Platform", doors=["chat"], models=["gpt-5*"], requests_per_minute=60)
    member.save()
    answer = issue(browser, **fields)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert "<details open>" in text_of(answer)
    assert not ApiKey.objects.exists()


def test_only_those_who_manage_may_name_the_management_api(make_member: MakeMember) -> None:
    for role, doors in (("owner", ["management"]), ("auditor", ["management"]), ("member", None)):
        person = make_member(f"a-{role}", role=role)
        issue(browser_of(person), doors=["management"])
        key = ApiKey.objects.filter(member=person).first()
        assert (key.doors if key else None) == doors


def test_a_key_is_replaced_with_an_overlap_and_keeps_its_limits(browser: Client, member: Member) -> None:
    key, old = ApiKey.objects.issue(member, "laptop", models=["gpt-*"], tokens_per_minute=500)
    answer = browser.post(PAGE, {"act": "rotate", "key": str(key.pk), "overlap": "day"})
    successor = ApiKey.objects.for_secret(shown_text(answer))
    assert successor is not None
    assert (successor.replaces, successor.models, successor.tokens_per_minute) == (key, ["gpt-*"], 500)
    key.refresh_from_db()
    assert key.expires_at is not None
    assert timedelta(hours=23) < key.expires_at - timezone.now() <= timedelta(days=1)
    assert "goes on until" in text_of(answer)
    assert old not in text_of(answer)


def test_a_key_is_replaced_at_once(browser: Client, member: Member) -> None:
    key, _old = ApiKey.objects.issue(member, "laptop")
    answer = browser.post(PAGE, {"act": "rotate", "key": str(key.pk), "overlap": "now"})
    assert ApiKey.objects.for_secret(shown_text(answer)) is not None
    assert not ApiKey.objects.get(pk=key.pk).is_live
    again = browser.post(PAGE, {"act": "rotate", "key": str(key.pk), "overlap": "now"}, follow=True)
    assert "cannot be rotated" in text_of(again)
    assert ApiKey.objects.count() == 2


def test_a_key_is_revoked_for_good(browser: Client, member: Member) -> None:
    key, _old = ApiKey.objects.issue(member, "laptop")
    answer = browser.post(PAGE, {"act": "revoke", "key": str(key.pk)}, follow=True)
    assert "is revoked." in text_of(answer)
    assert not ApiKey.objects.get().is_live


@pytest.mark.parametrize(
    "form",
    [{}, {"act": "sell"}, {"act": "revoke"}, {"act": "revoke", "key": "²"}, {"act": "rotate", "key": "9" * 40}],
)
def test_a_form_that_names_nothing_is_not_found(browser: Client, form: dict[str, str]) -> None:
    assert browser.post(PAGE, form).status_code == 404


def test_acts_need_the_pages_own_token(member: Member) -> None:
    browser = browser_of(member, enforce_csrf_checks=True)
    assert issue(browser).status_code == 403
    assert not ApiKey.objects.exists()
