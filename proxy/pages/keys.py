"""The member's API keys: which there are and what they may do; issue, replace and revoke one's own.

A key's text exists for the one answer that follows its making; it is in no session, message or address.
"""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import ApiKey, Member
from proxy.pages.key_forms import IssueForm, RotateForm
from proxy.pages.visitors import members_only


@require_http_methods(["GET", "HEAD", "POST"])
@members_only
def page(request: HttpRequest, member: Member) -> HttpResponse:
    """Show live keys first; those that have ended stay listed, because the usage records name them.

    A POST names its `act`: `issue`, `rotate` or `revoke`, the latter two with the id of the `key`.
    """
    if request.method != "POST":
        return _list(request, member, IssueForm(member))
    match request.POST.get("act"):
        case "issue":
            return _issue(request, member)
        case "rotate":
            return _rotate(request, _own_key(request, member))
        case "revoke":
            return _revoke(request, _own_key(request, member))
        case _:
            raise Http404


def _issue(request: HttpRequest, member: Member) -> HttpResponse:
    form = IssueForm(member, request.POST)
    if not form.is_valid():
        return _list(request, member, form, status=422)
    key, text = form.issue()
    return render(request, "pages/key_shown.html", {"key": key, "text": text})


def _rotate(request: HttpRequest, key: ApiKey) -> HttpResponse:
    form = RotateForm(request.POST)
    if not form.is_valid():
        raise Http404
    try:
        successor, text = key.rotate(form.overlap_time)
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
        return redirect("keys")
    return render(request, "pages/key_shown.html", {"key": successor, "text": text, "former": key})


def _revoke(request: HttpRequest, key: ApiKey) -> HttpResponse:
    key.revoke()
    messages.success(request, _("%(key)s is revoked.") % {"key": key})
    return redirect("keys")


def _own_key(request: HttpRequest, member: Member) -> ApiKey:
    """The key that the form names, if it is the member's: others do not exist here."""
    number = request.POST.get("key", "")
    is_id = number.isascii() and number.isdecimal() and len(number) < 19
    key = ApiKey.objects.filter(member=member, pk=int(number)).first() if is_id else None
    if key is None:
        raise Http404
    return key


def _list(request: HttpRequest, member: Member, form: IssueForm, status: int = 200) -> HttpResponse:
    keys = sorted(ApiKey.objects.filter(member=member), key=lambda key: not key.is_live)
    team = member.team if member.team is not None and member.team.active else None
    return render(request, "pages/keys.html", {"keys": keys, "form": form, "team": team}, status=status)
