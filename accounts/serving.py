"""Whom seats serve, and the risk of a second seat for the same people.

Two seats that serve the same people look to GitHub like one person with two accounts, and GitHub suspends accounts for
that. So whoever makes a seat serve people whom another already serves, by connecting, changing or reviving it, reads
the warning first and confirms it; until then nothing is saved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from accounts.models import Seat, SeatState, Serves
from bridge.errors import Forbidden

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from accounts.models import Member, Team


class RiskNotAccepted(Forbidden):
    """Another seat serves the same people, and nobody has confirmed that this one shall as well."""


def serving_the_same(
    owner: Member | None, serves: str, teams: Collection[Team] = (), *, besides: int | None = None
) -> list[Seat]:
    """Return the seats in service that serve the people a seat with these settings would serve."""
    others = Seat.objects.exclude(state=SeatState.DISABLED).filter(serves=serves)
    if besides is not None:
        others = others.exclude(pk=besides)
    if serves == Serves.OWNER:
        return list(others.filter(owner=owner))
    wanted = {team.pk for team in teams}
    return [
        other
        for other in others.prefetch_related("teams")
        if not wanted or not (theirs := {team.pk for team in other.teams.all()}) or wanted & theirs
    ]


def warning_for(seat: Seat) -> str:
    """Return the warning a seat deserves that serves the same people as another; empty if none does."""
    return risk_warning(_beside(seat))


def risk_warning(others: Collection[Seat]) -> str:
    if not others:
        return ""
    return _(
        "%(others)s already serves the same people. GitHub suspends accounts for “multiple accounts to circumvent "
        "billing and usage limits”; keep one seat for them unless GitHub agreed to more."
    ) % {"others": ", ".join(other.account for other in others)}


def warning_of_reviving(seats: Sequence[Seat]) -> str:
    """Return the warning that switching these seats on again deserves; two of them may serve the same people."""
    coming = [seat for seat in seats if seat.state == SeatState.DISABLED]
    others = {other.pk: other for seat in coming for other in _beside(seat)}
    for number, seat in enumerate(coming):
        others |= {other.pk: other for other in coming[:number] if _overlap(seat, other)}
    return risk_warning(list(others.values()))


def refuse_unaccepted(
    owner: Member | None, serves: str, teams: Collection[Team] = (), *, besides: int | None = None
) -> None:
    """Raises RiskNotAccepted, with the warning, when another seat in service serves the same people."""
    others = serving_the_same(owner, serves, teams, besides=besides)
    if others:
        raise RiskNotAccepted(
            '%(others)s already serves the same people, and GitHub suspends accounts for "multiple accounts to '
            'circumvent billing and usage limits". Nothing was saved.',
            {"others": ", ".join(other.account for other in others)},
        )


def _beside(seat: Seat) -> list[Seat]:
    return serving_the_same(seat.owner, seat.serves, list(seat.teams.all()), besides=seat.pk)


def _overlap(one: Seat, other: Seat) -> bool:
    if one.serves != other.serves:
        return False
    if one.serves == Serves.OWNER:
        return one.owner_id == other.owner_id
    mine, theirs = ({team.pk for team in seat.teams.all()} for seat in (one, other))
    return not mine or not theirs or bool(mine & theirs)
