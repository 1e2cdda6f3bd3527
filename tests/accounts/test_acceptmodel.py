"""`manage.py acceptmodel`: only on an explicit word, for one named seat."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.accounts.rows import a_member, a_seat
from tests.accounts.upstream import sim, simulator
from tests.simulator.server import SimulatorServer

__all__ = ["sim", "simulator"]

pytestmark = pytest.mark.django_db(transaction=True)

ASKS_FOR_CONSENT = "grok-4.6"


def ran(*words: str) -> str:
    out = io.StringIO()
    call_command("acceptmodel", *words, stdout=out)
    return out.getvalue()


def test_a_models_terms_are_accepted_for_the_one_seat(sim: SimulatorServer) -> None:
    account = sim.world.accounts["credits"]
    a_seat(a_member("ada"), github_token=account.github_token)
    assert ASKS_FOR_CONSENT in ran(ASKS_FOR_CONSENT)
    assert account.policies[ASKS_FOR_CONSENT] == "enabled"


def test_a_refusal_is_told_in_a_sentence(sim: SimulatorServer) -> None:
    a_seat(a_member("ada"), github_token=sim.world.accounts["credits"].github_token)
    with pytest.raises(CommandError, match="no-such-model"):
        ran("no-such-model")


def test_among_several_seats_one_must_be_named() -> None:
    ada = a_member("ada")
    seats = [a_seat(ada), a_seat(ada)]
    with pytest.raises(CommandError, match="name one with --seat"):
        ran(ASKS_FOR_CONSENT)
    with pytest.raises(CommandError, match="no such seat"):
        ran(ASKS_FOR_CONSENT, "--seat", str(max(seat.pk for seat in seats) + 1))
