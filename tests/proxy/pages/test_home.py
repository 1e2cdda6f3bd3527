"""The first page, for visitors and for members."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from accounts.models import ApiKey, Member, Seat, SeatState, UsageRecord, UsageStatus
from tests.proxy.pages.conftest import MakeMember, browser_of, make_seat

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def record(member: Member, number: int, **fields: object) -> UsageRecord:
    values: dict[str, object] = {
        "id": uuid.UUID(int=(number << 80) + 1),
        "instance": uuid.UUID(int=7),
        "opened_at": NOON + timedelta(minutes=number),
        "day": date(2026, 11, 20),
        "status": UsageStatus.SETTLED,
        "member": member,
        "door": "chat",
        "requested_model": f"model-{number}",
        "served_model": f"model-{number}",
    }
    return UsageRecord.objects.create(**(values | fields))


@pytest.mark.django_db
def test_a_visitor_learns_what_this_is_and_where_to_sign_in(visitor: Client, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://bridge.example.org"
    page = visitor.get("/")
    text = page.content.decode()
    assert page.status_code == 200
    assert 'href="/signin"' in text
    assert "https://bridge.example.org/v1" in text
    assert text.count("<li>") == 3


@pytest.mark.django_db
def test_the_head_of_the_first_page_needs_no_account(visitor: Client) -> None:
    answer = visitor.head("/")
    assert answer.status_code == 200
    assert answer.content == b""


@pytest.mark.django_db
def test_the_first_page_takes_no_posts(visitor: Client) -> None:
    assert visitor.post("/").status_code == 405


def test_a_new_member_sees_the_three_first_steps(browser: Client, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://bridge.example.org"
    text = browser.get("/").content.decode()
    assert text.count('<li class="step">') == 3
    assert 'href="/auth/device"' in text
    assert "curl https://bridge.example.org/v1/chat/completions" in text
    assert "Issue it under API keys" in text
    assert "issuekey" not in text


def test_an_owner_is_told_the_command_that_issues_a_key(owner: Member) -> None:
    text = browser_of(owner).get("/").content.decode()
    assert "python manage.py issuekey owner" in text
    assert 'href="/admin/"' in text


def test_steps_taken_are_marked_and_keys_shown_by_their_hint_alone(browser: Client, member: Member) -> None:
    key, secret = ApiKey.objects.issue(member, "laptop")
    gone, _ = ApiKey.objects.issue(member, "old laptop")
    gone.revoke()
    make_seat(member, "octo")
    record(member, 1)
    text = browser.get("/").content.decode()
    assert text.count('<li class="step done">') == 3
    assert key.hint in text
    assert "old laptop" not in text
    assert secret not in text


@pytest.mark.parametrize(
    ("state", "until", "words"),
    [
        (SeatState.ACTIVE, None, "Ready"),
        (SeatState.COOLING, NOON + timedelta(days=9000), "It comes back at"),
        (SeatState.COOLING, None, "It comes back by itself"),
        (SeatState.COOLING, NOON - timedelta(days=9000), "Ready"),
        (SeatState.EXHAUSTED, NOON + timedelta(days=9000), "New ones come at"),
        (SeatState.EXHAUSTED, None, "Out of credits"),
        (SeatState.NEEDS_LOGIN, None, "Connect it again"),
        (SeatState.SUSPENDED, None, "Only GitHub Support can lift that"),
        (SeatState.DISABLED, None, "An owner of this gateway can switch it on"),
    ],
)
def test_a_seat_is_told_in_words(
    browser: Client, member: Member, state: SeatState, until: datetime | None, words: str
) -> None:
    seat = make_seat(member, "octo", plan="individual_pro")
    Seat.objects.filter(pk=seat.pk).update(state=state, state_until=until)
    text = browser.get("/").content.decode()
    assert words in text
    assert "Copilot Pro+" in text


def test_another_members_seats_keys_and_requests_stay_out_of_sight(browser: Client, make_member: MakeMember) -> None:
    other = make_member("other")
    make_seat(other, "others-account")
    ApiKey.objects.issue(other, "others-key")
    record(other, 1, requested_model="others-model")
    text = browser.get("/").content.decode()
    assert "others-" not in text


def test_the_last_ten_requests_are_listed_with_tokens_and_cost(browser: Client, member: Member) -> None:
    for number in range(12):
        record(
            member,
            number,
            served_model="claude-opus-4.5",
            input_tokens=1000,
            cached_tokens=200,
            cache_write_tokens=34,
            output_tokens=567,
            nano_reported=1_234_567_890,
        )
    text = browser.get("/").content.decode()
    assert "model-1<" not in text
    assert text.index("model-11<") < text.index("model-2<")
    assert "1,234</td>" in text
    assert "567</td>" in text
    assert "1.235</td>" in text
    assert text.count("settled") == 10


@pytest.mark.parametrize(
    ("source", "column", "shown"),
    [
        ("reported", "nano_reported", '1.500<span class="sr"> reported by GitHub</span></td>'),
        ("computed", "nano_computed", '1.500<span class="sr"> computed from the rate card</span></td>'),
        ("estimated", "nano_computed", '≈ 1.500<span class="sr"> estimated</span></td>'),
    ],
)
def test_a_cost_says_where_it_comes_from(browser: Client, member: Member, source: str, column: str, shown: str) -> None:
    record(member, 1, cost_source=source, **{column: 1_500_000_000})
    assert shown in browser.get("/").content.decode()


def test_a_failed_request_names_its_error_and_no_cost(browser: Client, member: Member) -> None:
    record(member, 1, status=UsageStatus.FAILED, error_code="upstream_timeout")
    text = browser.get("/").content.decode()
    assert "upstream_timeout" in text
    assert "–</span>" in text


def test_the_page_asks_the_database_as_often_for_many_rows_as_for_one(
    browser: Client, member: Member, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(10):
        record(member, number)
        make_seat(member, f"octo-{number}")
        ApiKey.objects.issue(member)
    with django_assert_max_num_queries(6):
        browser.get("/")
