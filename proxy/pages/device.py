"""Connecting a GitHub account by its device flow: the page, its start, its live state and its cancelling.

The page shows the member's latest attempt, so a reload keeps the code that is running. The browser asks for the state;
GitHub is asked by the server, at most once per interval however many windows are open. What GitHub hands out besides
the short code stays on the server.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Final

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from accounts import signin
from accounts.github import open_github
from accounts.models import DeviceLogin, LoginState, Member
from bridge.errors import BridgeError
from proxy.pages.connect_form import ConnectForm, seats_of
from proxy.pages.login_words import confirmation_of, outcome_of, pending_notice
from proxy.pages.seat_words import describe_all
from proxy.pages.visitors import members_only, prefers_json

# How long the end of an attempt is shown when the page is opened again.
REMEMBERED: Final = timedelta(minutes=30)
SHORTEST_PAUSE_SECONDS: Final = 1.0


@require_safe
@members_only
def page(request: HttpRequest, member: Member) -> HttpResponse:
    return _page(request, member, ConnectForm(member))


# A GET comes from a reload after a refused form or from the sign-in page; the page itself is meant.
@require_http_methods(["GET", "POST"])
@members_only
def start(request: HttpRequest, member: Member) -> HttpResponse:
    """Ask GitHub for a code and show it; a fault is shown above the form."""
    if request.method == "GET":
        return redirect("device")
    form = ConnectForm(member, request.POST)
    if not form.is_valid():
        return _page(request, member, form, status=422)
    try:
        async_to_sync(_start)(member, form)
    except BridgeError:
        form.add_error(None, _("GitHub cannot be reached just now. Try again in a minute."))
        return _page(request, member, form, status=503)
    return redirect("device")


@require_GET
@members_only
def status(request: HttpRequest, member: Member) -> HttpResponseBase:
    """Return the state of the latest attempt as JSON; a browser without scripts is sent back to the page."""
    login = _advanced(_latest(member))
    if not prefers_json(request):
        return redirect("device")
    if login is None:
        return JsonResponse({"state": "none"})
    if login.awaits_confirmation:
        return JsonResponse(_named(login) | {"confirm": True})
    if login.is_pending:
        return JsonResponse(_named(login) | {"notice": pending_notice(login), **_times(login)})
    return JsonResponse(_named(login) | {"panel": _outcome_panel(request, login)})


@require_POST
@members_only
def accept(request: HttpRequest, member: Member) -> HttpResponse:
    """The member has read the warning and wants the second account connected."""
    login = _latest(member)
    if login is not None and login.awaits_confirmation:
        async_to_sync(signin.accept)(login)
        _advanced(_latest(member))
    return redirect("device")


@require_POST
@members_only
def cancel(request: HttpRequest, member: Member) -> HttpResponse:
    """Give up the attempt that is running."""
    login = _latest(member)
    if login is not None and login.is_pending:
        async_to_sync(signin.cancel)(login)
    return redirect("device")


def _page(request: HttpRequest, member: Member, form: ConnectForm, *, status: int = 200) -> HttpResponse:
    login = _latest(member)
    if login is not None and login.expires_at <= timezone.now():
        login = _advanced(login)
    context: dict[str, Any] = {
        "form": form,
        "login": login if login is not None and login.is_pending else None,
        "seats": describe_all(seats_of(member)),
    }
    if login is not None and login.awaits_confirmation:
        context |= {"login": None, "warning": confirmation_of(login)}
    elif login is not None and login.is_pending:
        context |= {"notice": pending_notice(login), "minutes": -(-_times(login)["expires_in"] // 60), **_times(login)}
    elif login is not None and login.created_at > timezone.now() - REMEMBERED and not form.is_bound:
        context["outcome"] = outcome_of(login)
    return render(request, "pages/device.html", context, status=status)


def _latest(member: Member) -> DeviceLogin | None:
    logins = DeviceLogin.objects.filter(member=member).exclude(state=LoginState.REPLACED)
    return logins.select_related("seat", "member").first()


def _advanced(login: DeviceLogin | None) -> DeviceLogin | None:
    """Move a pending login on if it is time to ask GitHub, or to give up."""
    now = timezone.now()
    if login is None or not login.is_pending or min(login.next_poll_at, login.expires_at) > now:
        return login
    return async_to_sync(_advance)(login)


async def _start(member: Member, form: ConnectForm) -> DeviceLogin:
    async with open_github() as github:
        return await signin.start(
            github, member, host=form.host, serves=form.cleaned_data["serves"], risk_accepted=form.accepts_risk
        )


async def _advance(login: DeviceLogin) -> DeviceLogin:
    """Ask GitHub to the end: a browser that leaves must not lose the token GitHub gives once."""
    asking = asyncio.ensure_future(_ask(login))
    try:
        return await asyncio.shield(asking)
    except asyncio.CancelledError:
        await asking
        raise


async def _ask(login: DeviceLogin) -> DeviceLogin:
    async with open_github() as github:
        return await signin.advance(github, login)


def _named(login: DeviceLogin) -> dict[str, Any]:
    """Return which attempt this is: a window that shows another one loads its page again."""
    return {"login": login.pk, "state": login.state}


def _times(login: DeviceLogin) -> dict[str, int]:
    """Return the seconds until the code expires and until asking again makes sense."""
    now = timezone.now()
    pause = (login.next_poll_at - now).total_seconds()
    return {
        "expires_in": max(0, round((login.expires_at - now).total_seconds())),
        "poll_in_ms": round(1000 * max(pause + 0.1, SHORTEST_PAUSE_SECONDS)),
    }


def _outcome_panel(request: HttpRequest, login: DeviceLogin) -> str:
    return render_to_string("pages/device_outcome.html", {"outcome": outcome_of(login)}, request=request)
