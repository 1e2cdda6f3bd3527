"""Keeping replies and finding them again: for their key alone, within limits, for a while, never in the clear."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from django.db import IntegrityError, connection
from pytest_django.fixtures import Settings

from accounts.database import in_thread
from accounts.models import ApiKey, StoredReply
from accounts.replies import KEPT_AT_ONCE, Replies, StoredContent
from tests.accounts.rows import a_member

pytestmark = pytest.mark.django_db(transaction=True)

RESPONSE = '{"id":"resp_1","output":[{"type":"message","content":"grüße 😀"}]}'.encode()
ITEMS = [b'{"role":"user","content":"hi"}', b'{"type":"function_call_output","output":"42"}']
HOUR = 3600.0


class Clock:
    def __init__(self) -> None:
        self.time = 1_900_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def replies(clock: Clock) -> Replies:
    return Replies(clock)


@pytest.fixture
def key() -> int:
    return new_key()


@pytest.fixture
def other() -> int:
    return new_key()


def new_key() -> int:
    row, _text = ApiKey.objects.issue(a_member())
    number: int = row.pk
    return number


async def count() -> int:
    return await in_thread(StoredReply.objects.count)()


async def test_what_was_kept_comes_back_byte_for_byte(replies: Replies, key: int) -> None:
    assert await replies.keep(key, "resp_1", RESPONSE, ITEMS)
    assert await replies.find(key, "resp_1") == StoredContent(RESPONSE, tuple(ITEMS))


async def test_a_reply_to_nothing_comes_back_too(replies: Replies, key: int) -> None:
    assert await replies.keep(key, "resp_1", RESPONSE, [])
    assert await replies.find(key, "resp_1") == StoredContent(RESPONSE, ())


async def test_another_key_neither_finds_nor_deletes_it(replies: Replies, key: int, other: int) -> None:
    await replies.keep(key, "resp_1", RESPONSE, ITEMS)
    assert await replies.find(other, "resp_1") is None
    assert not await replies.delete(other, "resp_1")
    assert await replies.find(key, "resp_1") is not None


async def test_a_reply_is_found_until_its_hours_are_over(
    replies: Replies, clock: Clock, key: int, settings: Settings
) -> None:
    settings.BRIDGE_STORED_REPLY_HOURS = 2
    await replies.keep(key, "resp_1", RESPONSE, ITEMS)
    clock.time += 2 * HOUR - 1
    assert await replies.find(key, "resp_1") is not None
    clock.time += 1
    assert await replies.find(key, "resp_1") is None
    assert not await replies.delete(key, "resp_1")


async def test_a_deleted_reply_is_gone_and_cannot_be_deleted_twice(replies: Replies, key: int) -> None:
    await replies.keep(key, "resp_1", RESPONSE, ITEMS)
    assert await replies.delete(key, "resp_1")
    assert await replies.find(key, "resp_1") is None
    assert not await replies.delete(key, "resp_1")
    assert await count() == 0


async def test_the_limit_counts_the_reply_and_its_conversation(replies: Replies, key: int, settings: Settings) -> None:
    size = len(RESPONSE) + sum(len(item) for item in ITEMS)
    settings.BRIDGE_STORED_REPLY_LIMIT = size - 1
    assert not await replies.keep(key, "resp_1", RESPONSE, ITEMS)
    assert await count() == 0
    settings.BRIDGE_STORED_REPLY_LIMIT = size
    assert await replies.keep(key, "resp_1", RESPONSE, ITEMS)


async def test_a_key_that_stores_without_end_loses_its_own_oldest(
    replies: Replies, clock: Clock, key: int, other: int, settings: Settings
) -> None:
    settings.BRIDGE_STORED_REPLY_LIMIT = len(RESPONSE)
    await replies.keep(other, "resp_other", RESPONSE, [])
    for number in range(KEPT_AT_ONCE + 2):
        clock.time += 1
        await replies.keep(key, f"resp_{number}", RESPONSE, [])
    assert await count() == KEPT_AT_ONCE + 1
    assert await replies.find(key, "resp_1") is None
    assert await replies.find(key, "resp_2") is not None
    assert await replies.find(other, "resp_other") is not None


async def test_keeping_sweeps_away_what_expired_now_and_then(replies: Replies, clock: Clock, key: int) -> None:
    await replies.keep(key, "resp_1", RESPONSE, ITEMS)
    clock.time += 25 * HOUR
    await replies.keep(key, "resp_2", RESPONSE, ITEMS)
    assert await count() == 1
    assert await replies.sweep() == 0


async def test_where_nothing_is_stored_nothing_is_kept_or_found_and_the_sweep_takes_all(
    replies: Replies, key: int, settings: Settings
) -> None:
    await replies.keep(key, "resp_1", RESPONSE, ITEMS)
    await replies.keep(key, "resp_2", RESPONSE, ITEMS)
    settings.BRIDGE_STORE_REPLIES = False
    assert not await replies.keep(key, "resp_3", RESPONSE, ITEMS)
    assert await replies.find(key, "resp_1") is None
    assert await replies.delete(key, "resp_1")
    assert await replies.sweep() == 1
    assert await count() == 0


@pytest.mark.parametrize("name", ["", "resp_\0", "resp 1", "résp", "x" * 129, "../resp_1"])
async def test_an_id_that_is_none_is_found_nowhere(replies: Replies, key: int, name: str) -> None:
    assert not await replies.keep(key, name, RESPONSE, ITEMS)
    assert await replies.find(key, name) is None
    assert not await replies.delete(key, name)


async def test_an_id_is_never_written_over(replies: Replies, key: int, other: int) -> None:
    await replies.keep(key, "resp_1", RESPONSE, ITEMS)
    with pytest.raises(IntegrityError):
        await replies.keep(other, "resp_1", b'{"id":"resp_1"}', [])
    assert await replies.find(key, "resp_1") == StoredContent(RESPONSE, tuple(ITEMS))


async def test_a_reply_no_encryption_key_opens_is_as_good_as_gone_and_said_in_the_log(
    replies: Replies, key: int, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    await replies.keep(key, "resp_1", RESPONSE, ITEMS)
    settings.BRIDGE_ENCRYPTION_KEYS = ["another key of thirty-two characters"]
    with caplog.at_level(logging.ERROR):
        assert await replies.find(key, "resp_1") is None
    assert "resp_1" in caplog.text
    assert "BRIDGE_ENCRYPTION_KEYS" in caplog.text


async def test_no_file_of_the_database_holds_what_was_said(replies: Replies, key: int) -> None:
    secret = b"a sentence that must not lie about"
    await replies.keep(key, "resp_1", b'{"id":"resp_1","output":["%s"]}' % secret, [b'"%s"' % secret])
    name = str(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite's files are at hand")
    files = [Path(name), Path(f"{name}-wal")]
    held = b"".join(file.read_bytes() for file in files if file.exists())
    assert b"resp_1" in held
    assert secret not in held
