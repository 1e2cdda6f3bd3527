"""The cost of a conversation as a tree of turns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.models import ApiKey, UsageRecord, UsageSession
from accounts.reports import Viewer
from accounts.reports.conversations import SHOWN, Turn, conversation_of, find_conversation, session_rows, turns_of
from accounts.retention import prune
from tests.accounts.booked import booked
from tests.accounts.rows import a_member

pytestmark = pytest.mark.django_db

ALL = Viewer.everything()
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def key() -> ApiKey:
    key, _secret = ApiKey.objects.issue(a_member("rosa"), "laptop")
    return key


def talk(key: ApiKey, *initiators: str, session: str = "s", first: int = 1) -> None:
    """One request per initiator; the nth costs n credits and takes n milliseconds."""
    for number, initiator in enumerate(initiators, first):
        booked(
            number, opened_at=NOON + timedelta(seconds=number), key=key, member=key.member, session=session,
            initiator=initiator, nano_reported=number * 10**9, total_ms=number, input_tokens=10, cached_tokens=90,
            output_tokens=number,
        )  # fmt: skip


def shape(turns: Any) -> list[tuple[int | None, list[int]]]:
    """The ids of each turn's head and rounds."""
    return [
        (turn.head.record.pk.int if turn.head else None, [call.record.pk.int for call in turn.rounds]) for turn in turns
    ]


def the_conversation(session: str = "s") -> Any:
    return find_conversation(ALL, UsageSession.objects.get(session=session).pk)


def test_a_persons_request_opens_a_turn_and_tool_rounds_lie_beneath(key: ApiKey) -> None:
    talk(key, "user", "agent", "agent", "user", "user", "agent")
    found = the_conversation()
    assert shape(found.turns) == [(1, [2, 3]), (4, []), (5, [6])]
    assert [turn.nano // 10**9 for turn in found.turns] == [6, 4, 11]
    assert [turn.total_ms for turn in found.turns] == [6, 4, 11]
    assert [turn.all_input for turn in found.turns] == [300, 100, 200]


def test_the_running_total_ends_at_the_cost_of_the_conversation(key: ApiKey) -> None:
    talk(key, "user", "agent", "user")
    found = the_conversation()
    running = [call.running_nano // 10**9 for turn in found.turns for call in turn.calls]
    assert running == [1, 3, 6]
    assert found.turns[-1].calls[-1].running_nano == found.sums.nano


def test_rounds_before_the_first_person_are_a_turn_without_a_head(key: ApiKey) -> None:
    talk(key, "agent", "", "user")
    assert shape(the_conversation().turns) == [(None, [1, 2]), (3, [])]


def test_no_requests_make_no_turns() -> None:
    turns: list[Turn] = list(turns_of([]))
    assert turns == []


def test_the_same_name_under_another_key_is_another_conversation(key: ApiKey) -> None:
    other, _secret = ApiKey.objects.issue(key.member, "desk")
    talk(key, "user")
    talk(other, "user", first=2)
    ids = UsageSession.objects.order_by("key_id").values_list("pk", flat=True)
    assert [shape(found.turns) for pk in ids if (found := find_conversation(ALL, pk))] == [[(1, [])], [(2, [])]]


def test_only_the_first_two_thousand_requests_are_in_the_tree_and_the_others_are_named(key: ApiKey) -> None:
    talk(key, "user")
    first = UsageRecord.objects.get()
    copies = []
    for number in range(2, SHOWN + 3):
        copy = UsageRecord.objects.get(pk=first.pk)
        copy.pk, copy._state.adding = type(first.pk)(int=number), True
        copies.append(copy)
    UsageRecord.objects.bulk_create(copies)
    UsageSession.objects.update(opened=SHOWN + 2)
    found = the_conversation()
    assert (found.is_cut, found.shown, found.missing) == (True, SHOWN, 2)


def test_pruned_requests_are_missing_and_their_sums_stay(key: ApiKey, settings: Any) -> None:
    talk(key, "user", "agent")
    settings.BRIDGE_RETENTION_DAYS = 0
    settings.BRIDGE_RETENTION_ROWS = 1
    prune()
    found = the_conversation()
    assert (found.missing, found.shown, found.sums.nano, found.is_cut) == (1, 1, 3 * 10**9, False)


def test_a_request_knows_its_conversation(key: ApiKey) -> None:
    talk(key, "user")
    booked(9, session="")
    assert conversation_of(UsageRecord.objects.get(session="s")) == UsageSession.objects.get().pk
    assert conversation_of(UsageRecord.objects.get(session="")) is None


def test_a_member_finds_own_conversations_only(key: ApiKey) -> None:
    talk(key, "user")
    number = UsageSession.objects.get().pk
    assert find_conversation(Viewer.only(key.member_id), number) is not None
    assert find_conversation(Viewer.only(a_member().pk), number) is None
    assert find_conversation(Viewer(), number) is None


@pytest.mark.skipif(connection.vendor != "sqlite", reason="plans are told in SQLite's words")
def test_a_conversation_is_found_by_its_index(key: ApiKey) -> None:
    talk(key, "user")
    rows = UsageRecord.objects.filter(session="s", key=key.pk).exclude(session="").order_by("id")
    assert "usage_by_session" in rows.explain()
    assert [row.pk.int for row in session_rows(key.pk, "s")] == [1]
