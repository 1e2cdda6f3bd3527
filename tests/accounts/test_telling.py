"""Budget warnings reach a webhook and mailboxes, once, and are tried again when they do not."""

from __future__ import annotations

import asyncio
import json
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
import respx
from django.core import mail
from django.utils import timezone

from accounts.models import ApiKey, Budget, BudgetPeriod, BudgetWarning, Role
from accounts.telling import TRIES, Teller, claim_due
from tests.accounts.rows import a_member

pytestmark = pytest.mark.django_db(transaction=True)

HOOK = "https://chat.example.com/hooks/budget?secret=hush"


def a_warning(percent: int = 80, **fields: Any) -> BudgetWarning:
    budget = Budget.objects.create(limit_nano=10 * 10**9, **fields)
    period = BudgetPeriod.objects.create(budget=budget, start=date(2026, 11, 1), end=date(2026, 12, 1))
    return BudgetWarning.objects.create(
        period=period, percent=percent, spent_nano=8_200_000_000, limit_nano=budget.limit_nano
    )


def tell(respond: respx.MockRouter, settings: Any, *, seconds: float = 0.3) -> None:
    """Let a teller work for a moment."""

    async def work() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(respond.async_handler)) as http:
            task = asyncio.create_task(Teller(http, poll_seconds=0.01).run())
            await asyncio.sleep(seconds)
            task.cancel()
            await asyncio.wait({task})

    asyncio.run(work())


@pytest.fixture
def router() -> respx.MockRouter:
    return respx.MockRouter(assert_all_called=False)


def test_a_webhook_gets_the_warning_once(router: respx.MockRouter, settings: Any) -> None:
    settings.BRIDGE_WEBHOOK_URL = HOOK
    route = router.post(HOOK).respond(204)
    warning = a_warning()
    tell(router, settings)
    assert route.call_count == 1
    body = json.loads(route.calls[0].request.content)
    assert (body["event"], body["percent"], body["spent_nano"], body["limit_nano"]) == (
        "budget.warning", 80, 8_200_000_000, 10_000_000_000,
    )  # fmt: skip
    assert body["budget"] == {"for": "installation", "scope": "installation", "span": "month", "hard": True}
    assert body["text"] == "The budget of installation passed 80 %: 8.200 of 10.000 credits."
    warning.refresh_from_db()
    assert warning.told_at is not None


def test_owners_and_the_member_concerned_get_mail_in_their_language(router: respx.MockRouter, settings: Any) -> None:
    settings.EMAIL_URL = "smtp://somewhere"
    a_member("lead", role=Role.OWNER, email="lead@example.com")
    a_member("gone", role=Role.OWNER, email="gone@example.com", is_active=False)
    a_member("other", email="other@example.com")
    key, _ = ApiKey.objects.issue(a_member("mo", email="mo@example.com"), "laptop")
    a_warning(100, scope="key", key=key)
    tell(router, settings)
    assert {message.to[0] for message in mail.outbox} == {"lead@example.com", "mo@example.com"}
    assert "is used up: 8.200 of 10.000 credits. It resets on 2026-12-01." in mail.outbox[0].body


def test_what_cannot_be_told_is_tried_again_later_and_says_why_without_the_address(
    router: respx.MockRouter, settings: Any
) -> None:
    settings.BRIDGE_WEBHOOK_URL = HOOK
    route = router.post(HOOK).respond(500)
    warning = a_warning()
    tell(router, settings)
    warning.refresh_from_db()
    assert route.call_count == warning.tries == 1
    assert (warning.told_at, warning.fault) == (None, "post: HTTP 500")
    assert warning.next_try_at is not None
    assert warning.next_try_at > timezone.now()
    BudgetWarning.objects.update(next_try_at=timezone.now() - timedelta(seconds=1))
    route.respond(200)
    tell(router, settings)
    warning.refresh_from_db()
    assert warning.told_at is not None


def test_a_warning_that_was_tried_too_often_rests() -> None:
    a_warning()
    BudgetWarning.objects.update(tries=TRIES)
    assert claim_due() == []


def test_of_two_processes_one_tells() -> None:
    a_warning()
    assert [len(claim_due()), len(claim_due())] == [1, 0]


def test_where_nothing_is_configured_nothing_is_claimed(router: respx.MockRouter, settings: Any) -> None:
    warning = a_warning()
    tell(router, settings, seconds=0.1)
    warning.refresh_from_db()
    assert (warning.tries, warning.told_at) == (0, None)
