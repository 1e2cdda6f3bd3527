"""Who looks at a page, and whether a program or a person asks for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeAlias

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _

from accounts.models import Member

# What the address of a page says besides.
Address = ParamSpec("Address")
MemberView: TypeAlias = Callable[Concatenate[HttpRequest, Member, Address], HttpResponseBase]
View: TypeAlias = Callable[Concatenate[HttpRequest, Address], HttpResponseBase]


def signed_in(request: HttpRequest) -> Member | None:
    """Return the member who is signed in, if anybody is."""
    user = request.user
    return user if isinstance(user, Member) else None


def prefers_json(request: HttpRequest) -> bool:
    """Return whether a program asks: browsers name text/html, and `*/*` alone is no browser's wish."""
    return request.get_preferred_type(["application/json", "text/html"]) != "text/html"


def members_only(view: MemberView[Address]) -> View[Address]:
    """Return a view for members alone, never cached; others are sent to the sign-in page, programs get a 401."""

    @wraps(view)
    def door(request: HttpRequest, /, *args: Address.args, **kwargs: Address.kwargs) -> HttpResponseBase:
        response = _answer(request, *args, **kwargs)
        add_never_cache_headers(response)
        return response

    def _answer(request: HttpRequest, *args: Address.args, **kwargs: Address.kwargs) -> HttpResponseBase:
        member = signed_in(request)
        if member is not None:
            return view(request, member, *args, **kwargs)
        if prefers_json(request):
            return JsonResponse({"error": _("Sign in first."), "signin": reverse("signin")}, status=401)
        return redirect_to_login(request.get_full_path())

    return door
