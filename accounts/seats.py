"""Connecting a GitHub account as a seat, and asking GitHub how a seat is.

A seat that would serve the same people as another is kept only when whoever connects it has accepted the risk of
that (`accounts/serving.py`); connecting one anew that serves whom it served before asks nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.database import in_thread
from accounts.models import Member, QuotaSource, Seat, SeatKind, SeatState, Serves
from accounts.quotas.readings import note, quotas_of
from accounts.serving import refuse_unaccepted, warning_for
from accounts.stores import refuse_seat, token_columns
from accounts.vault import VaultLocked
from bridge.copilot.account import AccountState, GitHubUser, fetch_account, fetch_user
from bridge.copilot.app_tokens import fetch_app_token, fetch_installation
from bridge.copilot.origins import normalise_host
from bridge.copilot.quota import governing_quota
from bridge.copilot.stores import AppCredential
from bridge.copilot.tokens import exchange
from bridge.copilot.verdicts import TokenRefused
from bridge.errors import BadRequest, BridgeError, Forbidden, RateLimited

if TYPE_CHECKING:
    from collections.abc import Callable

    from accounts.github import GitHub
    from bridge.copilot.origins import Origins
    from bridge.copilot.tokens import CopilotToken

_DIRECT_PREFIX = "gho_"
_WAITING = frozenset({SeatState.COOLING, SeatState.EXHAUSTED})


class ForeignSeat(Forbidden):
    """The account is connected by somebody else."""


class SwitchedOffSeat(Forbidden):
    """The seat was disabled by a person; connecting it again does not undo that."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How an account is to be connected. `by_operator`: an administrator asks, who may move and revive seats.

    `risk_accepted`: the seat may serve people whom another seat serves already.
    """

    owner: Member | None
    host: str = "github.com"
    serves: str = Serves.OWNER
    label: str = ""
    by_operator: bool = False
    risk_accepted: bool = False


@dataclass(frozen=True, slots=True)
class Connected:
    """The seat, a sentence for the person who connected it, and a warning (empty if there is none)."""

    seat: Seat
    sentence: str
    warning: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: the seat as it is now, whether it can be used, and a line that says so."""

    seat: Seat
    well: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class _Findings:
    user: GitHubUser
    kind: SeatKind
    copilot: CopilotToken | None
    account: AccountState | None


async def connect(github: GitHub, token: str, wish: Wish, *, now: Callable[[], float] = time.time) -> Connected:
    """Ask GitHub about a token and keep it as a seat, new or refreshed.

    Raises BadRequest for a host or token that cannot be right, ForeignSeat or SwitchedOffSeat when the gateway
    does not want it, RiskNotAccepted when another seat serves the same people, TokenRefused when GitHub refuses it,
    and the transient errors of `bridge.errors`.
    """
    host = known_host(wish.host)
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise BadRequest("A GitHub token is one word of ASCII characters.")
    found = await _look_up(github, token, host, now)
    seat = await in_thread(_keep)(found, token, host, wish, now())
    warning = await in_thread(warning_for)(seat)
    return Connected(seat, _describe(seat), warning)


async def check(github: GitHub, seat: Seat, *, now: Callable[[], float] = time.time) -> Checked:
    """Ask GitHub how a seat is, keep what it says, and clear a state that no longer holds.

    A rest the upstream asked for is kept until its time is over; a seat switched off by a person is not asked about.
    """
    if seat.state == SeatState.DISABLED or seat.sign_in is None:
        return _report(seat)
    try:
        found = await _look_again(github, seat, seat.sign_in.reveal(), now)
    except TokenRefused as refusal:
        await in_thread(refuse_seat)(seat.pk, refusal)
    except RateLimited as fault:
        until = timezone.now() + timedelta(seconds=fault.retry_after or 60)
        await in_thread(seat.cool)(until, str(fault))
    except (BridgeError, VaultLocked) as fault:
        return Checked(seat, well=False, sentence=f"{seat.account}: {fault}")
    else:
        await in_thread(_refresh)(seat, found, now())
    await in_thread(seat.refresh_from_db)()
    return _report(seat)


def known_host(text: str) -> str:
    """Return the canonical name of a GitHub host; raises BadRequest with a sentence."""
    try:
        return normalise_host(text)
    except ValueError as fault:
        raise BadRequest(str(fault), param="host") from fault


async def _look_up(github: GitHub, token: str, host: str, now: Callable[[], float]) -> _Findings:
    origins = github.origins(host)
    user = await fetch_user(github.http, origins, github.profile, token)
    if token.startswith(_DIRECT_PREFIX):
        return _Findings(user, SeatKind.DIRECT, None, await _account(github, origins, token))
    copilot = await exchange(github.http, origins, github.profile, token, host=host, now=now)
    return _Findings(user, SeatKind.EXCHANGED, copilot, await _account(github, origins, token))


async def _look_again(github: GitHub, seat: Seat, secret: str, now: Callable[[], float]) -> _Findings:
    if seat.kind != SeatKind.APP:
        return await _look_up(github, secret, seat.host, now)
    app = AppCredential(seat.app_id, seat.installation_id or 0, secret)
    origins = github.origins(seat.host)
    where = await fetch_installation(github.http, origins, github.profile, app, now=now)
    token = await fetch_app_token(github.http, origins, github.profile, app, host=seat.host, now=now)
    return _Findings(GitHubUser(where.login, where.id), SeatKind.APP, token, None)


