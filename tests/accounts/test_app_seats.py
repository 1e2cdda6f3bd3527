"""Adding an organisation's app as a seat, checking it, and losing it, against the simulator."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.app_seats import AppWish, connect_app
from accounts.database import in_thread
from accounts.github import open_github
from accounts.models import Seat, SeatKind, SeatState, Serves, TrailEntry
from accounts.seats import Connected, check
from accounts.serving import RiskNotAccepted
from accounts.stores import SeatStore
from bridge.copilot.stores import CredentialKind
from bridge.copilot.verdicts import TokenRefused
from bridge.errors import BadRequest
from tests.accounts.apps import CLIENT, INSTALLATION, ORGANISATION, installed, private_key
from tests.accounts.rows import a_seat
from tests.accounts.upstream import sim, simulator
from tests.simulator.server import SimulatorServer

__all__ = ["sim", "simulator"]

pytestmark = pytest.mark.django_db(transaction=True)


async def added(**wish: Any) -> Connected:
    asked: dict[str, Any] = {"client_id": CLIENT, "installation": INSTALLATION, "private_key": private_key()} | wish
    async with open_github() as github:
        return await connect_app(github, AppWish(**asked))


async def checked(seat: Seat) -> tuple[bool, str]:
    await in_thread(seat.refresh_from_db)()
    async with open_github() as github:
        found = await check(github, seat)
    return found.well, found.sentence


async def test_an_app_becomes_a_seat_of_the_organisation_that_serves_the_team(sim: SimulatorServer) -> None:
    installed(sim)
    made = await added(label="Org")
    seat = await in_thread(Seat.objects.select_related("owner").get)()
    assert (seat.owner, seat.serves, seat.kind, seat.login, seat.label) == (
        None, Serves.TEAM, SeatKind.APP, ORGANISATION, "Org",
    )  # fmt: skip
    assert (seat.state, seat.app_id, seat.installation_id, seat.github_token) == (
        SeatState.ACTIVE, CLIENT, INSTALLATION, None,
    )  # fmt: skip
    assert made.sentence.startswith("The app is connected; octo-org pays for it")
    assert "Experimental" in made.sentence
    credential = await SeatStore().read(seat.pk)
    assert credential.kind is CredentialKind.APP
    assert credential.app is not None
    assert credential.app.private_key == private_key().strip()
    assert credential.copilot is not None
    assert credential.copilot.token.startswith("ghs_")


async def test_adding_the_app_again_replaces_its_key_and_doubles_nothing(sim: SimulatorServer) -> None:
    installed(sim)
    first = await added()
    await in_thread(first.seat.require_login)("The key was deleted.")
    second = await added()
    assert second.seat.pk == first.seat.pk
    assert (await in_thread(Seat.objects.get)()).state == SeatState.ACTIVE


async def test_the_trail_tells_of_the_key_without_showing_it(sim: SimulatorServer) -> None:
    installed(sim)
    await added()
    told = await in_thread(lambda: [str(entry.detail) for entry in TrailEntry.objects.filter(subject_type="seat")])()
    assert told
    assert not [line for line in told if private_key()[100:140] in line]


async def test_beside_another_team_seat_the_risk_is_accepted_first(sim: SimulatorServer) -> None:
    installed(sim)
    await in_thread(a_seat)(serves=Serves.TEAM)
    with pytest.raises(RiskNotAccepted):
        await added()
    assert await in_thread(Seat.objects.filter(kind=SeatKind.APP).count)() == 0
    made = await added(risk_accepted=True)
    assert "multiple accounts" in made.warning


@pytest.mark.parametrize(
    "wrong",
    [
        {"private_key": "no key"},
        {"client_id": ""},
        {"client_id": "two words"},
        {"installation": 0},
        {"host": "github.example"},
    ],
)
async def test_what_cannot_be_right_is_refused_before_github_is_asked(
    sim: SimulatorServer, wrong: dict[str, Any]
) -> None:
    installed(sim)
    with pytest.raises(BadRequest):
        await added(**wrong)
    assert sim.world.log == []


@pytest.mark.parametrize("wrong", [{"client_id": "Iv23liOther"}, {"installation": 78}])
async def test_what_github_refuses_becomes_no_seat(sim: SimulatorServer, wrong: dict[str, Any]) -> None:
    installed(sim)
    with pytest.raises(TokenRefused):
        await added(**wrong)
    assert await in_thread(Seat.objects.count)() == 0


async def test_an_organisation_that_is_a_seat_of_another_kind_is_left_alone(sim: SimulatorServer) -> None:
    installed(sim)
    await in_thread(a_seat)(login=ORGANISATION, github_id=1)
    with pytest.raises(BadRequest, match="octo-org"):
        await added()


async def test_a_check_finds_out_what_became_of_the_app_and_brings_it_back(sim: SimulatorServer) -> None:
    installation = installed(sim)
    seat = (await added()).seat
    assert (await checked(seat))[0]

    installation.suspended = True
    well, said = await checked(seat)
    assert not well
    assert said.startswith("octo-org: suspended: ")
    assert "This installation has been suspended" in said
    installation.suspended = False
    assert (await checked(seat))[0]

    installation.permissions = {"metadata": "read"}
    well, said = await checked(seat)
    assert not well
    assert "Copilot Requests: write" in said
    await in_thread(seat.refresh_from_db)()
    assert seat.state == SeatState.NEEDS_LOGIN

    installation.removed = True
    assert "not installed" in (await checked(seat))[1]

    installation.removed, installation.permissions = False, {"copilot_requests": "write"}
    assert (await checked(seat))[0]


def test_the_command_reads_the_key_from_standard_input_and_says_it_is_experimental(
    sim: SimulatorServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    installed(sim)
    monkeypatch.setattr("sys.stdin", _Said(private_key()))
    call_command("addappseat", "--app", CLIENT, "--installation", str(INSTALLATION), "--label", "Org")
    said = capsys.readouterr().out
    assert "octo-org pays for it" in said
    assert "Experimental" in said
    assert "PRIVATE" not in said
    assert Seat.objects.get().label == "Org"


@pytest.mark.parametrize(("key", "fault"), [("", "no private key"), ("no key", "PEM")])
def test_the_command_says_what_is_wrong_with_the_key(
    sim: SimulatorServer, monkeypatch: pytest.MonkeyPatch, key: str, fault: str
) -> None:
    monkeypatch.setattr("sys.stdin", _Said(key))
    with pytest.raises(CommandError, match=fault):
        call_command("addappseat", "--app", CLIENT, "--installation", str(INSTALLATION))


class _Said:
    """Standard input that holds a text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read(self, size: int) -> str:
        return self._text[:size]
