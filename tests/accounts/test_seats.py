"""Connecting and checking seats, against the simulator."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.database import in_thread
from accounts.github import open_github
from accounts.models import Epoch, Member, Seat, SeatState, Serves, Team
from accounts.seats import (
    Checked,
    Connected,
    ForeignSeat,
    SwitchedOffSeat,
    Wish,
    check,
    connect,
)
from accounts.serving import RiskNotAccepted, refuse_unaccepted, serving_the_same, warning_for, warning_of_reviving
from accounts.stores import SeatStore
from bridge.copilot.verdicts import SeatVerdict, TokenRefused
from bridge.errors import BadRequest, RateLimited, Unreachable
from tests.accounts.rows import a_member, a_seat
from tests.accounts.upstream import sim, simulator
from tests.simulator.server import SimulatorServer

__all__ = ["sim", "simulator"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def member() -> Member:
    return a_member("alice")


async def connected(sim: SimulatorServer, login: str, owner: Member | None, **wish: Any) -> Connected:
    token = sim.world.accounts[login].github_token
    async with open_github() as github:
        return await connect(github, token, Wish(owner, **wish))


async def checked(seat: Seat) -> Checked:
    await in_thread(seat.refresh_from_db)()
    async with open_github() as github:
        return await check(github, seat)


async def test_an_account_becomes_a_seat_with_plan_quota_and_a_ready_token(
    sim: SimulatorServer, member: Member
) -> None:
    made = await connected(sim, "credits", member, label="Mine")
    seat = await in_thread(Seat.objects.select_related("owner").get)()
    assert seat == made.seat
    assert (seat.owner, seat.login, seat.github_id, seat.label) == (member, "credits", 1001, "Mine")
    assert (seat.plan, seat.serves, seat.state) == ("individual_pro", Serves.OWNER, SeatState.ACTIVE)
    assert seat.quota["premium_interactions"]["entitlement"] == 7000
    credential = await SeatStore().read(seat.pk)
    assert credential.copilot is not None
    assert credential.copilot.api_base == sim.copilot_url
    assert made.sentence == "The GitHub account credits is connected and serves its owner."
    assert made.warning == ""
    assert sim.world.accounts["credits"].exchanges == 1


async def test_connecting_again_refreshes_the_seat_instead_of_doubling_it(sim: SimulatorServer, member: Member) -> None:
    first = await connected(sim, "credits", member, label="Mine")
    await in_thread(first.seat.suspend)("blocked")
    before = await in_thread(Epoch.current)()
    second = await connected(sim, "credits", member, serves=Serves.TEAM)
    assert second.seat.pk == first.seat.pk
    seat = await in_thread(Seat.objects.get)()
    assert (seat.state, seat.label, seat.serves) == (SeatState.ACTIVE, "Mine", Serves.TEAM)
    assert await in_thread(Epoch.current)() > before


async def test_an_account_that_changed_its_login_is_the_same_seat(sim: SimulatorServer, member: Member) -> None:
    await connected(sim, "credits", member)
    await in_thread(Seat.objects.update)(login="formerly")
    await connected(sim, "credits", member)
    assert (await in_thread(Seat.objects.get)()).login == "credits"


async def test_a_login_that_changed_hands_is_not_mistaken_for_the_old_account(
    sim: SimulatorServer, member: Member
) -> None:
    await in_thread(a_seat)(member, login="Credits", github_id=77)
    with pytest.raises(BadRequest, match="Another GitHub account is connected here as Credits"):
        await connected(sim, "credits", member)


async def test_a_direct_token_needs_no_exchange(sim: SimulatorServer, member: Member) -> None:
    made = await connected(sim, "direct", member)
    assert (made.seat.kind, made.seat.copilot_token) == ("direct", None)
    assert sim.world.accounts["direct"].exchanges == 0


async def test_an_account_of_a_tenant_is_connected_at_its_own_host(sim: SimulatorServer, member: Member) -> None:
    made = await connected(sim, "ghe", member, host="https://octo.ghe.com/")
    assert (made.seat.host, made.seat.account) == ("octo.ghe.com", "ghe (octo.ghe.com)")


@pytest.mark.parametrize(
    ("login", "verdict"),
    [
        ("noseat", SeatVerdict.NO_ACCESS),
        ("suspended", SeatVerdict.SUSPENDED),
        ("pat", SeatVerdict.NEEDS_LOGIN),
    ],
)
async def test_an_account_github_refuses_becomes_no_seat(
    sim: SimulatorServer, member: Member, login: str, verdict: SeatVerdict
) -> None:
    with pytest.raises(TokenRefused) as refusal:
        await connected(sim, login, member)
    assert refusal.value.state == verdict
    assert not await in_thread(Seat.objects.exists)()


async def test_an_exhausted_account_is_connected_and_says_so(sim: SimulatorServer, member: Member) -> None:
    made = await connected(sim, "exhausted", member)
    assert made.seat.state == SeatState.EXHAUSTED
    assert made.seat.state_until is not None
    assert made.seat.state_until > timezone.now()
    assert "used up" in made.sentence


@pytest.mark.parametrize("token", ["", "two words", "ghu_\n", "ghu_é"])
async def test_what_cannot_be_a_token_never_leaves_the_gateway(
    sim: SimulatorServer, member: Member, token: str
) -> None:
    async with open_github() as github:
        with pytest.raises(BadRequest, match="one word"):
            await connect(github, token, Wish(member))
    assert sim.world.log == []


async def test_an_unknown_host_never_gets_a_token(sim: SimulatorServer, member: Member) -> None:
    with pytest.raises(BadRequest, match=r"TENANT\.ghe\.com"):
        await connected(sim, "credits", member, host="github.com.evil.example")
    assert sim.world.log == []


async def test_a_member_cannot_take_somebody_elses_seat_but_an_operator_can_move_it(
    sim: SimulatorServer, member: Member
) -> None:
    other = await in_thread(a_member)("bob")
    await connected(sim, "credits", other)
    with pytest.raises(ForeignSeat):
        await connected(sim, "credits", member)
    moved = await connected(sim, "credits", member, by_operator=True)
    assert moved.seat.owner == member


async def test_connecting_again_does_not_undo_that_a_seat_was_switched_off(
    sim: SimulatorServer, member: Member
) -> None:
    made = await connected(sim, "credits", member)
    await in_thread(made.seat.disable)("policy")
    with pytest.raises(SwitchedOffSeat):
        await connected(sim, "credits", member)
    revived = await connected(sim, "credits", member, by_operator=True)
    assert revived.seat.usable


async def test_a_second_seat_for_the_same_people_is_kept_only_when_the_risk_is_accepted(
    sim: SimulatorServer, member: Member
) -> None:
    await connected(sim, "credits", member)
    with pytest.raises(RiskNotAccepted, match="credits already serves the same people") as refusal:
        await connected(sim, "pro", member)
    assert "multiple accounts to circumvent billing and usage limits" in str(refusal.value)
    assert await in_thread(Seat.objects.count)() == 1
    second = await connected(sim, "pro", member, risk_accepted=True)
    assert second.warning.startswith("credits already serves the same people.")
    assert await in_thread(Seat.objects.count)() == 2


async def test_connecting_a_second_seat_anew_asks_nothing_and_widening_it_does(
    sim: SimulatorServer, member: Member
) -> None:
    await connected(sim, "credits", member)
    await connected(sim, "pro", member, risk_accepted=True)
    await connected(sim, "pro", member)
    lender = await in_thread(a_member)()
    await connected(sim, "business", lender, serves=Serves.TEAM)
    with pytest.raises(RiskNotAccepted, match="business already"):
        await connected(sim, "pro", member, serves=Serves.TEAM)
    pro = await in_thread(Seat.objects.get)(login="pro")
    assert pro.serves == Serves.OWNER
    await in_thread(pro.disable)()
    with pytest.raises(RiskNotAccepted, match="credits already"):
        await connected(sim, "pro", member, by_operator=True)
    with pytest.raises(RiskNotAccepted, match="business already"):
        await connected(sim, "credits", lender, by_operator=True, serves=Serves.TEAM)


def test_two_seats_that_are_switched_on_together_are_weighed_together() -> None:
    alice, red = a_member(), Team.objects.create(name="Red")
    one, other, apart = a_seat(alice), a_seat(alice), a_seat(a_member(), serves=Serves.TEAM)
    apart.teams.add(red)
    for seat in (one, other, apart):
        seat.disable()
    assert warning_of_reviving([one]) == ""
    assert warning_of_reviving([one, apart]) == ""
    assert f"{one.login} already serves" in warning_of_reviving([one, other])
    one.revive()
    assert f"{one.login} already serves" in warning_of_reviving([other])
    assert warning_of_reviving([one]) == ""
    with pytest.raises(RiskNotAccepted):
        refuse_unaccepted(alice, Serves.OWNER, besides=other.pk)
    refuse_unaccepted(alice, Serves.TEAM, [red])


def test_whom_seats_serve_decides_which_stand_beside_each_other() -> None:
    alice, bob = a_member(), a_member()
    red, blue = Team.objects.create(name="Red"), Team.objects.create(name="Blue")
    own = a_seat(alice)
    for_all = a_seat(bob, serves=Serves.TEAM)
    for_red = a_seat(bob, serves=Serves.TEAM)
    for_red.teams.add(red)
    gone = a_seat(alice)
    gone.disable()
    assert serving_the_same(alice, Serves.OWNER) == [own]
    assert serving_the_same(bob, Serves.OWNER) == []
    assert serving_the_same(alice, Serves.TEAM) == [for_all, for_red]
    assert serving_the_same(alice, Serves.TEAM, [blue]) == [for_all]
    assert serving_the_same(alice, Serves.TEAM, [red, blue], besides=for_all.pk) == [for_red]
    assert warning_for(own) == ""
    assert "same people" in warning_for(for_red)


async def test_an_unreachable_github_is_an_error_of_the_road(
    sim: SimulatorServer, member: Member, settings: Any
) -> None:
    settings.BRIDGE_GITHUB_API_URL = "http://127.0.0.1:9"
    with pytest.raises(Unreachable):
        await connected(sim, "credits", member)


async def test_a_slow_down_while_connecting_says_for_how_long(sim: SimulatorServer, member: Member) -> None:
    sim.ask({"raw": {"status": 429, "headers": {"retry-after": "300"}, "body": "slow down"}}, path="/user")
    with pytest.raises(RateLimited) as fault:
        await connected(sim, "credits", member)
    assert fault.value.retry_after == 300


async def test_a_check_keeps_a_well_seat_and_refreshes_what_is_known(sim: SimulatorServer, member: Member) -> None:
    made = await connected(sim, "credits", member)
    await in_thread(Seat.objects.update)(plan="", quota={})
    found = await checked(made.seat)
    assert (found.well, found.sentence) == (True, "credits: active (individual_pro)")
    seat = await in_thread(Seat.objects.get)()
    assert (seat.plan, "premium_interactions" in seat.quota) == ("individual_pro", True)


@pytest.mark.parametrize("state", [SeatState.NEEDS_LOGIN, SeatState.SUSPENDED, SeatState.EXHAUSTED])
async def test_a_check_clears_a_state_that_no_longer_holds(
    sim: SimulatorServer, member: Member, state: SeatState
) -> None:
    made = await connected(sim, "credits", member)
    await in_thread(Seat.objects.update)(state=state, state_reason="was so", state_until=None)
    found = await checked(made.seat)
    assert found.well
    assert (await in_thread(Seat.objects.get)()).state == SeatState.ACTIVE


async def test_a_check_keeps_a_rest_that_the_upstream_asked_for(sim: SimulatorServer, member: Member) -> None:
    made = await connected(sim, "credits", member)
    await in_thread(made.seat.cool)(timezone.now() + timedelta(hours=1), "told to slow down")
    found = await checked(made.seat)
    assert not found.well
    assert found.sentence.startswith("credits: cooling down until ")
    assert found.sentence.endswith("told to slow down")
    await in_thread(Seat.objects.update)(state_until=timezone.now() - timedelta(seconds=1))
    assert (await checked(made.seat)).seat.state == SeatState.ACTIVE


async def test_a_check_finds_credits_gone(sim: SimulatorServer, member: Member) -> None:
    made = await connected(sim, "credits", member)
    sim.world.accounts["credits"].used_before = 7000
    assert (await checked(made.seat)).seat.state == SeatState.EXHAUSTED
    sim.world.accounts["credits"].used_before = 0
    assert (await checked(made.seat)).seat.state == SeatState.ACTIVE


@pytest.mark.parametrize(
    ("state", "expected"), [("suspended", SeatState.SUSPENDED), ("no_seat", SeatState.NEEDS_LOGIN)]
)
async def test_a_check_takes_a_refused_account_out_of_service(
    sim: SimulatorServer, member: Member, state: str, expected: SeatState
) -> None:
    made = await connected(sim, "credits", member)
    sim.control("POST", "account/credits", {"state": state})
    found = await checked(made.seat)
    assert (found.well, found.seat.state) == (False, expected)
    assert found.seat.state_reason


async def test_a_check_rests_a_seat_that_github_tells_to_slow_down(sim: SimulatorServer, member: Member) -> None:
    made = await connected(sim, "credits", member)
    sim.ask({"raw": {"status": 429, "headers": {"retry-after": "300"}, "body": "slow down"}}, path="/user")
    found = await checked(made.seat)
    assert found.seat.state == SeatState.COOLING
    assert found.seat.state_until is not None
    assert timedelta(minutes=4) < found.seat.state_until - timezone.now() <= timedelta(minutes=5)


async def test_a_check_changes_nothing_when_github_cannot_be_reached(
    sim: SimulatorServer, member: Member, settings: Any
) -> None:
    made = await connected(sim, "credits", member)
    settings.BRIDGE_GITHUB_API_URL = "http://127.0.0.1:9"
    found = await checked(made.seat)
    assert (found.well, found.seat.state) == (False, SeatState.ACTIVE)
    assert "failed" in found.sentence


async def test_github_is_not_asked_about_a_seat_that_a_person_switched_off(
    sim: SimulatorServer, member: Member
) -> None:
    made = await connected(sim, "credits", member)
    await in_thread(made.seat.disable)("policy")
    sim.world.log.clear()
    found = await checked(made.seat)
    assert (found.well, found.sentence, sim.world.log) == (False, "credits: disabled: policy", [])
