"""What went wrong, as a page for people and as JSON for programs."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import Member
from tests.proxy.pages.conftest import browser_of

PROGRAMS = ["application/json", "*/*", "text/event-stream"]


@pytest.mark.django_db
def test_a_missing_page_is_a_page_for_a_browser(visitor: Client) -> None:
    answer = visitor.get("/auth/nothing-here")
    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.django_db
@pytest.mark.parametrize("accept", PROGRAMS)
def test_a_missing_page_is_json_for_a_program(client: Client, accept: str) -> None:
    answer = client.get("/auth/nothing-here", headers={"accept": accept})
    assert answer.status_code == 404
    assert answer.json() == {"error": "There is no such page."}


def test_a_signed_in_member_keeps_the_bar_on_a_missing_page(browser: Client) -> None:
    text = browser.get("/auth/nothing-here").content.decode()
    assert 'action="/signout"' in text


def test_a_page_that_is_not_allowed_says_so_either_way(browser: Client) -> None:
    assert "You may not see this page" in browser.get("/admin/login/").content.decode()
    answer = browser.get("/admin/login/", headers={"accept": "application/json"})
    assert answer.status_code == 403
    assert answer.json() == {"error": "You may not see this page."}


def test_a_form_without_its_secret_is_json_for_a_program(member: Member) -> None:
    client = browser_of(member, enforce_csrf_checks=True)
    answer = client.post("/auth/device/start", {}, headers={"accept": "application/json"})
    assert answer.status_code == 403
    assert "out of date" in answer.json()["error"]


@pytest.mark.django_db
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_foreign_host_name_is_refused_without_being_repeated(client: Client, accept: str) -> None:
    answer = client.get("/", headers={"host": "evil.example", "accept": accept})
    assert answer.status_code == 400
    assert b"evil.example" not in answer.content


@pytest.mark.django_db
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_fault_of_the_gateway_tells_nothing_of_its_inside(settings: Settings, accept: str) -> None:
    settings.ROOT_URLCONF = "tests.proxy.pages.failing_urls"
    client = Client(raise_request_exception=False, headers={"accept": accept})
    answer = client.get("/auth/fails")
    assert answer.status_code == 500
    assert b"secret detail" not in answer.content
    assert b"omething went wrong on this side" in answer.content


@pytest.mark.django_db
@pytest.mark.parametrize("accept", ["application/json", "*/*"])
def test_a_program_without_a_session_is_told_to_sign_in(client: Client, accept: str) -> None:
    answer = client.get("/auth/device", headers={"accept": accept})
    assert answer.status_code == 401
    assert answer.json()["signin"] == "/signin"
