"""Who may see and do what in the console, for every model, and what nobody sees."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.forms.models import model_to_dict
from django.test import Client
from django.urls import reverse

from accounts.models import Epoch, Member
from accounts.vault import Sealed
from tests.accounts.console import (
    COPILOT_TOKEN,
    DEVICE_CODE,
    GITHUB_TOKEN,
    KEY_TEXT,
    STORED_WORDS,
    USER_CODE,
    act_on,
    auditor,
    list_of,
    members_password,
    one_of_each,
    outsider,
    owner,
    page_of,
    registered,
    text_of,
    ticked,
)

__all__ = ["auditor", "outsider", "owner"]

pytestmark = pytest.mark.django_db

MODELS = sorted(registered())
MADE_HERE = {"apikey", "budget", "member", "modelroute", "price", "team"}
DELETED_HERE = {"budget", "modelroute", "price", "storedreply"}
WITH_HISTORY = {"apikey", "budget", "member", "modelroute", "price", "seat", "team", "usagerecord"}
SEALED = [
    ("seat", "github_token"),
    ("seat", "copilot_token"),
    ("devicelogin", "device_code"),
    ("storedreply", "content"),
]
CONSOLE = {name: admin.site._registry[model] for name, model in registered().items()}
BUTTONS = [(name, act) for name, console in CONSOLE.items() for act in getattr(console, "actions_detail", ())]
ACTIONS = [(name, act) for name, console in CONSOLE.items() for act in console.actions or ()]


def test_every_table_people_ask_about_is_in_the_console_and_the_epoch_is_not() -> None:
    assert sorted(one_of_each()) == MODELS
    assert Epoch not in admin.site._registry


@pytest.mark.parametrize("model", MODELS)
def test_an_owner_sees_the_list_the_page_and_finds_by_search(owner: Client, model: str) -> None:
    row = one_of_each()[model]
    assert owner.get(list_of(model)).status_code == 200
    assert owner.get(list_of(model), {"q": "octo"}).status_code == 200
    assert owner.get(page_of(row)).status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_an_auditor_sees_the_same_without_a_way_to_change_it(auditor: Client, model: str) -> None:
    row = one_of_each()[model]
    assert auditor.get(list_of(model)).status_code == 200
    assert auditor.get(list_of(model), {"q": "octo"}).status_code == 200
    shown = text_of(auditor.get(page_of(row)))
    assert 'name="_save"' not in shown
    assert auditor.get(reverse(f"admin:accounts_{model}_add")).status_code == 403


@pytest.mark.parametrize("model", MODELS)
def test_what_an_auditor_posts_changes_nothing(auditor: Client, model: str) -> None:
    row = one_of_each()[model]
    before = model_to_dict(row)
    assert auditor.post(page_of(row), {"name": "x", "note": "x", "username": "x", "label": "x"}).status_code == 403
    assert auditor.post(reverse(f"admin:accounts_{model}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert model_to_dict(type(row)._default_manager.get(pk=row.pk)) == before


@pytest.mark.parametrize("model", MODELS)
def test_a_member_and_a_stranger_are_sent_to_sign_in(outsider: Client, client: Client, model: str) -> None:
    row = one_of_each()[model]
    for address in (list_of(model), page_of(row), reverse(f"admin:accounts_{model}_add")):
        for visitor in (outsider, client):
            answer = visitor.get(address)
            assert (answer.status_code, answer["location"].split("?")[0]) == (302, reverse("admin:login"))
    assert outsider.get(reverse("admin:login"), {"next": list_of(model)}).status_code == 403
    assert client.get(reverse("admin:login"), {"next": list_of(model)})["location"].startswith(reverse("signin"))


@pytest.mark.parametrize("model", MODELS)
def test_rows_are_made_and_deleted_only_where_that_makes_sense(owner: Client, model: str) -> None:
    row = one_of_each()[model]
    made = owner.get(reverse(f"admin:accounts_{model}_add")).status_code
    deleted = owner.get(reverse(f"admin:accounts_{model}_delete", args=[row.pk])).status_code
    assert (made, deleted) == (200 if model in MADE_HERE else 403, 200 if model in DELETED_HERE else 403)


@pytest.mark.parametrize(("model", "action"), BUTTONS)
def test_a_button_asks_an_owner_and_is_closed_to_an_auditor(
    owner: Client, auditor: Client, model: str, action: str
) -> None:
    row = one_of_each()[model]
    before = stored(row)
    assert act_on(row, action) in text_of(owner.get(page_of(row)))
    assert act_on(row, action) not in text_of(auditor.get(page_of(row)))
    assert owner.get(act_on(row, action)).status_code in {200, 302}
    assert auditor.get(act_on(row, action)).status_code == 403
    assert auditor.post(act_on(row, action), {"confirmed": "yes"}).status_code == 403
    assert stored(row) == before


@pytest.mark.parametrize(("model", "action"), ACTIONS)
def test_an_action_on_ticked_rows_is_not_offered_to_an_auditor_and_does_nothing_for_one(
    owner: Client, auditor: Client, model: str, action: str
) -> None:
    row = one_of_each()[model]
    before = stored(row)
    assert action in text_of(owner.get(list_of(model)))
    assert action not in text_of(auditor.get(list_of(model)))
    auditor.post(list_of(model), ticked(action, row, confirmed="yes"))
    assert stored(row) == before
    assert not LogEntry.objects.exists()


def stored(row: Model) -> dict[str, object]:
    columns = type(row)._default_manager.filter(pk=row.pk).values().get()
    return {name: value.ciphertext if isinstance(value, Sealed) else value for name, value in columns.items()}


def test_no_page_shows_a_secret(owner: Client, auditor: Client) -> None:
    rows = one_of_each()
    member = rows["member"]
    assert isinstance(member, Member)
    secrets = [
        KEY_TEXT,
        stored(rows["apikey"])["digest"],
        GITHUB_TOKEN,
        COPILOT_TOKEN,
        DEVICE_CODE,
        USER_CODE,
        STORED_WORDS,
    ]
    secrets += [members_password(member), members_password(member)[-8:]]
    secrets += [stored(rows[model])[name] for model, name in SEALED]
    for visitor in (owner, auditor):
        for model, row in rows.items():
            pages = [visitor.get(list_of(model)), visitor.get(page_of(row))]
            if model in WITH_HISTORY:
                pages.append(visitor.get(reverse(f"admin:accounts_{model}_history", args=[row.pk])))
            for page in pages:
                assert page.status_code == 200
                assert [secret for secret in secrets if str(secret) in text_of(page)] == []


@pytest.mark.parametrize("model", sorted(set(MODELS) - WITH_HISTORY))
def test_rows_that_processes_write_have_no_history_page(owner: Client, model: str) -> None:
    row = one_of_each()[model]
    assert owner.get(reverse(f"admin:accounts_{model}_history", args=[row.pk])).status_code == 404
