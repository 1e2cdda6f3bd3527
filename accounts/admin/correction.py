"""Corrections in the console: the page that makes one, and the list of all that were made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RelatedDropdownFilter

from accounts.admin.columns import NOTHING, column, moment
from accounts.admin.correction_form import REASON, CorrectionForm, column_title
from accounts.admin.errand import is_confirmed
from accounts.admin.rows import ReadOnlyAdmin
from accounts.corrections import correct
from accounts.models import Correction, Member, UsageRecord

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

    from accounts.admin.rows import ConsoleAdmin


def correction_page(console: ConsoleAdmin, request: HttpRequest, record: UsageRecord) -> HttpResponse:
    """Ask what shall change, show it once more, and do it when that is confirmed."""
    member = request.user
    if not isinstance(member, Member):
        raise PermissionDenied
    if record.is_open:
        messages.error(request, gettext("This request is still open; it can be corrected when it has ended."))
        return console.page_of(record)
    form = CorrectionForm(record, request.POST if request.method == "POST" else None)
    is_asked = form.is_bound and form.is_valid() and "back" not in request.POST
    if is_asked and is_confirmed(request):
        try:
            kept = correct(record.pk, form.proposed, form.cleaned_data[REASON], member)
        except ValidationError as refusal:
            messages.error(request, " ".join(refusal.messages))
        else:
            count = len(kept)
            told = ngettext("%(count)d column is corrected.", "%(count)d columns are corrected.", count)
            messages.success(request, told % {"count": count})
        return console.page_of(record)
    context = {
        **console.admin_site.each_context(request),
        "model_admin": console,
        "title": gettext("Correct request %(id)s") % {"id": record.pk},
        "form": form,
        "lines": list(form.lines()) if is_asked else [],
        "page_of_record": reverse(f"{console.admin_site.name}:accounts_usagerecord_change", args=[record.pk]),
    }
    return TemplateResponse(request, "admin/accounts/correct.html", context)


def corrections_of(record: UsageRecord) -> str | SafeString:
    """Return the corrections of a request, the latest first, as a list."""
    kept = Correction.objects.filter(record=record.pk).order_by("-at", "-id")
    lines = format_html_join(
        "",
        "<li>{} · {} · {}: {} → {} · {}</li>",
        (
            (moment(line.at), line.by_name, column_title(line.column), line.old or NOTHING, line.new or NOTHING,
             line.reason)
            for line in kept
        ),
    )  # fmt: skip
    return format_html("<ul>{}</ul>", lines) if lines else NOTHING


@admin.register(Correction)
class CorrectionAdmin(ReadOnlyAdmin):
    list_display = ("moment_of", "request_link", "title_of", "old", "new", "by_name", "reason")
    list_filter = (("by", RelatedDropdownFilter),)
    search_fields = ("by_name", "reason", "column")
    search_help_text = _("By whom, reason or column")
    date_hierarchy = "at"
    fields = ("moment_of", "request_link", "title_of", "old", "new", "by_name", "reason")
    readonly_fields = ("moment_of", "request_link", "title_of")

    @column(_("at"), sorted_by="at")
    def moment_of(self, correction: Correction) -> str:
        return moment(correction.at)

    @column(_("request id"), sorted_by="record")
    def request_link(self, correction: Correction) -> SafeString:
        page = reverse(f"{self.admin_site.name}:accounts_usagerecord_change", args=[correction.record])
        return format_html('<a href="{}">{}</a>', page, correction.record)

    @column(_("column"), sorted_by="column")
    def title_of(self, correction: Correction) -> str:
        return column_title(correction.column)
