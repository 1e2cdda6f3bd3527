"""Stored replies as rows: sealed at rest, gone with their key's time, shown in the console without their content."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts import retention
from accounts.models import ApiKey, Epoch, StoredReply
from accounts.vault import Sealed, reencrypt
from tests.accounts.console import auditor, list_of, owner, page_of, text_of
from tests.accounts.rows import a_member

__all__ = ["auditor", "owner"]

pytestmark = pytest.mark.django_db

WORDS = "what only the two of us know"


def a_key(member: str = "") -> ApiKey:
    key, _text = ApiKey.objects.issue(a_member(member), "laptop")
    return key


def a_reply(
    name: str, key: ApiKey, *, hours: float = 1, now: datetime | None = None, size: int = len(WORDS)
) -> StoredReply:
    at = now or timezone.now()
    return StoredReply.objects.create(
        id=name, key=key, created_at=at, expires_at=at + timedelta(hours=hours), size=size, content=WORDS
    )


def names() -> set[str]:
    return set(StoredReply.objects.values_list("id", flat=True))


def test_what_was_said_is_nowhere_in_the_table() -> None:
    reply = a_reply("resp_1", a_key())
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_storedreply")
        [row] = cursor.fetchall()
    assert WORDS not in str(row)
    assert WORDS not in f"{reply} {reply.content!r} {vars(reply)}"
    stored = StoredReply.objects.get(id="resp_1").content
    assert isinstance(stored, Sealed)
    assert stored.reveal() == WORDS


def test_a_new_encryption_key_takes_stored_replies_along(settings: Settings) -> None:
    settings.BRIDGE_ENCRYPTION_KEYS = ["o" * 40]
    a_reply("resp_1", a_key())
    settings.BRIDGE_ENCRYPTION_KEYS = ["n" * 40, "o" * 40]
    assert reencrypt().rewritten == 1
    settings.BRIDGE_ENCRYPTION_KEYS = ["n" * 40]
    content = StoredReply.objects.get().content
    assert isinstance(content, Sealed)
    assert content.reveal() == WORDS


def test_a_key_has_its_own_replies_while_they_last_oldest_first() -> None:
    mine, other, now = a_key(), a_key(), timezone.now()
    a_reply("resp_new", mine, now=now)
    a_reply("resp_old", mine, now=now - timedelta(minutes=5))
    a_reply("resp_past", mine, hours=-1)
    a_reply("resp_other", other)
    assert [reply.id for reply in StoredReply.objects.of_key(mine.pk, now)] == ["resp_old", "resp_new"]


def test_the_end_of_a_reply_is_its_last_moment() -> None:
    reply = a_reply("resp_1", a_key())
    a_while_before = reply.expires_at - timedelta(microseconds=1)
    assert not StoredReply.objects.expired(a_while_before).exists()
    assert StoredReply.objects.of_key(reply.key_id, a_while_before).exists()
    assert StoredReply.objects.expired(reply.expires_at).exists()
    assert not StoredReply.objects.of_key(reply.key_id, reply.expires_at).exists()


def test_no_process_needs_to_hear_of_a_stored_reply() -> None:
    key = a_key()
    before = Epoch.current()
    a_reply("resp_1", key).delete()
    assert Epoch.current() == before


def test_pruning_takes_what_expired_and_counts_requests_only() -> None:
    key = a_key()
    a_reply("resp_past", key, hours=-1)
    a_reply("resp_live", key)
    assert retention.prune() == 0
    assert names() == {"resp_live"}


def test_pruning_takes_every_reply_where_none_are_stored(settings: Settings) -> None:
    settings.BRIDGE_STORE_REPLIES = False
    a_reply("resp_live", a_key())
    retention.prune()
    assert names() == set()


def test_many_expired_replies_go_a_few_at_a_time() -> None:
    key = a_key()
    megabyte = 2**20
    for number, size in enumerate([megabyte] * 5 + [2 * retention.BATCH_BYTES, megabyte]):
        a_reply(f"resp_{number}", key, hours=-9 + number, size=size)
    with CaptureQueriesContext(connection) as queries:
        assert retention.delete_expired_replies(timezone.now()) == 7
    # Four megabytes; one, before the large one; the large one; the last.
    assert sum(query["sql"].startswith("DELETE") for query in queries) == 4


def test_the_console_tells_whose_it_is_and_never_what_it_says(owner: Client, auditor: Client) -> None:
    reply = a_reply("resp_1", a_key("rosa"))
    content = StoredReply.objects.get().content
    assert isinstance(content, Sealed)
    for visitor in (owner, auditor):
        for address in (list_of("storedreply"), page_of(reply)):
            shown = text_of(visitor.get(address))
            assert "resp_1" in shown
            assert "rosa" in shown
            assert WORDS not in shown
            assert content.ciphertext not in shown


def test_the_console_does_not_read_the_content_from_the_database(owner: Client) -> None:
    a_reply("resp_1", a_key())
    with CaptureQueriesContext(connection) as queries:
        assert owner.get(list_of("storedreply")).status_code == 200
    asked = [query["sql"] for query in queries if "accounts_storedreply" in query["sql"]]
    assert asked
    assert not [sql for sql in asked if '"content"' in sql]


def test_an_owner_can_delete_a_reply_and_an_auditor_cannot(owner: Client, auditor: Client) -> None:
    reply = a_reply("resp_1", a_key())
    address = reverse("admin:accounts_storedreply_delete", args=[reply.pk])
    assert auditor.post(address, {"post": "yes"}).status_code == 403
    assert names() == {"resp_1"}
    assert owner.post(address, {"post": "yes"}).status_code == 302
    assert names() == set()


def test_the_console_neither_makes_nor_changes_replies(owner: Client) -> None:
    reply = a_reply("resp_1", a_key())
    assert owner.get(reverse("admin:accounts_storedreply_add")).status_code == 403
    assert owner.post(page_of(reply), {"size": "1"}).status_code == 403
    assert StoredReply in admin.site._registry
