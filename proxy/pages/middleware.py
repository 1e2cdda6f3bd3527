"""What a signed-in member's account decides on every page: language, time zone, and a password due for change."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Member
from proxy.pages.visitors import prefers_json

# Needed to get the password changed, or to leave.
OPEN_ROOMS = ("password", "signout", "set_language")


class _MemberMiddleware(ABC):
    """Middleware for both kinds of handler; `before` may answer in the view's place.

    The member is loaded here, off the event loop, so that views and templates find it ready.
    """

    sync_capable: ClassVar[bool] = True
    async_capable: ClassVar[bool] = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._later(request)
        return self.before(request) or self.get_response(request)

    async def _later(self, request: HttpRequest) -> HttpResponseBase:
        request.user = await request.auser()
        response = self.before(request) or self.get_response(request)
        return response if isinstance(response, HttpResponseBase) else await response

    @abstractmethod
    def before(self, request: HttpRequest) -> HttpResponse | None:
        """Return the answer that takes the view's place, or None."""


class MemberPreferences(_MemberMiddleware):
    """The member's own language and time zone win over the browser's and the installation's."""

    def before(self, request: HttpRequest) -> HttpResponse | None:
        timezone.deactivate()
        member = request.user
        if isinstance(member, Member):
            _speak(request, member.language)
            _set_clock(member.time_zone)
        return None


class PasswordChange(_MemberMiddleware):
    """Members who got their password from somebody else see nothing before they have changed it."""

    def before(self, request: HttpRequest) -> HttpResponse | None:
        member = request.user
        if not isinstance(member, Member) or not member.must_change_password:
            return None
        if request.path in {reverse(name) for name in OPEN_ROOMS}:
            return None
        if prefers_json(request):
            return JsonResponse({"error": _("Change your password first."), "page": reverse("password")}, status=403)
        return redirect("password")


def _speak(request: HttpRequest, language: str) -> None:
    if language in dict(settings.LANGUAGES):
        translation.activate(language)
        request.LANGUAGE_CODE = language


def _set_clock(name: str) -> None:
    if not name:
        return
    try:
        timezone.activate(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # The name was checked when it was set; the time zone database of this machine may know less.
        timezone.deactivate()
