"""A conversation stays on its seat: in memory, out of the ledger, and through a running gateway."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connection

from accounts.database import in_thread
from accounts.models import ApiKey, Seat, UsageRecord
from proxy.affinity import Affinity, seat_in_ledger
from tests.accounts.rows import a_member, a_record, a_seat
from tests.gateway import Gateway
from tests.proxy.conftest import new_gateway
from tests.simulator.server import SimulatorServer

ACCOUNTS = ("credits", "pro", "business")


# --- in memory --------------------------------------------------------------------------------------------


def test_a_conversation_is_one_of_a_key() -> None:
    affinity = Affinity()
    affinity.note("talk", 1, 10)
    affinity.note("talk", 2, 20)
    affinity.note("", 1, 30)
    assert (affinity.known("talk", 1), affinity.known("talk", 2), affinity.known("", 1)) == (10, 20, None)
    affinity.note("talk", 1, 11)
    assert affinity.known("talk", 1) == 11


def test_the_oldest_conversations_are_forgotten() -> None:
    affinity = Affinity(most=3)
    for name in "abc":
        affinity.note(name, 1, 10)
    affinity.note("a", 1, 10)
    affinity.note("d", 1, 10)
    assert [affinity.known(name, 1) for name in "abcd"] == [10, None, 10, 10]


# --- in the ledger ----------------------------------------------------------------------------------------


@pytest.fixture
def key(db: None) -> ApiKey:
    return ApiKey.objects.issue(a_member(), "laptop")[0]


def told(key: ApiKey, *rows: tuple[Seat | None, str]) -> None:
    first = UsageRecord.objects.count() + 1
    for number, (seat, status) in enumerate(rows, first):
        a_record(number, session="talk", key=key, seat=seat, status=status)


def test_the_newest_answered_row_of_the_conversation_names_the_seat(key: ApiKey) -> None:
    one, other = a_seat(), a_seat()
    told(key, (one, "settled"), (other, "cancelled"), (one, "failed"), (one, "refused"), (None, "settled"))
    assert seat_in_ledger("talk", key.pk) == other.pk
    told(key, (one, "open"))
    assert seat_in_ledger("talk", key.pk) == one.pk


def test_rows_of_other_keys_and_conversations_say_nothing(key: ApiKey) -> None:
    other, _ = ApiKey.objects.issue(a_member(), "other")
    told(other, (a_seat(), "settled"))
    assert seat_in_ledger("talk", key.pk) is None
    assert seat_in_ledger("other talk", other.pk) is None


def test_the_ledger_is_asked_by_its_index_of_conversations(key: ApiKey) -> None:
    for number in range(1, 200):
        a_record(number, session=f"talk {number}", key=key)
    connection.queries_log.clear()
    connection.force_debug_cursor = True
    try:
        seat_in_ledger("talk 7", key.pk)
        [asked] = connection.queries_log
    finally:
        connection.force_debug_cursor = False
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off" if connection.vendor == "postgresql" else "SELECT 1")
        cursor.execute(("EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN ") + asked["sql"])
        plan = str(cursor.fetchall())
    assert "usage_by_session" in plan


@pytest.mark.django_db(transaction=True)
async def test_what_the_ledger_said_is_remembered() -> None:
    def rows() -> tuple[ApiKey, Seat, Seat]:
        key, one, other = ApiKey.objects.issue(a_member(), "laptop")[0], a_seat(), a_seat()
        told(key, (one, "settled"))
        return key, one, other

    key, one, other = await in_thread(rows)()
    affinity = Affinity()
    assert await affinity.last_seat("talk", key.pk) == one.pk
    await in_thread(told)(key, (other, "settled"))
    assert await affinity.last_seat("talk", key.pk) == one.pk
    assert await Affinity().last_seat("talk", key.pk) == other.pk
    assert await affinity.last_seat("another", key.pk) is None
    assert await affinity.last_seat("", key.pk) is None


# --- at a running gateway ---------------------------------------------------------------------------------


@pytest.fixture
def shared(simulator: SimulatorServer, tmp_path: Path) -> Iterator[Gateway]:
    """Three team seats for one member; two of them behind the accepted risk."""
    simulator.world.reset()
    gateway = new_gateway(tmp_path, simulator, ACCOUNTS[0])
    for account in ACCOUNTS[1:]:
        token = simulator.world.accounts[account].github_token
        gateway.manage("addseat", "--owner", "owner", "--serves", "team", "--accept-risk", said=token)
    # They are nobody's own, so that none comes first.
    gateway.execute("UPDATE accounts_seat SET owner_id = NULL")
    gateway.serve()
    yield gateway
    gateway.stop()
    simulator.world.reset()


Asker = Callable[..., httpx.Response]


@pytest.fixture
def say(shared: Gateway) -> Iterator[Asker]:
    with httpx.Client(timeout=30, trust_env=False) as client:

        def ask(conversation: str, *turns: dict[str, Any], model: str = "gpt-5.6-terra") -> httpx.Response:
            body = {"model": model, "input": list(turns) or [{"role": "user", "content": "Hello"}], "store": False}
            headers = {"authorization": f"Bearer {shared.key}", "session-id": conversation}
            answer = client.post(f"{shared.url}/v1/responses", json=body, headers=headers)
            assert answer.status_code == 200, answer.text
            return answer

        yield ask


def seat_of(gateway: Gateway, answer: httpx.Response) -> str:
    return str(gateway.row(answer.headers["x-request-id"])["seat_name"])


def test_a_conversation_stays_on_its_seat_over_a_restart_until_that_is_empty(
    shared: Gateway, say: Asker, simulator: SimulatorServer
) -> None:
    home = seat_of(shared, say("talk"))
    simulator.world.accounts[home].session_remaining = 0.0
    assert seat_of(shared, say("talk")) == home, "only this answer says that its five hours are used up"
    away = seat_of(shared, say("talk"))
    assert away != home
    simulator.world.accounts[home].session_remaining = 90.0
    shared.execute("UPDATE accounts_seat SET quota = '{}'")
    shared.stop()
    shared.serve()
    assert seat_of(shared, say("another talk")) == home
    assert seat_of(shared, say("talk")) == away
    readings = shared.query("SELECT DISTINCT name FROM accounts_quotareading WHERE source = 'headers'")
    assert {"session", "weekly"} <= {reading["name"] for reading in readings}


def test_what_a_forced_move_leaves_behind_is_named_and_not_sent(
    shared: Gateway, say: Asker, simulator: SimulatorServer
) -> None:
    first = say("talk")
    home = seat_of(shared, first)
    sealed = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sealed-by-the-first-seat"}
    turns = [{"role": "user", "content": "Hello"}, sealed, {"role": "user", "content": "Go on"}]
    shared.execute("UPDATE accounts_seat SET state = 'disabled' WHERE login = ?", home)
    shared.execute("UPDATE accounts_epoch SET value = value + 1")
    deadline = time.monotonic() + 5
    while seat_of(shared, say("other talk")) == home:
        assert time.monotonic() < deadline, "the server never heard that the seat is gone"
        time.sleep(0.1)
    moved = say("talk", *turns)
    assert seat_of(shared, moved) != home
    assert "reasoning" in moved.headers["x-bridge-dropped"]
    assert shared.row(moved.headers["x-request-id"])["attempts"] == 1, "it took a refusal to leave it behind"
    generations = [record.request for record in simulator.world.log if record.request.path.endswith("/responses")]
    assert b"sealed-by-the-first-seat" not in generations[-1].body
    # From then on the conversation lives there, and nothing is left behind.
    again = say("talk", {"role": "user", "content": "Hello"})
    assert "x-bridge-dropped" not in again.headers
    assert seat_of(shared, again) == seat_of(shared, moved)
