"""Languages and time zones: the browser's wish, the switch, and the member's own choice."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

import pytest
from django.test import Client

from accounts.models import Member, UsageRecord
from tests.proxy.pages.conftest import MakeMember, browser_of

CHINESE = '<html lang="zh-hans">'
ENGLISH = '<html lang="en">'


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wish", "mark"), [("zh-CN,zh;q=0.9,en;q=0.8", CHINESE), ("en-GB", ENGLISH), ("fr", ENGLISH), ("", ENGLISH)]
)
def test_a_visitor_reads_the_language_the_browser_asks_for(visitor: Client, wish: str, mark: str) -> None:
    page = visitor.get("/", headers={"accept-language": wish}).content.decode()
    assert mark in page
    assert ("登录" in page) is (mark == CHINESE)


@pytest.mark.django_db
def test_the_switch_outlasts_the_browsers_wish(visitor: Client) -> None:
    answer = visitor.post("/i18n/setlang", {"language": "zh-hans", "next": "/signin"})
    assert answer.headers["location"] == "/signin"
    assert CHINESE in visitor.get("/", headers={"accept-language": "en"}).content.decode()


@pytest.mark.django_db
def test_the_switch_sends_nobody_to_another_site(visitor: Client) -> None:
    answer = visitor.post("/i18n/setlang", {"language": "zh-hans", "next": "https://evil.example/"})
    assert answer.headers["location"] == "/"


def test_a_members_own_language_wins_over_cookie_and_browser(make_member: MakeMember) -> None:
    browser = browser_of(make_member("reader", language="zh-hans"))
    browser.cookies["django_language"] = "en"
    assert CHINESE in browser.get("/", headers={"accept-language": "en"}).content.decode()


def test_switching_while_signed_in_changes_the_members_own_language(browser: Client, member: Member) -> None:
    browser.post("/i18n/setlang", {"language": "zh-hans"})
    member.refresh_from_db()
    assert member.language == "zh-hans"
    assert CHINESE in browser_of(member).get("/").content.decode()


@pytest.mark.parametrize("language", ["", "xx", "fr"])
def test_an_unknown_language_changes_nothing(browser: Client, member: Member, language: str) -> None:
    assert browser.post("/i18n/setlang", {"language": language}).status_code == 302
    member.refresh_from_db()
    assert member.language == ""
    assert ENGLISH in browser.get("/").content.decode()


def test_times_are_shown_in_the_members_time_zone(make_member: MakeMember) -> None:
    for name, zone, clock in (("east", "Asia/Shanghai", "20:30"), ("plain", "", "12:30")):
        member = make_member(name, time_zone=zone)
        UsageRecord.objects.create(
            id=uuid.uuid4(),
            instance=uuid.uuid4(),
            opened_at=datetime(2026, 11, 20, 12, 30, tzinfo=UTC),
            day=date(2026, 11, 20),
            member=member,
            door="chat",
        )
        assert f"2026-11-20 {clock}" in browser_of(member).get("/").content.decode()


def test_a_time_zone_this_machine_does_not_know_breaks_no_page(make_member: MakeMember) -> None:
    member = make_member("far")
    Member.objects.filter(pk=member.pk).update(time_zone="Mars/Olympus_Mons")
    assert browser_of(member).get("/").status_code == 200
