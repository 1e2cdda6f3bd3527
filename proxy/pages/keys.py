"""The member's API keys: which there are, how long they live and when they were last used."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import ApiKey, Member
from proxy.pages.visitors import members_only


@require_safe
@members_only
def page(request: HttpRequest, member: Member) -> HttpResponse:
    """Show live keys first; those that have ended stay listed, because the usage records name them."""
    keys = sorted(ApiKey.objects.filter(member=member), key=lambda key: not key.is_live)
    return render(request, "pages/keys.html", {"keys": keys})
