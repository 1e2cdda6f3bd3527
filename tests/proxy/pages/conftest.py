"""Members, browsers and a simulated GitHub for the tests of the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Member, Role, Seat
from tests.accounts.upstream import sim, simulator
from tests.simulator.server import SimulatorServer

__all__ = ["github", "sim", "simulator"]

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
PASSWORD = "a long enough passphrase"

MakeMember = Callable[..., Member]


@pytest.fixture
def make_member(db: None) -> MakeMember:
    def make(username: str, **fields: Any) -> Member:
        return Member.objects.create_user(username=username, password=PASSWORD, **fields)

    return make


@pytest.fixture
def member(make_member: MakeMember) -> Member:
    return make_member("member")


@pytest.fixture
def owner(make_member: MakeMember) -> Member:
    return make_member("owner", role=Role.OWNER)


def browser_of(member: Member | None = None, *, enforce_csrf_checks: bool = False) -> Client:
    """Return a client that asks as browsers do, signed in as `member`."""
    client = Client(headers={"accept": BROWSER}, enforce_csrf_checks=enforce_csrf_checks)
    if member is not None:
        client.force_login(member)
    return client


def make_seat(member: Member, login: str, **fields: Any) -> Seat:
    return Seat.objects.create(owner=member, login=login, github_token="ghu_secret", **fields)


@pytest.fixture
def visitor() -> Client:
    return browser_of()


@pytest.fixture
def browser(member: Member) -> Client:
    return browser_of(member)


@pytest.fixture
def github(sim: SimulatorServer) -> SimulatorServer:
    """A simulated GitHub that the gateway is pointed at; it minds no one asking often."""
    sim.world.settings.device_interval = 0
    return sim
