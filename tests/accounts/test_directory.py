"""The directory: what a key opens, and how soon a change of anything is known."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.directory import EMPTY, Directory, Snapshot, load_snapshot, touch
from accounts.models import ApiKey, Epoch, Member, ModelRoute, Seat, Team
from bridge.errors import BadKey, Forbidden
from tests.accounts.rows import a_member, a_seat
from tests.accounts.snapshots import NOW, a_caller

# --- what a caller may -------------------------------------------------------------------------------------


def test_a_key_without_limits_opens_every_door_from_everywhere() -> None:
    caller = a_caller()
    caller.check_door("chat", None)
    caller.check_model("anything")


def test_a_key_opens_the_doors_it_names() -> None:
    caller = a_caller(doors=frozenset({"chat", "models"}))
    caller.check_door("chat", "10.0.0.1")
    with pytest.raises(Forbidden) as caught:
        caller.check_door("messages", "10.0.0.1")
    assert "may not use messages" in str(caught.value)


@pytest.mark.parametrize(("address", "opens"), [
    ("10.1.2.3", True), ("2001:db8::5", True), ("11.0.0.1", False), ("2001:db9::5", False),
    ("unix:", False), ("", False), (None, False),
])  # fmt: skip
def test_a_key_opens_from_the_networks_it_names(address: str | None, opens: bool) -> None:
    caller = a_caller(networks=(ip_network("10.0.0.0/8"), ip_network("2001:db8::/64")))
    if opens:
        caller.check_door("chat", address)
        return
    with pytest.raises(Forbidden) as caught:
        caller.check_door("chat", address)
    assert "from your address" in str(caught.value)


def test_a_key_opens_the_models_it_names_as_requested_or_as_served() -> None:
    caller = a_caller(models=("gpt-4*", "claude-opus-4-6[1m]"))
    caller.check_model("gpt-4.1")
    caller.check_model("fast", "gpt-4.1")
    caller.check_model("claude-opus-4-6[1m]")
    with pytest.raises(Forbidden) as caught:
        caller.check_model("fast", "gpt-5.2")
    assert "the model fast; it may use: gpt-4*, claude-opus-4-6[1m]" in str(caught.value)
    assert caught.value.param == "model"
    for other in ("claude-opus-4-61", "xgpt-4", "GPT-4.1"):
        with pytest.raises(Forbidden):
            caller.check_model(other)


def test_no_key_is_told_apart_from_a_wrong_one() -> None:
    with pytest.raises(BadKey) as caught:
        EMPTY.caller(None, NOW)
    assert "No API key was sent" in str(caught.value)
    with pytest.raises(BadKey) as caught:
        EMPTY.caller("brg_wrong", NOW)
    assert "unknown, revoked or expired" in str(caught.value)


# --- what is loaded ---------------------------------------------------------------------------------------

db = pytest.mark.django_db(transaction=True)


def a_key(**limits: Any) -> tuple[ApiKey, str]:
    return ApiKey.objects.issue(a_member(), "laptop", **limits)


def opens(snapshot: Snapshot, secret: str, now: float | None = None) -> bool:
    try:
        snapshot.caller(secret, time.time() if now is None else now)
    except BadKey:
        return False
    return True


@db
def test_a_key_is_found_by_its_secret_with_whose_it_is() -> None:
    team = Team.objects.create(name="core")
    member = a_member("mo", team=team, language="zh-hans")
    limits: dict[str, Any] = {"doors": ["chat"], "models": ["gpt-*"], "addresses": ["10.0.0.7/8"]}
    key, secret = ApiKey.objects.issue(member, "laptop", **limits)
    caller = load_snapshot().caller(secret, time.time())
    assert (caller.key, caller.key_name, caller.key_hint) == (key.pk, "laptop", key.hint)
    assert (caller.member, caller.member_name, caller.team, caller.team_name) == (member.pk, "mo", team.pk, "core")
    assert (caller.own.doors, caller.own.models, caller.language) == (frozenset({"chat"}), ("gpt-*",), "zh-hans")
    assert caller.own.networks == (ip_network("10.0.0.0/8"),)


@db
def test_a_revoked_key_vanishes() -> None:
    key, secret = a_key()
    assert opens(load_snapshot(), secret)
    key.revoke()
    snapshot = load_snapshot()
    assert not opens(snapshot, secret)
    assert key.pk not in snapshot.keys


@db
def test_the_keys_of_an_inactive_member_vanish() -> None:
    key, secret = a_key()
    key.member.deactivate()
    assert not opens(load_snapshot(), secret)
    assert key.pk not in load_snapshot().keys


@db
def test_a_key_ends_at_its_moment_even_in_a_snapshot_taken_before() -> None:
    end = timezone.now() + timedelta(seconds=60)
    _, secret = a_key(expires_at=end)
    snapshot = load_snapshot()
    assert opens(snapshot, secret, end.timestamp() - 0.001)
    assert not opens(snapshot, secret, end.timestamp())


@db
def test_a_key_that_expired_begins_nothing_and_may_end_what_it_began() -> None:
    key, secret = a_key(expires_at=timezone.now() + timedelta(seconds=60))
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    snapshot = load_snapshot()
    assert not opens(snapshot, secret, now=0)
    assert key.pk in snapshot.keys


@db
def test_a_key_whose_limits_cannot_be_read_opens_nothing_and_spares_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken, secret = a_key()
    ApiKey.objects.filter(pk=broken.pk).update(addresses=["nowhere"])
    _, other = a_key()
    snapshot = load_snapshot()
    assert not opens(snapshot, secret)
    assert opens(snapshot, other)
    assert broken.hint in caplog.text
    assert secret not in caplog.text


@db
def test_seats_come_with_whom_they_serve_and_without_their_secrets() -> None:
    team = Team.objects.create(name="core")
    until = datetime(2027, 1, 15, 8, tzinfo=UTC)
    seat = a_seat(serves="team", label="the seat", state="cooling", state_until=until, state_reason="Slow.")
    seat.teams.add(team)
    (entry,) = load_snapshot().seats
    assert (entry.id, entry.name, entry.owner, entry.serves) == (seat.pk, "the seat", seat.owner_id, "team")
    assert (entry.teams, entry.state, entry.until, entry.reason) == (frozenset({team.pk}), "cooling", NOW, "Slow.")
    assert "ghu_" not in repr(entry)


@db
def test_a_seat_that_is_connected_anew_shows_it() -> None:
    seat = a_seat()
    before = load_snapshot().seats[0].credential
    assert load_snapshot().seats[0].credential == before
    seat.github_token = "ghu_another"
    seat.save()
    assert load_snapshot().seats[0].credential != before


@db
def test_the_seat_of_an_inactive_member_is_not_used_and_one_without_an_owner_is() -> None:
    gone = a_seat()
    Member.objects.get(seats=gone).deactivate()
    organisation = Seat.objects.create(login="org", github_token="ghu_o", serves="team")
    assert [seat.id for seat in load_snapshot().seats] == [organisation.pk]


@db
def test_routes_that_are_switched_off_are_left_out() -> None:
    ModelRoute.objects.create(pattern="off", target="x", active=False)
    member = a_member()
    on = ModelRoute.objects.create(pattern="on", target="y", scope="member", member=member, priority=3, fallbacks=["z"])
    (route,) = (route for route in load_snapshot().routes if route.origin == "console")
    assert (route.id, route.pattern, route.target, route.fallbacks) == (on.pk, "on", "y", ("z",))
    assert (route.scope, route.member, route.team, route.key, route.priority) == ("member", member.pk, None, None, 3)


@db
def test_the_last_use_of_keys_is_noted_without_an_announcement() -> None:
    key, _ = a_key()
    before = Epoch.current()
    touch(ApiKey, {key.pk: NOW})
    key.refresh_from_db()
    assert key.last_used_at == datetime(2027, 1, 15, 8, tzinfo=UTC)
    assert Epoch.current() == before


# --- a directory at work ----------------------------------------------------------------------------------


@pytest.fixture
def heard() -> list[Snapshot]:
    return []


@pytest.fixture
def directory(heard: list[Snapshot], transactional_db: None) -> Iterator[Directory]:
    directory = Directory(heard.append)
    yield directory
    directory.stop()


def until(holds: Callable[[], bool], seconds: float = 1.0) -> bool:
    """Whether it came to hold in time; a second is what the directory promises."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_before_the_start_nobody_is_known(directory: Directory) -> None:
    assert directory.fault is not None
    assert directory.snapshot is EMPTY


