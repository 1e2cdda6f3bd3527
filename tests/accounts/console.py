"""Visitors of the console, and one row of every kind with secrets that no page may show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts.models import (
    ApiKey,
    Budget,
    BudgetPeriod,
    BudgetWarning,
    CatalogueCopy,
    Correction,
    DeviceLogin,
    Instance,
    Member,
    ModelRoute,
    Price,
    PriceOrigin,
    Reconciliation,
    Role,
    RouteOrigin,
    StoredReply,
    Team,
    TrailEntry,
    UsageAttempt,
    UsageDay,
    UsageSession,
)
from tests.accounts.booked import booked
from tests.accounts.rows import a_member, a_seat

KEY_TEXT = "brg_" + "k" * 49
GITHUB_TOKEN = "ghu_only_the_vault_knows"
COPILOT_TOKEN = "tid=only-the-vault-knows"
DEVICE_CODE = "device-code-of-the-vault"
USER_CODE = "WXYZ-9876"
STORED_WORDS = "words-between-a-member-and-a-model"


@pytest.fixture
def owner(client: Client) -> Client:
    """Somebody who may do everything, signed in."""
    client.force_login(a_member("olga", role=Role.OWNER))
    return client


@pytest.fixture
def auditor() -> Client:
    client = Client()
    client.force_login(a_member("audrey", role=Role.AUDITOR))
    return client


@pytest.fixture
def outsider() -> Client:
    """A member without a console."""
    client = Client()
    client.force_login(a_member("mike"))
    return client


def registered() -> dict[str, type[Model]]:
    """Return the models of the console by name."""
    return {str(model._meta.model_name): model for model in admin.site._registry if model._meta.app_label == "accounts"}


def list_of(model: str) -> str:
    return reverse(f"admin:accounts_{model}_changelist")


def page_of(row: Model) -> str:
    return reverse(f"admin:accounts_{row._meta.model_name}_change", args=[row.pk])


def act_on(row: Model, action: str) -> str:
    """Return the address of the button `action` on the row's page."""
    return reverse(f"admin:accounts_{row._meta.model_name}_{action}", args=[row.pk])


def ticked(action: str, *rows: Model, **more: str) -> dict[str, Any]:
    """Return what a list posts to run `action` on the ticked rows."""
    return {"action": action, "_selected_action": [str(row.pk) for row in rows], **more}


def text_of(response: Any) -> str:
    return str(response.content.decode())


def one_of_each() -> dict[str, Model]:
    """Make a row of every model in the console, by the model's name."""
    team = Team.objects.create(name="Platform")
    member = a_member("rosa", team=team, password="a-password-of-rosa")
    key, _text = ApiKey.objects.issue(member, "laptop", secret=KEY_TEXT)
    seat = a_seat(member, github_token=GITHUB_TOKEN, copilot_token=COPILOT_TOKEN)
    now = timezone.now()
    record = booked(
        7,
        session="conversation-1",
        member=member,
        key=key,
        seat=seat,
        member_name="rosa",
        key_name="laptop",
        served_model="gpt-5.2",
    )
    budget = Budget.objects.create(scope="member", member=member, limit_nano=10)
    UsageAttempt.objects.create(record=record, number=1, seat=seat, seat_name=seat.account, status=502)
    return {
        "team": team,
        "member": member,
        "apikey": key,
        "seat": seat,
        "usagerecord": record,
        "usageday": UsageDay.objects.get(),
        "usagesession": UsageSession.objects.get(),
        "modelroute": ModelRoute.objects.create(pattern="gpt-4*", target="gpt-5.2", origin=RouteOrigin.CONSOLE),
        "devicelogin": DeviceLogin.objects.create(
            member=member,
            device_code=DEVICE_CODE,
            user_code=USER_CODE,
            verification_uri="https://github.com/login/device",
            expires_at=now + timedelta(minutes=15),
            next_poll_at=now,
        ),
        "cataloguecopy": CatalogueCopy.objects.create(
            seat=seat, body=json.dumps({"data": [{"id": "gpt-5.2"}]}).encode(), fetched_at=now
        ),
        "storedreply": StoredReply.objects.create(
            id="resp_1", key=key, expires_at=now + timedelta(hours=1), size=len(STORED_WORDS), content=STORED_WORDS
        ),
        "price": Price.objects.create(
            model="gpt-5.2", valid_from=now.date(), input_nano=1, output_nano=2, origin=PriceOrigin.CONSOLE
        ),
        "instance": Instance.objects.create(id=UUID(int=1), host="box", pid=7),
        "reconciliation": Reconciliation.objects.create(
            seat=seat,
            since=now - timedelta(days=1),
            until=now,
            ledger_nano=5,
            github_nano=9,
            causes=[{"code": "outside", "nano": 4}],
        ),
        "correction": Correction.objects.create(
            record=record.pk, column="output_tokens", old="1", new="2", reason="a test", by=member, by_name="rosa"
        ),
        "budget": budget,
        "budgetwarning": BudgetWarning.objects.create(
            period=BudgetPeriod.objects.create(budget=budget, start=now.date(), end=now.date()),
            percent=80,
            spent_nano=8,
            limit_nano=10,
        ),
        "trailentry": TrailEntry.objects.filter(subject_type="seat").latest("number"),
    }


@contextmanager
def saving(row: Model, data: dict[str, Any]) -> Iterator[None]:
    """Let the body happen between the console's reading of a row and its saving of the form."""
    console = admin.site._registry[type(row)]
    request = RequestFactory().post(page_of(row), data)
    request.user = a_member(role=Role.OWNER)
    stale = console.get_object(request, str(row.pk))
    form = console.get_form(request, stale, change=True)(request.POST, instance=stale)
    assert form.is_valid(), form.errors
    yield
    console.save_model(request, form.save(commit=False), form, change=True)


def members_password(member: Member) -> str:
    """Return the stored digest of a password, as secret as the password."""
    return Member.objects.values_list("password", flat=True).get(pk=member.pk)
