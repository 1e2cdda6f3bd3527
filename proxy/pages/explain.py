"""The portal's dry run: what would become of a request with one of the member's own keys, and why."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.asking import Question
from accounts.explained import matters, refusals
from accounts.models import Member
from proxy.pages.visitors import members_only


@require_safe
@members_only
def page(request: HttpRequest, member: Member) -> HttpResponse:
    form = Question(member, request.GET if "model" in request.GET else None)
    context: dict[str, object] = {"form": form}
    if form.is_bound and form.is_valid():
        found = form.answer()
        context |= {"matters": matters(found), "refusals": refusals(found)}
    return render(request, "pages/explain.html", context)
