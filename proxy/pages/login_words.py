"""How a device login is going, told to the member: one heading, one sentence, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.models import DeviceLogin, LoginFault, LoginState
from accounts.serving import risk_warning, serving_the_same, warning_for
from proxy.pages.seat_words import SeatLine, Tone, describe


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a login. `quote` is what GitHub said in its own words, `warning` the risk of a second seat."""

    tone: Tone
    title: str
    sentence: str
    advice: str
    quote: str = ""
    warning: str = ""
    seat: SeatLine | None = None


def outcome_of(login: DeviceLogin) -> Outcome:
    """Return how a login ended that is neither pending nor replaced."""
    match LoginState(login.state):
        case LoginState.CONNECTED:
            return _connected(login)
        case LoginState.DENIED:
            return Outcome(
                Tone.BAD,
                _("The request was declined on GitHub"),
                _("Somebody chose Cancel on GitHub's page, so nothing was connected."),
                _("If that was a slip, start again and choose Authorize."),
            )
        case LoginState.EXPIRED if login.failure == LoginFault.RISK:
            return Outcome(
                Tone.WAIT,
                _("The second account was not connected"),
                _("The risk of it was not confirmed in time, so nothing was connected."),
                _("Start again if you still want it."),
            )
        case LoginState.EXPIRED:
            return Outcome(
                Tone.WAIT,
                _("The code has expired"),
                _("It was not entered on GitHub in time, so nothing was connected."),
                _("Start again to get a new code."),
            )
        case _:
            return _failed(login)


def confirmation_of(login: DeviceLogin) -> str:
    """Return GitHub's risk as the member must read it before a second seat is connected."""
    return risk_warning(serving_the_same(login.member, login.serves))


def pending_notice(login: DeviceLogin) -> str:
    """Return what a waiting member should know beyond that the page is waiting; usually nothing."""
    if login.granted_token is not None:
        return _("GitHub has approved the code. The account is being checked; this can take a minute.")
    if login.failure == LoginFault.UNREACHABLE:
        return _("GitHub cannot be reached just now. The gateway keeps trying, and your code stays valid.")
    return ""


def _connected(login: DeviceLogin) -> Outcome:
    if login.seat is None:
        return Outcome(Tone.GOOD, _("Connected"), "", "")
    line = describe(login.seat)
    ready = login.seat.usable
    return Outcome(
        Tone.GOOD if ready else Tone.WAIT,
        _("%(account)s is connected") % {"account": line.account},
        _("Requests can use it from now on.") if ready else line.sentence,
        "",
        warning=warning_for(login.seat),
        seat=line,
    )


def _failed(login: DeviceLogin) -> Outcome:
    title, advice = _failure(login.failure)
    return Outcome(Tone.BAD, title, _("Nothing was connected."), advice, quote=login.detail)


def _failure(failure: str) -> tuple[str, str]:
    """Return the heading and the advice for a reason."""
    match failure:
        case LoginFault.NO_ACCESS:
            return _("This account has no Copilot seat"), _(
                "Get a Copilot plan for it, or ask whoever administers your organisation's Copilot for a seat. "
                "If you meant another account, sign in to that one on GitHub first. Then start again."
            )
        case LoginFault.SUSPENDED:
            return _("GitHub has suspended Copilot for this account"), _(
                "Only GitHub Support can lift that. Do not connect another account in its place: that is what GitHub "
                "suspends accounts for."
            )
        case LoginFault.NEEDS_LOGIN:
            return _("GitHub does not accept this sign-in for Copilot"), _(
                "Start again and approve the new code. If it keeps happening, tell an owner of this gateway."
            )
        case LoginFault.FOREIGN:
            return _("This account is already connected by somebody else"), _(
                "Sign in to GitHub with your own account and start again, or ask an owner of this gateway to hand "
                "it over."
            )
        case LoginFault.SWITCHED_OFF:
            return _("This account is switched off here"), _("Ask an owner of this gateway to switch it on again.")
        case _:
            return _("GitHub refused the sign-in"), _(
                "Start again. If it keeps happening, tell an owner of this gateway what GitHub said."
            )
