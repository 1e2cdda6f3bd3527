"""Choosing the language of the pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from accounts.models import Language, Member
from proxy.pages.visitors import signed_in


@require_POST
def choose_language(request: HttpRequest) -> HttpResponseBase:
    """Remember the language in a cookie and, for a member, in the account, where it counts on every device."""
    member, language = signed_in(request), request.POST.get("language", "")
    if member is not None and language in Language.values and member.language != language:
        Member.objects.filter(pk=member.pk).update(language=language)
    return set_language(request)
