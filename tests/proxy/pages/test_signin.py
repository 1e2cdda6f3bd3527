"""Signing in and out, the password that must be changed, and the console's door."""

from __future__ import annotations

import pytest
from django.test import AsyncClient, Client

from accounts.models import Member
from tests.proxy.pages.conftest import BROWSER, PASSWORD, MakeMember, browser_of

NEW = "another long passphrase"


def test_a_member_signs_in_and_returns_to_the_page_asked_for(visitor: Client, member: Member) -> None:
    asked = visitor.get("/auth/device")
    assert asked.headers["location"] == "/signin?next=/auth/device"
    answer = visitor.post(asked.headers["location"], {"username": "member", "password": PASSWORD})
    assert answer.headers["location"] == "/auth/device"


def test_nobody_is_sent_to_another_site_after_signing_in(visitor: Client, member: Member) -> None:
    answer = visitor.post("/signin?next=https://evil.example/", {"username": "member", "password": PASSWORD})
    assert answer.headers["location"] == "/"


def test_a_wrong_password_is_said_and_opens_nothing(visitor: Client, member: Member) -> None:
    answer = visitor.post("/signin", {"username": "member", "password": "wrong"})
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert visitor.get("/auth/device").status_code == 302


def test_an_inactive_member_cannot_sign_in(visitor: Client, member: Member) -> None:
    member.deactivate()
    assert visitor.post("/signin", {"username": "member", "password": PASSWORD}).status_code == 200


def test_signing_out_takes_a_post_and_ends_the_session(browser: Client) -> None:
    assert browser.get("/signout").status_code == 405
    assert browser.post("/signout").headers["location"] == "/"
    assert browser.get("/auth/device").status_code == 302


@pytest.mark.parametrize(
    "path", ["/signin", "/signout", "/password", "/auth/device/start", "/auth/device/cancel", "/i18n/setlang"]
)
def test_every_form_needs_its_secret(member: Member, path: str) -> None:
    client = browser_of(member, enforce_csrf_checks=True)
    answer = client.post(path, {})
    assert answer.status_code == 403
    assert "This form is out of date" in answer.content.decode()


def test_a_password_given_by_somebody_else_must_be_changed_first(make_member: MakeMember) -> None:
    browser = browser_of(make_member("fresh", must_change_password=True))
    for path in ("/", "/auth/device", "/auth/device/status", "/admin/"):
        assert browser.get(path).headers["location"] == "/password", path
    assert "Choose your own password" in browser.get("/password").content.decode()
    assert browser.post("/i18n/setlang", {"language": "en"}).headers["location"] == "/"
    answer = browser.post("/password", {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW})
    assert answer.headers["location"] == "/"
    page = browser.get("/")
    assert page.status_code == 200
    assert "Your password is changed." in page.content.decode()
    assert not Member.objects.get(username="fresh").must_change_password


def test_a_member_with_a_password_to_change_may_sign_out(make_member: MakeMember) -> None:
    browser = browser_of(make_member("fresh", must_change_password=True))
    assert browser.post("/signout").headers["location"] == "/"


def test_a_program_is_told_that_the_password_must_be_changed(make_member: MakeMember) -> None:
    browser = browser_of(make_member("fresh", must_change_password=True))
    answer = browser.get("/auth/device/status", headers={"accept": "application/json"})
    assert answer.status_code == 403
    assert answer.json()["page"] == "/password"


def test_the_old_password_is_no_new_one(make_member: MakeMember) -> None:
    browser = browser_of(make_member("fresh", must_change_password=True))
    form = {"old_password": PASSWORD, "new_password1": PASSWORD, "new_password2": PASSWORD}
    assert "This is the old password" in browser.post("/password", form).content.decode()
    assert Member.objects.get(username="fresh").must_change_password


def test_a_weak_password_is_refused(browser: Client) -> None:
    form = {"old_password": PASSWORD, "new_password1": "12345678", "new_password2": "12345678"}
    answer = browser.post("/password", form)
    assert answer.status_code == 200
    assert "too common" in answer.content.decode()


@pytest.mark.django_db
def test_the_console_uses_the_one_sign_in_page(visitor: Client) -> None:
    first = visitor.get("/admin/")
    assert visitor.get(first.headers["location"]).headers["location"] == "/signin?next=/admin/"


def test_a_member_without_a_console_is_refused_and_not_sent_in_a_circle(browser: Client) -> None:
    first = browser.get("/admin/")
    assert browser.get(first.headers["location"]).status_code == 403


@pytest.mark.django_db(transaction=True)
async def test_the_pages_know_the_member_under_an_asynchronous_server_too() -> None:
    fresh: Member = await Member.objects.acreate_user(username="fresh", password=PASSWORD, must_change_password=True)
    client = AsyncClient()
    await client.aforce_login(fresh)
    assert (await client.get("/", headers={"accept": BROWSER})).headers["location"] == "/password"
    await Member.objects.filter(pk=fresh.pk).aupdate(must_change_password=False, language="zh-hans")
    page = await client.get("/", headers={"accept": BROWSER})
    assert page.status_code == 200
    assert '<html lang="zh-hans">' in page.content.decode()
