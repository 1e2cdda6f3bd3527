"""Connecting a GitHub account: the page and its JSON, against the simulated GitHub."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import DeviceLogin, LoginState, Member, Seat, SeatState, Serves
from tests.proxy.pages.conftest import MakeMember, browser_of, make_seat
from tests.simulator.server import SimulatorServer

pytestmark = pytest.mark.django_db(transaction=True)

PROGRAM = {"accept": "application/json"}
START = {"site": "github", "serves": "owner"}


def begin(browser: Client, **changes: str) -> DeviceLogin:
    answer = browser.post("/auth/device/start", START | changes)
    assert answer.headers["location"] == "/auth/device", answer.content.decode()
    return DeviceLogin.objects.latest("pk")


def ask(browser: Client) -> dict[str, Any]:
    """The state as the page's script reads it, once it is time to ask GitHub again."""
    DeviceLogin.objects.update(next_poll_at=timezone.now() - timedelta(seconds=1))
    answer = browser.get("/auth/device/status", headers=PROGRAM)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


class Answer(Protocol):
    @property
    def content(self) -> bytes: ...


def text_of(answer: Answer) -> str:
    return answer.content.decode()


def polls(github: SimulatorServer) -> int:
    return sum(record.request.path == "/login/oauth/access_token" for record in github.world.log)


