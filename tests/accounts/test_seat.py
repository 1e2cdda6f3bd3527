"""The states of a seat, and what the table refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import serializers
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Epoch, Seat, SeatState, Serves
from tests.accounts.rows import a_member, a_seat

pytestmark = pytest.mark.django_db


VERBS: dict[SeatState, Callable[[Seat], bool]] = {
    SeatState.COOLING: lambda seat: seat.cool(timezone.now() + timedelta(minutes=1), "slow down"),
    SeatState.EXHAUSTED: lambda seat: seat.exhaust("no credits"),
    SeatState.NEEDS_LOGIN: lambda seat: seat.require_login("bad credentials"),
    SeatState.SUSPENDED: lambda seat: seat.suspend("blocked"),
    SeatState.DISABLED: lambda seat: seat.disable("by hand"),
}


@pytest.mark.parametrize("state", VERBS)
def test_every_verb_takes_an_active_seat_out_of_use_and_says_why(state: SeatState) -> None:
    seat, before = a_seat(), 0
    before = Epoch.current()
    assert VERBS[state](seat)
    stored = Seat.objects.get(pk=seat.pk)
    assert (stored.state, stored.usable, bool(stored.state_reason)) == (state, False, True)
    assert (seat.state, Epoch.current()) == (state, before + 1)


@pytest.mark.parametrize("first", VERBS)
@pytest.mark.parametrize("second", VERBS)
def test_the_graver_state_stays(first: SeatState, second: SeatState) -> None:
    seat, order = a_seat(), list(SeatState)
    VERBS[first](seat)
    taken = VERBS[second](seat)
    assert taken == (order.index(second) >= order.index(first))
    assert seat.state == max(first, second, key=order.index)


@pytest.mark.parametrize("state", VERBS)
def test_revival_leads_back_from_every_state(state: SeatState) -> None:
    seat = a_seat()
    VERBS[state](seat)
    assert seat.revive()
    assert (seat.state, seat.state_reason, seat.state_until, seat.usable) == (SeatState.ACTIVE, "", None, True)
    assert not seat.revive()


def test_a_rest_that_is_over_makes_the_seat_usable_again_without_a_write() -> None:
    seat = a_seat()
    seat.cool(timezone.now() - timedelta(seconds=1), "slow down")
    assert seat.is_rested
    assert seat.usable


def test_credits_that_are_gone_until_nobody_knows_when_stay_gone() -> None:
    seat = a_seat()
    seat.exhaust("no credits")
    assert not seat.usable
    seat.exhaust("no credits", timezone.now() - timedelta(seconds=1))
    assert seat.usable


def test_a_stale_copy_of_a_seat_does_not_undo_what_happened_meanwhile() -> None:
    seat = a_seat()
    stale = Seat.objects.get(pk=seat.pk)
    seat.suspend("blocked")
    assert not stale.cool(timezone.now() + timedelta(minutes=1), "slow down")
    assert stale.state == SeatState.SUSPENDED


def test_an_account_is_connected_once_per_host_whatever_the_letter_case() -> None:
    a_seat(login="Octocat", github_id=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        a_seat(login="octocat", github_id=None)
    a_seat(login="octocat", github_id=None, host="octo.ghe.com")


def test_a_seat_without_an_owner_must_serve_the_team() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Seat.objects.create(login="org", github_token="ghu_x")
    Seat.objects.create(login="org", github_token="ghu_x", serves=Serves.TEAM)


def test_tokens_appear_in_no_text_of_a_seat() -> None:
    seat = a_seat(github_token="ghu_secret", copilot_token="tid=secret")
    fields = {name: str(value) for name, value in vars(Seat.objects.get(pk=seat.pk)).items()}
    assert "secret" not in f"{seat!r} {seat} {fields}"
    assert "secret" not in serializers.serialize("json", [seat])


def test_a_seat_is_called_by_its_label_or_its_account() -> None:
    owner = a_member()
    assert str(a_seat(owner, login="octocat")) == "octocat"
    assert str(a_seat(owner, login="octocat", host="octo.ghe.com")) == "octocat (octo.ghe.com)"
    assert str(a_seat(owner, label="Spare")) == "Spare"
