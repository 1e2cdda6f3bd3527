"""The console's dry run: what would become of a request of any key or member, and why. Auditors may ask, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.asking import Question
from accounts.explained import matters, refusals
from accounts.models import Member

if TYPE_CHECKING:
    from django.http import HttpRequest


class ConsoleQuestion(Question):
    def __init__(self, asker: Member, *args: Any, **options: Any) -> None:
        super().__init__(asker, *args, about_all=True, **options)
        for name, field in self.fields.items():
            if name == "model":
                field.widget = UnfoldAdminTextInputWidget()
                continue
            choices = field.choices  # type: ignore[attr-defined] # all others are choices
            field.widget = UnfoldAdminSelectWidget(choices=choices)


@require_safe
def explain_page(request: HttpRequest) -> TemplateResponse:
    """Wrapped by the site's `admin_view` where its address is given: for people with a console alone."""
    if not isinstance(request.user, Member):
        raise PermissionDenied
    form = ConsoleQuestion(request.user, request.GET if "model" in request.GET else None)
    context = {**admin.site.each_context(request), "title": _("What would happen"), "form": form}
    if form.is_bound and form.is_valid():
        found = form.answer()
        context |= {"matters": matters(found), "refusals": refusals(found)}
    return TemplateResponse(request, "admin/accounts/explain.html", context)
