"""Connecting a GitHub account by its device flow, as a state machine on the rows of DeviceLogin.

    pending ──granted──▶ connected
       ├──▶ denied      the person said no
       ├──▶ expired     the code ran out, by GitHub's word or by the clock
       ├──▶ failed      GitHub refuses the account, or the sign-in as a whole
       └──▶ replaced    the member started again

A granted account that would serve the same people as another seat waits, still pending, until the member has read
the warning and accepts the risk (`accept`), gives up, or lets the time run out.

`advance` may be called by any process and as often as anybody likes: GitHub is asked at most once per
interval, by whoever moves `next_poll_at` first. A fault on the road leaves the row pending; a token that
GitHub has granted is kept on the row until the account behind it could be looked at.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, assert_never

from django.db import transaction
from django.utils import timezone

from accounts.database import in_thread
from accounts.models import DeviceLogin, LoginFault, LoginState, Serves
from accounts.seats import ForeignSeat, SwitchedOffSeat, Wish, connect, known_host
from accounts.serving import RiskNotAccepted
from bridge.copilot.login import Denied, Expired, Failed, Granted, Pending, SlowDown, poll_login, start_login
from bridge.copilot.verdicts import TokenRefused
from bridge.errors import BridgeError, Busy, UpstreamFault

if TYPE_CHECKING:
    from accounts.github import GitHub
    from accounts.models import Member
    from bridge.copilot.login import DeviceCode, LoginAnswer

_SLOW_DOWN_SECONDS = 5
# GitHub counts the interval between arrivals; a question that travelled faster than the last one is no offence.
_MARGIN_SECONDS = 1
# How long an account that GitHub has approved waits for the member to accept the risk of it.
_TIME_TO_DECIDE = timedelta(minutes=15)


async def start(
    github: GitHub,
    member: Member,
    *,
    host: str = "github.com",
    serves: str = Serves.OWNER,
    label: str = "",
    risk_accepted: bool = False,
) -> DeviceLogin:
    """Ask GitHub for a code and remember it; an older attempt of this member for the host is replaced.

    `risk_accepted`: the seat may serve people whom another seat serves already.

    Raises BadRequest for an unknown host and the transient errors of `bridge.errors`.
    """
    name = known_host(host)
    code = await start_login(github.http, github.origins(name), github.profile)
    wish = Wish(member, name, serves, label, risk_accepted=risk_accepted)
    return await in_thread(_remember)(code, member, wish)


async def advance(github: GitHub, login: DeviceLogin, *, by_operator: bool = False) -> DeviceLogin:
    """Ask GitHub whether the code was approved, if it is time to, and return the row as it is now."""
    held = await in_thread(_claim)(login.pk)
    if held is None:
        return await in_thread(DeviceLogin.objects.select_related("seat", "member").get)(pk=login.pk)
    try:
        await _ask(github, held, by_operator)
    except (UpstreamFault, Busy) as fault:
        await in_thread(_note)(held, failure=LoginFault.UNREACHABLE, detail=str(fault))
    except RiskNotAccepted as fault:
        until = timezone.now() + _TIME_TO_DECIDE
        await in_thread(_note)(held, failure=LoginFault.RISK, detail=str(fault), expires_at=until)
    except BridgeError as fault:
        await in_thread(_finish)(held, LoginState.FAILED, failure=_kind_of(fault), detail=_words_of(fault))
    return await in_thread(DeviceLogin.objects.select_related("seat", "member").get)(pk=login.pk)


async def accept(login: DeviceLogin) -> None:
    """The member has read the warning and wants the second seat; the next `advance` connects it."""
    waiting = DeviceLogin.objects.filter(pk=login.pk, state=LoginState.PENDING, failure=LoginFault.RISK)
    await in_thread(waiting.update)(risk_accepted=True, failure="", detail="", next_poll_at=timezone.now())


async def cancel(login: DeviceLogin) -> None:
    """Give up an attempt that is still pending."""
    await in_thread(_finish)(login, LoginState.REPLACED)


async def _ask(github: GitHub, login: DeviceLogin, by_operator: bool) -> None:
    if login.granted_token is not None:
        await _connect(github, login, login.granted_token.reveal(), by_operator)
    elif login.device_code is not None:
        origins = github.origins(login.host)
        answer = await poll_login(github.http, origins, github.profile, login.device_code.reveal())
        await _act_on(answer, github, login, by_operator)


async def _act_on(answer: LoginAnswer, github: GitHub, login: DeviceLogin, by_operator: bool) -> None:
    match answer:
        case Granted(token):
            # GitHub gives the token once; it is kept before anything else can go wrong.
            await in_thread(_note)(login, granted_token=token, device_code=None)
            await _connect(github, login, token, by_operator)
        case Pending():
            await in_thread(_note)(login, failure="", detail="")
        case SlowDown(interval):
            await in_thread(_slow_down)(login, interval)
        case Expired():
            await in_thread(_finish)(login, LoginState.EXPIRED, failure="", detail="")
        case Denied():
            await in_thread(_finish)(login, LoginState.DENIED, failure="", detail="")
        case Failed(reason):
            await in_thread(_finish)(login, LoginState.FAILED, failure=LoginFault.REFUSED, detail=reason)
        case _:
            assert_never(answer)


async def _connect(github: GitHub, login: DeviceLogin, token: str, by_operator: bool) -> None:
    wish = Wish(login.member, login.host, login.serves, login.label, by_operator, login.risk_accepted)
    connected = await connect(github, token, wish)
    detail = f"{connected.sentence} {connected.warning}".strip()
    await in_thread(_finish)(login, LoginState.CONNECTED, seat=connected.seat, failure="", detail=detail)


def _remember(code: DeviceCode, member: Member, wish: Wish) -> DeviceLogin:
    now = timezone.now()
    with transaction.atomic():
        older = DeviceLogin.objects.filter(member=member, host=wish.host, state=LoginState.PENDING)
        older.update(state=LoginState.REPLACED, device_code=None, granted_token=None)
        return DeviceLogin.objects.create(
            member=member,
            host=wish.host,
            serves=wish.serves,
            label=wish.label,
            risk_accepted=wish.risk_accepted,
            device_code=code.device_code,
            user_code=code.user_code,
            verification_uri=code.verification_uri,
            interval=code.interval,
            expires_at=now + timedelta(seconds=code.expires_in),
            next_poll_at=now + _pause(code.interval),
        )


def _claim(pk: int) -> DeviceLogin | None:
    """Return the row if this caller is the one to ask GitHub now."""
    login = DeviceLogin.objects.select_related("member").get(pk=pk)
    now = timezone.now()
    if not login.is_pending:
        return None
    if login.expires_at <= now and (login.granted_token is None or login.awaits_confirmation):
        _finish(login, LoginState.EXPIRED, failure=login.failure if login.awaits_confirmation else "", detail="")
        return None
    if login.next_poll_at > now or login.awaits_confirmation:
        return None
    asked = DeviceLogin.objects.filter(pk=pk, state=LoginState.PENDING, next_poll_at=login.next_poll_at)
    return login if asked.update(next_poll_at=now + _pause(login.interval)) else None


def _note(login: DeviceLogin, **columns: Any) -> None:
    DeviceLogin.objects.filter(pk=login.pk, state=LoginState.PENDING).update(**columns)


def _slow_down(login: DeviceLogin, interval: int | None) -> None:
    wait = max(interval or 0, login.interval + (_SLOW_DOWN_SECONDS if interval is None else 0))
    _note(login, interval=wait, next_poll_at=timezone.now() + _pause(wait))


def _finish(login: DeviceLogin, state: LoginState, **columns: Any) -> None:
    _note(login, state=state, device_code=None, granted_token=None, **columns)


def _pause(interval: int) -> timedelta:
    return timedelta(seconds=interval + _MARGIN_SECONDS)


def _kind_of(fault: BridgeError) -> LoginFault:
    match fault:
        case TokenRefused(state=state):
            return LoginFault(state.value)
        case ForeignSeat():
            return LoginFault.FOREIGN
        case SwitchedOffSeat():
            return LoginFault.SWITCHED_OFF
        case _:
            return LoginFault.REFUSED


def _words_of(fault: BridgeError) -> str:
    """GitHub's own words where it said any."""
    return (fault.detail if isinstance(fault, TokenRefused) else "") or str(fault)