async def _account(github: GitHub, origins: Origins, token: str) -> AccountState | None:
    """Plan and allowances are worth having but no condition: some tokens may not ask for them."""
    try:
        return await fetch_account(github.http, origins, github.profile, token)
    except BridgeError:
        return None


def _keep(found: _Findings, token: str, host: str, wish: Wish, now: float) -> Seat:
    with transaction.atomic():
        seat = _existing(found.user, host) or Seat(host=host, github_id=found.user.id)
        _refuse_foreign(seat, wish)
        _refuse_risk(seat, wish)
        seat.login, seat.kind, seat.github_token = found.user.login, found.kind, token
        seat.owner, seat.serves = wish.owner, wish.serves
        seat.label = wish.label or seat.label
        seat.state, seat.state_reason, seat.state_until = SeatState.ACTIVE, "", None
        for name, value in _columns(found, now).items():
            setattr(seat, name, value)
        seat.save()
        _note_quota(seat, found.account, now)
        _judge_quota(seat, found.account)
    return seat


def _existing(user: GitHubUser, host: str) -> Seat | None:
    seats = Seat.objects.select_for_update().filter(host=host)
    known = seats.filter(github_id=user.id).first()
    namesake = seats.filter(Q(github_id=None) | ~Q(github_id=user.id), login__iexact=user.login).first()
    if namesake is not None and (known is not None or namesake.github_id is not None):
        # GitHub lets logins change hands; the older row must give the name up first.
        raise BadRequest(
            "Another GitHub account is connected here as %(account)s; change the login of that seat first.",
            {"account": namesake.account},
        )
    return known or namesake


def _refuse_foreign(seat: Seat, wish: Wish) -> None:
    if seat.pk is None or wish.by_operator:
        return
    if seat.owner_id != (wish.owner.pk if wish.owner else None):
        raise ForeignSeat("The account %(account)s is already connected by somebody else.", {"account": seat.account})
    if seat.state == SeatState.DISABLED:
        raise SwitchedOffSeat(
            "The seat %(account)s is switched off; an owner of this gateway can switch it on.",
            {"account": seat.account},
        )


def _refuse_risk(seat: Seat, wish: Wish) -> None:
    """A seat in service that goes on serving whom it serves was weighed when it came to that."""
    owner = wish.owner.pk if wish.owner else None
    serves_as_before = seat.pk is not None and (seat.owner_id, seat.serves) == (owner, wish.serves)
    if wish.risk_accepted or (serves_as_before and seat.state != SeatState.DISABLED):
        return
    teams = list(seat.teams.all()) if seat.pk else []
    refuse_unaccepted(wish.owner, wish.serves, teams, besides=seat.pk)


def _columns(found: _Findings, now: float) -> dict[str, Any]:
    columns: dict[str, Any] = {"github_id": found.user.id}
    if found.copilot is not None:
        columns |= token_columns(found.copilot)
    if found.account is not None:
        columns["plan"] = found.account.plan
        columns["sku"] = found.account.sku or columns.get("sku", "")
        columns["quota_asked_at"] = datetime.fromtimestamp(now, UTC)
    return columns


def _note_quota(seat: Seat, account: AccountState | None, now: float) -> None:
    if account is not None:
        note(seat.pk, quotas_of(account), now, QuotaSource.ACCOUNT)
        seat.refresh_from_db(fields=["quota", "quota_seen_at"])


def _refresh(seat: Seat, found: _Findings, now: float) -> None:
    Seat.objects.filter(pk=seat.pk).quiet_update(**_columns(found, now))
    _note_quota(seat, found.account, now)
    seat.refresh_from_db()
    if seat.state in _WAITING and not seat.is_rested and not _has_recovered(seat, found.account):
        return
    seat.revive()
    _judge_quota(seat, found.account)


def _has_recovered(seat: Seat, account: AccountState | None) -> bool:
    """Whether credits are back; a cooling seat has no such sign and waits for its time."""
    if seat.state != SeatState.EXHAUSTED or account is None:
        return False
    quota = governing_quota(account.quotas, free=account.free)
    return quota is not None and not quota.exhausted


def _judge_quota(seat: Seat, account: AccountState | None) -> None:
    quota = governing_quota(account.quotas, free=account.free) if account else None
    if account is None or quota is None or not quota.exhausted:
        return
    reset_at = quota.reset_at or account.reset_at
    until = datetime.fromtimestamp(reset_at, UTC) if reset_at else None
    seat.exhaust(_("GitHub says that the credits of this account are used up."), until)


def _describe(seat: Seat) -> str:
    whom = _("its owner") if seat.serves == Serves.OWNER else _("the team")
    sentence = _("The GitHub account %(account)s is connected and serves %(whom)s.") % {
        "account": seat.account,
        "whom": whom,
    }
    return sentence if seat.usable else f"{sentence} {seat.state_reason}"


def _report(seat: Seat) -> Checked:
    if seat.usable:
        plan = f" ({seat.plan})" if seat.plan else ""
        return Checked(seat, well=True, sentence=f"{seat.account}: {SeatState.ACTIVE.label}{plan}")
    until = f" until {seat.state_until:%Y-%m-%d %H:%M %Z}" if seat.state_until else ""
    reason = f": {seat.state_reason}" if seat.state_reason else ""
    return Checked(seat, well=False, sentence=f"{seat.account}: {seat.get_state_display()}{until}{reason}")
