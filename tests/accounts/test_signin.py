"""The device login as a state machine, against the simulator."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.database import in_thread
from accounts.github import open_github
from accounts.models import DeviceLogin, LoginFault, LoginState, Member, Seat, Serves
from accounts.signin import advance, cancel, start
from bridge.errors import BadRequest
from tests.accounts.rows import a_member
from tests.accounts.upstream import sim, simulator
from tests.simulator.server import SimulatorServer

__all__ = ["sim", "simulator"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def member() -> Member:
    return a_member("alice")


async def started(member: Member, **options: Any) -> DeviceLogin:
    async with open_github() as github:
        return await start(github, member, **options)


async def due(login: DeviceLogin) -> None:
    """Let the interval be over, at both ends."""
    await in_thread(DeviceLogin.objects.filter(pk=login.pk).update)(next_poll_at=timezone.now() - timedelta(seconds=1))


async def advanced(login: DeviceLogin) -> DeviceLogin:
    await due(login)
    async with open_github() as github:
        return await advance(github, login)


def polls(sim: SimulatorServer) -> int:
    return sum(record.request.path == "/login/oauth/access_token" for record in sim.world.log)


async def test_a_login_begins_with_a_code_to_type_and_hides_the_other(sim: SimulatorServer, member: Member) -> None:
    login = await started(member, serves=Serves.TEAM)
    [grant] = sim.world.grants.values()
    assert (login.user_code, login.state, login.serves) == (grant.user_code, LoginState.PENDING, Serves.TEAM)
    assert login.verification_uri.endswith("/login/device")
    assert grant.device_code not in f"{vars(login)} {login}"
    assert timedelta(minutes=14) < login.expires_at - timezone.now() <= timedelta(minutes=15)


async def test_an_approved_login_connects_the_seat(sim: SimulatorServer, member: Member) -> None:
    login = await started(member, label="Mine")
    assert (await advanced(login)).state == LoginState.PENDING
    sim.world.clock.skew += 30
    sim.control("POST", f"device/{login.user_code}/approve", {"account": "credits"})
    done = await advanced(login)
    seat = await in_thread(Seat.objects.select_related("owner").get)()
    assert (done.state, done.seat, done.failure) == (LoginState.CONNECTED, seat, "")
    assert (seat.owner, seat.login, seat.label) == (member, "credits", "Mine")
    assert (done.device_code, done.granted_token) == (None, None)
    assert done.detail.startswith("The GitHub account credits is connected")


async def test_github_is_asked_at_most_once_per_interval_however_many_ask_us(
    sim: SimulatorServer, member: Member
) -> None:
    login = await started(member)
    async with open_github() as github:
        await asyncio.gather(*(advance(github, login) for _ in range(8)))
        assert polls(sim) == 0
        await due(login)
        await asyncio.gather(*(advance(github, login) for _ in range(8)))
    assert polls(sim) == 1


async def test_slow_down_lengthens_the_interval(sim: SimulatorServer, member: Member) -> None:
    login = await started(member)
    await advanced(login)
    slowed = await advanced(login)
    assert (slowed.state, slowed.interval) == (LoginState.PENDING, login.interval + 5)
    assert slowed.next_poll_at > timezone.now() + timedelta(seconds=login.interval + 4)


@pytest.mark.parametrize(("decision", "state"), [("deny", LoginState.DENIED), ("expire", LoginState.EXPIRED)])
async def test_a_decision_against_it_ends_the_login(
    sim: SimulatorServer, member: Member, decision: str, state: LoginState
) -> None:
    login = await started(member)
    sim.control("POST", f"device/{login.user_code}/{decision}")
    assert (await advanced(login)).state == state
    asked = polls(sim)
    assert (await advanced(login)).state == state
    assert polls(sim) == asked


async def test_a_login_expires_by_the_clock_without_asking(sim: SimulatorServer, member: Member) -> None:
    login = await started(member)
    await in_thread(DeviceLogin.objects.update)(expires_at=timezone.now() - timedelta(seconds=1))
    assert (await advanced(login)).state == LoginState.EXPIRED
    assert polls(sim) == 0


async def test_starting_again_replaces_the_older_attempt_of_that_host_only(
    sim: SimulatorServer, member: Member
) -> None:
    first, tenant = await started(member), await started(member, host="octo.ghe.com")
    other = await started(await in_thread(a_member)("bob"))
    await started(member)
    states = dict(await in_thread(list)(DeviceLogin.objects.values_list("pk", "state")))
    assert states[first.pk] == LoginState.REPLACED
    assert states[tenant.pk] == states[other.pk] == LoginState.PENDING


async def test_a_cancelled_login_is_not_asked_about_any_more(sim: SimulatorServer, member: Member) -> None:
    login = await started(member)
    await cancel(login)
    sim.control("POST", f"device/{login.user_code}/approve", {"account": "credits"})
    assert (await advanced(login)).state == LoginState.REPLACED
    assert not await in_thread(Seat.objects.exists)()


@pytest.mark.parametrize(
    ("account", "failure"),
    [("noseat", LoginFault.NO_ACCESS), ("suspended", LoginFault.SUSPENDED)],
)
async def test_an_account_without_copilot_fails_with_its_kind_and_githubs_words(
    sim: SimulatorServer, member: Member, account: str, failure: LoginFault
) -> None:
    login = await started(member)
    sim.control("POST", f"device/{login.user_code}/approve", {"account": account})
    done = await advanced(login)
    assert (done.state, done.failure) == (LoginState.FAILED, failure)
    assert done.detail
    assert done.granted_token is None


@pytest.mark.parametrize(("disabled", "failure"), [(False, LoginFault.FOREIGN), (True, LoginFault.SWITCHED_OFF)])
async def test_a_seat_the_gateway_does_not_give_fails_with_its_kind(
    sim: SimulatorServer, member: Member, disabled: bool, failure: LoginFault
) -> None:
    other = member if disabled else await in_thread(a_member)("bob")
    first = await started(other)
    sim.control("POST", f"device/{first.user_code}/approve", {"account": "credits"})
    await advanced(first)
    if disabled:
        await in_thread((await in_thread(Seat.objects.get)()).disable)("policy")
    login = await started(member)
    sim.control("POST", f"device/{login.user_code}/approve", {"account": "credits"})
    done = await advanced(login)
    assert (done.state, done.failure) == (LoginState.FAILED, failure)


async def test_a_fault_on_the_road_leaves_the_login_pending(
    sim: SimulatorServer, member: Member, settings: Any
) -> None:
    login = await started(member)
    settings.BRIDGE_GITHUB_URL = "http://127.0.0.1:9"
    done = await advanced(login)
    assert (done.state, done.failure) == (LoginState.PENDING, LoginFault.UNREACHABLE)
    settings.BRIDGE_GITHUB_URL = sim.github_url
    assert (await advanced(login)).failure == ""


async def test_a_granted_token_survives_a_fault_that_follows_it(
    sim: SimulatorServer, member: Member, settings: Any
) -> None:
    login = await started(member)
    sim.control("POST", f"device/{login.user_code}/approve", {"account": "credits"})
    settings.BRIDGE_GITHUB_API_URL = "http://127.0.0.1:9"
    held = await advanced(login)
    assert (held.state, held.failure) == (LoginState.PENDING, LoginFault.UNREACHABLE)
    assert held.granted_token is not None
    settings.BRIDGE_GITHUB_API_URL = sim.api_url
    await in_thread(DeviceLogin.objects.update)(expires_at=timezone.now() - timedelta(seconds=1))
    assert (await advanced(login)).state == LoginState.CONNECTED
    assert polls(sim) == 1


async def test_an_unknown_host_is_refused_before_anybody_is_asked(sim: SimulatorServer, member: Member) -> None:
    with pytest.raises(BadRequest):
        await started(member, host="github.com@evil.example")
    assert sim.world.log == []