@pytest.mark.parametrize("path", ["/auth/device", "/auth/device/start", "/auth/device/status"])
def test_a_visitor_is_sent_to_the_sign_in_page(visitor: Client, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 302
    assert answer.headers["location"] == f"/signin?next={path}"


@pytest.mark.parametrize("path", ["/auth/device/start", "/auth/device/accept", "/auth/device/cancel"])
def test_a_visitor_starts_and_cancels_nothing(visitor: Client, github: SimulatorServer, path: str) -> None:
    assert visitor.post(path, START).headers["location"].startswith("/signin")
    assert visitor.post(path, START, headers=PROGRAM).status_code == 401
    assert not github.world.grants


def test_the_form_offers_a_member_no_sharing_and_warns_of_the_risk(browser: Client) -> None:
    text = text_of(browser.get("/auth/device"))
    assert 'value="owner"' in text
    assert 'value="team"' not in text
    assert text.count("can get an account suspended") == 2


def test_a_member_cannot_share_an_account_by_writing_the_form_by_hand(browser: Client, github: SimulatorServer) -> None:
    answer = browser.post("/auth/device/start", START | {"serves": "team"})
    assert answer.status_code == 422
    assert "Only an owner of this gateway" in text_of(answer)
    assert not github.world.grants


def test_an_owner_shares_a_first_account_with_the_team_without_further_questions(
    owner: Member, github: SimulatorServer
) -> None:
    assert "risk_accepted" not in text_of(browser_of(owner).get("/auth/device"))
    assert begin(browser_of(owner), serves="team").serves == Serves.TEAM


def test_a_second_account_for_the_team_needs_the_risk_to_be_confirmed(owner: Member, github: SimulatorServer) -> None:
    make_seat(owner, "first-account", serves=Serves.TEAM)
    browser = browser_of(owner)
    assert "multiple accounts to circumvent" in text_of(browser.get("/auth/device"))
    refused = browser.post("/auth/device/start", START | {"serves": "team"})
    assert refused.status_code == 422
    assert "Confirm that you know the risk." in text_of(refused)
    assert begin(browser, serves="team", risk_accepted="on").is_pending


def test_a_reload_after_a_refused_form_shows_the_page(browser: Client) -> None:
    assert browser.get("/auth/device/start").headers["location"] == "/auth/device"


@pytest.mark.parametrize(
    "tenant", ["", "example.org", "octo.ghe.com/path", "octo.ghe.com:8080", "http://octo.ghe.com", "a@octo.ghe.com"]
)
def test_a_host_that_is_none_of_githubs_is_refused(browser: Client, github: SimulatorServer, tenant: str) -> None:
    answer = browser.post("/auth/device/start", START | {"site": "tenant", "tenant": tenant})
    assert answer.status_code == 422
    assert "TENANT.ghe.com, without a port or a path" in text_of(answer)
    assert not github.world.grants


def test_the_waiting_page_shows_the_code_and_nothing_that_is_secret(browser: Client, github: SimulatorServer) -> None:
    login = begin(browser)
    [grant] = github.world.grants.values()
    text = text_of(browser.get("/auth/device"))
    assert login.user_code in text
    assert f'href="{github.github_url}/login/device" target="_blank" rel="noopener noreferrer"' in text
    assert grant.device_code not in text
    assert grant.device_code not in str(ask(browser))


def test_a_reload_keeps_the_code_that_is_running(browser: Client, github: SimulatorServer) -> None:
    login = begin(browser)
    for _ in range(3):
        assert login.user_code in text_of(browser.get("/auth/device"))
    assert len(github.world.grants) == 1


def test_the_state_says_how_long_the_code_lives_and_when_to_ask_again(browser: Client, github: SimulatorServer) -> None:
    login = begin(browser)
    state = ask(browser)
    assert (state["login"], state["state"], state["notice"]) == (login.pk, "pending", "")
    assert 800 < state["expires_in"] <= 900
    assert 1000 <= state["poll_in_ms"] <= 10_000


def test_github_is_asked_once_per_interval_however_often_the_browser_asks(
    browser: Client, github: SimulatorServer
) -> None:
    begin(browser)
    for _ in range(5):
        browser.get("/auth/device/status", headers=PROGRAM)
    assert polls(github) == 0
    ask(browser)
    for _ in range(5):
        browser.get("/auth/device/status", headers=PROGRAM)
    assert polls(github) == 1


def test_an_approved_code_connects_the_account_and_says_how_it_is(
    browser: Client, member: Member, github: SimulatorServer
) -> None:
    login = begin(browser)
    github.control("POST", f"device/{login.user_code}/approve", {"account": "credits"})
    state = ask(browser)
    seat = Seat.objects.get()
    assert (seat.owner, seat.login, seat.serves, seat.state) == (member, "credits", Serves.OWNER, SeatState.ACTIVE)
    assert state["state"] == "connected"
    assert "credits is connected" in state["panel"]
    assert "Copilot Pro+ · Ready · serves you alone" in state["panel"]
    token = github.world.account("credits").github_tokens[-1].value
    page = text_of(browser.get("/auth/device"))
    assert "credits is connected" in page
    assert token not in page + state["panel"]


def test_an_account_of_a_tenant_is_connected_at_its_own_host(browser: Client, github: SimulatorServer) -> None:
    login = begin(browser, site="tenant", tenant="https://OCTO.ghe.com/")
    assert login.host == "octo.ghe.com"
    github.control("POST", f"device/{login.user_code}/approve", {"account": "ghe"})
    assert "ghe (octo.ghe.com) is connected" in ask(browser)["panel"]


def test_an_account_connected_before_is_refreshed_and_not_doubled(browser: Client, github: SimulatorServer) -> None:
    for _ in range(2):
        login = begin(browser)
        github.control("POST", f"device/{login.user_code}/approve", {"account": "credits"})
        assert ask(browser)["state"] == "connected"
        Seat.objects.get().require_login("the token was revoked")
    again = begin(browser)
    github.control("POST", f"device/{again.user_code}/approve", {"account": "credits"})
    assert ask(browser)["state"] == "connected"
    assert Seat.objects.get().state == SeatState.ACTIVE


def second_login(browser: Client, github: SimulatorServer, **changes: str) -> DeviceLogin:
    """An approved sign-in of a second account, behind a first that is connected."""
    for account in ("credits", "pro"):
        login = begin(browser, **changes)
        github.control("POST", f"device/{login.user_code}/approve", {"account": account})
        answer = ask(browser)
    assert answer == {"login": login.pk, "state": "pending", "confirm": True}
    assert [seat.login for seat in Seat.objects.all()] == ["credits"]
    return login


def test_a_second_account_of_a_member_waits_behind_the_warning_until_it_is_confirmed(
    browser: Client, github: SimulatorServer
) -> None:
    second_login(browser, github)
    text = text_of(browser.get("/auth/device"))
    assert "multiple accounts to circumvent" in text
    assert "credits already serves the same people" in text
    assert 'action="/auth/device/accept"' in text
    asked = len(github.world.log)
    assert ask(browser)["confirm"] is True
    assert len(github.world.log) == asked, "GitHub was asked again before the member decided"
    answer = browser.post("/auth/device/accept")
    assert answer.headers["location"] == "/auth/device"
    assert {seat.login for seat in Seat.objects.all()} == {"credits", "pro"}
    assert "pro is connected" in text_of(browser.get("/auth/device"))


def test_a_second_account_that_is_not_wanted_is_forgotten(browser: Client, github: SimulatorServer) -> None:
    login = second_login(browser, github)
    browser.post("/auth/device/cancel")
    login.refresh_from_db()
    assert (login.state, login.granted_token) == (LoginState.REPLACED, None)
    browser.post("/auth/device/accept")
    assert Seat.objects.count() == 1


def test_a_second_account_that_nobody_decides_on_lapses(browser: Client, github: SimulatorServer) -> None:
    login = second_login(browser, github)
    DeviceLogin.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "was not confirmed in time" in ask(browser)["panel"]
    login.refresh_from_db()
    assert (login.state, login.granted_token) == (LoginState.EXPIRED, None)
    assert Seat.objects.count() == 1


def test_a_risk_that_was_accepted_before_the_sign_in_is_not_asked_about_again(
    owner: Member, github: SimulatorServer
) -> None:
    make_seat(owner, "first", serves=Serves.TEAM)
    browser = browser_of(owner)
    login = begin(browser, serves="team", risk_accepted="on")
    github.control("POST", f"device/{login.user_code}/approve", {"account": "pro"})
    assert ask(browser)["state"] == "connected"
    assert Seat.objects.filter(serves=Serves.TEAM).count() == 2


def test_a_team_seat_that_appeared_meanwhile_is_warned_of_before_the_second_is_kept(
    owner: Member, make_member: MakeMember, github: SimulatorServer
) -> None:
    browser = browser_of(owner)
    login = begin(browser, serves="team")
    make_seat(make_member("lender"), "first", serves=Serves.TEAM)
    github.control("POST", f"device/{login.user_code}/approve", {"account": "pro"})
    assert ask(browser)["confirm"] is True
    assert "first already serves the same people" in text_of(browser.get("/auth/device"))
    assert Seat.objects.count() == 1


def test_only_the_member_who_signed_in_can_accept_the_risk(
    browser: Client, github: SimulatorServer, make_member: MakeMember
) -> None:
    second_login(browser, github)
    browser_of(make_member("other")).post("/auth/device/accept")
    assert Seat.objects.count() == 1


def test_the_same_account_again_needs_no_confirmation(browser: Client, github: SimulatorServer) -> None:
    for _ in range(2):
        login = begin(browser)
        github.control("POST", f"device/{login.user_code}/approve", {"account": "credits"})
        assert ask(browser)["state"] == "connected"
    assert Seat.objects.count() == 1


def test_an_account_without_credits_is_connected_and_says_so(browser: Client, github: SimulatorServer) -> None:
    login = begin(browser)
    github.control("POST", f"device/{login.user_code}/approve", {"account": "exhausted"})
    assert "AI credits are used up" in ask(browser)["panel"]


@pytest.mark.parametrize(
    ("account", "title", "advice"),
    [
        ("noseat", "This account has no Copilot seat", "Get a Copilot plan"),
        ("suspended", "GitHub has suspended Copilot for this account", "Only GitHub Support"),
    ],
)
def test_an_account_copilot_refuses_is_told_what_to_do(
    browser: Client, github: SimulatorServer, account: str, title: str, advice: str
) -> None:
    login = begin(browser)
    github.control("POST", f"device/{login.user_code}/approve", {"account": account})
    state = ask(browser)
    assert state["state"] == "failed"
    assert title in state["panel"]
    assert advice in state["panel"]
    assert "GitHub or the gateway said:" in state["panel"]
    assert not Seat.objects.exists()


def test_an_account_of_another_member_is_not_taken_over(
    browser: Client, github: SimulatorServer, make_member: MakeMember
) -> None:
    other = make_member("other")
    make_seat(other, "credits", github_id=github.world.account("credits").id)
    login = begin(browser)
    github.control("POST", f"device/{login.user_code}/approve", {"account": "credits"})
    assert "already connected by somebody else" in ask(browser)["panel"]
    assert Seat.objects.get().owner == other


@pytest.mark.parametrize(
    ("decision", "state", "title"),
    [("deny", "denied", "The request was declined"), ("expire", "expired", "The code has expired")],
)
def test_a_login_that_came_to_nothing_says_why_and_lets_start_again(
    browser: Client, github: SimulatorServer, decision: str, state: str, title: str
) -> None:
    login = begin(browser)
    github.control("POST", f"device/{login.user_code}/{decision}")
    answer = ask(browser)
    assert answer["state"] == state
    assert title in answer["panel"]
    page = text_of(browser.get("/auth/device"))
    assert title in page
    assert 'action="/auth/device/start"' in page
    assert begin(browser).user_code != login.user_code


def test_a_code_left_alone_expires_by_the_clock(browser: Client, github: SimulatorServer) -> None:
    login = begin(browser)
    DeviceLogin.objects.filter(pk=login.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "The code has expired" in text_of(browser.get("/auth/device"))
    assert polls(github) == 0


def test_being_told_to_slow_down_is_invisible_to_the_member(browser: Client, github: SimulatorServer) -> None:
    login = begin(browser)
    github.world.grants[login.user_code].interval = 60
    ask(browser)
    state = ask(browser)
    assert (state["state"], state["notice"]) == ("pending", "")
    assert state["poll_in_ms"] > 60_000


def test_a_silent_github_is_named_while_the_code_stays_valid(
    browser: Client, github: SimulatorServer, settings: Settings
) -> None:
    login = begin(browser)
    settings.BRIDGE_GITHUB_URL = "http://127.0.0.1:9"
    state = ask(browser)
    assert state["state"] == "pending"
    assert "GitHub cannot be reached just now" in state["notice"]
    assert "GitHub cannot be reached just now" in text_of(browser.get("/auth/device"))
    settings.BRIDGE_GITHUB_URL = github.github_url
    github.control("POST", f"device/{login.user_code}/approve", {"account": "credits"})
    assert ask(browser)["state"] == "connected"


def test_a_silent_github_at_the_start_is_said_above_the_form(
    browser: Client, github: SimulatorServer, settings: Settings
) -> None:
    settings.BRIDGE_GITHUB_URL = "http://127.0.0.1:9"
    answer = browser.post("/auth/device/start", START)
    assert answer.status_code == 503
    assert "GitHub cannot be reached just now" in text_of(answer)
    assert not DeviceLogin.objects.exists()


def test_an_approved_account_that_cannot_be_looked_at_yet_is_not_lost(
    browser: Client, github: SimulatorServer, settings: Settings
) -> None:
    login = begin(browser)
    github.control("POST", f"device/{login.user_code}/approve", {"account": "credits"})
    settings.BRIDGE_GITHUB_API_URL = "http://127.0.0.1:9"
    state = ask(browser)
    assert state["state"] == "pending"
    assert "GitHub has approved the code" in state["notice"]
    settings.BRIDGE_GITHUB_API_URL = github.api_url
    assert ask(browser)["state"] == "connected"


def test_a_cancelled_login_is_over_and_its_page_is_told(browser: Client, github: SimulatorServer) -> None:
    login = begin(browser)
    assert browser.post("/auth/device/cancel").headers["location"] == "/auth/device"
    assert login.user_code not in text_of(browser.get("/auth/device"))
    assert ask(browser) == {"state": "none"}
    github.control("POST", f"device/{login.user_code}/approve", {"account": "credits"})
    ask(browser)
    assert not Seat.objects.exists()


def test_cancelling_twice_or_without_a_login_is_harmless(browser: Client) -> None:
    assert browser.post("/auth/device/cancel").status_code == 302


def test_another_members_login_is_neither_seen_nor_cancelled(
    browser: Client, github: SimulatorServer, make_member: MakeMember
) -> None:
    login = begin(browser)
    stranger = browser_of(make_member("stranger"))
    assert login.user_code not in text_of(stranger.get("/auth/device"))
    assert ask(stranger) == {"state": "none"}
    stranger.post("/auth/device/cancel")
    login.refresh_from_db()
    assert login.state == LoginState.PENDING


def test_a_browser_without_scripts_checks_by_a_link(browser: Client, github: SimulatorServer) -> None:
    login = begin(browser)
    assert "check now" in text_of(browser.get("/auth/device"))
    github.control("POST", f"device/{login.user_code}/approve", {"account": "credits"})
    DeviceLogin.objects.update(next_poll_at=timezone.now())
    assert browser.get("/auth/device/status").headers["location"] == "/auth/device"
    assert "credits is connected" in text_of(browser.get("/auth/device"))


def test_the_end_of_a_login_is_forgotten_after_a_while(browser: Client, github: SimulatorServer) -> None:
    login = begin(browser)
    github.control("POST", f"device/{login.user_code}/deny")
    ask(browser)
    DeviceLogin.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert "The request was declined" not in text_of(browser.get("/auth/device"))


def test_no_page_of_a_login_is_kept_by_a_cache(browser: Client, github: SimulatorServer) -> None:
    begin(browser)
    for path in ("/auth/device", "/auth/device/status"):
        assert "no-store" in browser.get(path, headers=PROGRAM).headers["cache-control"]


@pytest.mark.parametrize(
    ("method", "path"), [("post", "/auth/device"), ("post", "/auth/device/status"), ("get", "/auth/device/cancel")]
)
def test_the_wrong_method_is_refused(browser: Client, method: str, path: str) -> None:
    assert browser.generic(method.upper(), path).status_code == 405


def test_the_failures_are_told_in_chinese_too(github: SimulatorServer, make_member: MakeMember) -> None:
    reader = browser_of(make_member("reader", language="zh-hans"))
    login = begin(reader)
    github.control("POST", f"device/{login.user_code}/deny")
    panel = ask(reader)["panel"]
    assert "GitHub 上的请求被拒绝" in panel
    assert "declined" not in panel


def test_no_page_carries_scripts_or_styles_of_its_own(browser: Client, github: SimulatorServer) -> None:
    """A content security policy of `default-src 'self'` must be able to stand."""
    begin(browser)
    for path in ("/", "/auth/device", "/password", "/auth/nothing"):
        text = text_of(browser.get(path))
        assert "<style" not in text
        assert " style=" not in text
        assert " onclick=" not in text
        assert text.count("<script") == text.count('<script type="module" src="/static/pages/')