def test_after_the_start_everybody_is(directory: Directory, heard: list[Snapshot]) -> None:
    _, secret = a_key()
    directory.start()
    assert directory.fault is None
    assert opens(directory.snapshot, secret)
    assert heard == [directory.snapshot]


def test_a_change_of_anything_is_known_within_a_second(directory: Directory) -> None:
    directory.start()
    key, secret = a_key()
    assert until(lambda: opens(directory.snapshot, secret))
    seat = a_seat(key.member)
    assert until(lambda: [entry.id for entry in directory.snapshot.seats] == [seat.pk])
    seat.suspend("Spammy.")
    assert until(lambda: directory.snapshot.seats[0].state == "suspended")
    ModelRoute.objects.create(pattern="mine", target="x")
    assert until(lambda: any(route.pattern == "mine" for route in directory.snapshot.routes))
    key.revoke()
    assert until(lambda: not opens(directory.snapshot, secret))


def test_a_quiet_write_loads_nothing(directory: Directory, heard: list[Snapshot]) -> None:
    key, _ = a_key()
    directory.start()
    touch(ApiKey, {key.pk: NOW})
    time.sleep(0.7)
    assert len(heard) == 1


def test_without_the_database_the_last_knowledge_stays_and_the_fault_is_told(
    directory: Directory, caplog: pytest.LogCaptureFixture
) -> None:
    _, secret = a_key()
    directory.start()
    table = Epoch._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "{table}" RENAME TO "elsewhere"')
    try:
        assert until(lambda: directory.fault is not None)
        assert "the database cannot be read" in str(directory.fault)
        assert opens(directory.snapshot, secret)
        time.sleep(1.1)
        assert caplog.text.count("The database cannot be read") == 1
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER TABLE "elsewhere" RENAME TO "{table}"')
    assert until(lambda: directory.fault is None)


def test_a_change_made_while_the_database_was_away_is_found_afterwards(
    directory: Directory, heard: list[Snapshot]
) -> None:
    directory.start()
    directory.fault = "as if the last look had failed"
    assert until(lambda: directory.fault is None)
    assert len(heard) == 2


def test_a_directory_that_stopped_hears_no_more(directory: Directory) -> None:
    directory.start()
    directory.stop()
    _, secret = a_key()
    time.sleep(0.7)
    assert not opens(directory.snapshot, secret)
