"""How a seat is, told to the member it belongs to: a word, a colour, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Seat, SeatState, Serves
from accounts.quotas.outlook import NOTHING_KNOWN, Outlook, outlooks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounts.models import Member

# As GitHub sells them; brand names are not translated.
PLANS: Final = MappingProxyType(
    {
        "free": "Copilot Free",
        "individual": "Copilot Pro",
        "individual_pro": "Copilot Pro+",
        "max": "Copilot Max",
        "business": "Copilot Business",
        "enterprise": "Copilot Enterprise",
    }
)


class Tone(StrEnum):
    """How a state is coloured."""

    GOOD = "good"
    WAIT = "wait"
    BAD = "bad"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class SeatLine:
    """One seat as a line of a list; `needs_login` is true when connecting the account again is the remedy.

    `left`, `end`, `resets` and `windows` say what is left of it; empty when nothing is known.
    """

    account: str
    label: str
    plan: str
    serves: str
    tone: Tone
    word: str
    sentence: str
    needs_login: bool
    left: str = ""
    end: str = ""
    resets: str = ""
    windows: tuple[str, ...] = ()
    is_scarce: bool = False


@dataclass(frozen=True, slots=True)
class SharedSeat:
    """A team's seat as those it serves see it: its name and how it is."""

    name: str
    tone: Tone
    word: str


def describe_all(seats: Iterable[Seat]) -> list[SeatLine]:
    """Return the lines for seats of the visitor, with what is left of each."""
    rows = list(seats)
    found = outlooks(rows, timezone.now())
    return [describe(seat, found[seat.pk]) for seat in rows]


def describe_shared(seat: Seat) -> SharedSeat:
    tone, word, _sentence = _state(seat)
    return SharedSeat(str(seat), tone, word)


def shared_with(member: Member) -> list[Seat]:
    """Return the seats of others that the member's requests may take, those switched off aside."""
    seats = Seat.objects.filter(serves=Serves.TEAM).exclude(owner=member).exclude(state=SeatState.DISABLED)
    in_service = seats.filter(Q(owner=None) | Q(owner__is_active=True)).prefetch_related("teams")
    team = member.team.pk if member.team is not None and member.team.active else None
    return [seat for seat in in_service if not (teams := {each.pk for each in seat.teams.all()}) or team in teams]


def describe(seat: Seat, outlook: Outlook = NOTHING_KNOWN) -> SeatLine:
    """Return the line for a seat in the visitor's language and time zone."""
    tone, word, sentence = _state(seat)
    return SeatLine(
        account=seat.account,
        label=seat.label,
        plan=plan_name(seat),
        serves=_("serves the team") if seat.serves == Serves.TEAM else _("serves you alone"),
        tone=tone,
        word=word,
        sentence=sentence,
        needs_login=seat.state == SeatState.NEEDS_LOGIN,
        left=outlook.left,
        end=outlook.end,
        resets=outlook.resets,
        windows=outlook.windows,
        is_scarce=outlook.is_scarce,
    )


def plan_name(seat: Seat) -> str:
    """Return the plan as GitHub's price list names it, or its id when it is new to us."""
    return PLANS.get(seat.plan, seat.plan)


def _state(seat: Seat) -> tuple[Tone, str, str]:
    if seat.usable:
        return Tone.GOOD, _("Ready"), ""
    match SeatState(seat.state):
        case SeatState.COOLING:
            return Tone.WAIT, _("Resting"), _cooling(seat)
        case SeatState.EXHAUSTED:
            return Tone.WAIT, _("Out of credits"), _exhausted(seat)
        case SeatState.NEEDS_LOGIN:
            return Tone.BAD, _("Needs a new sign-in"), _("GitHub no longer accepts its sign-in. Connect it again.")
        case SeatState.SUSPENDED:
            sentence = _("GitHub has suspended Copilot for this account. Only GitHub Support can lift that.")
            return Tone.BAD, _("Suspended"), sentence
        case _:
            return Tone.QUIET, _("Switched off"), _("An owner of this gateway can switch it on again.")


def _cooling(seat: Seat) -> str:
    if seat.state_until is None:
        return _("GitHub asked this account to slow down. It comes back by itself.")
    return _("GitHub asked this account to slow down. It comes back at %(time)s.") % {"time": _clock(seat)}


def _exhausted(seat: Seat) -> str:
    if seat.state_until is None:
        return _("Its AI credits are used up. It comes back when GitHub grants new ones.")
    return _("Its AI credits are used up. New ones come at %(time)s.") % {"time": _clock(seat)}


def _clock(seat: Seat) -> str:
    return f"{timezone.localtime(seat.state_until):%Y-%m-%d %H:%M}"
