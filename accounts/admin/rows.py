"""What the lists and pages of all models share: manners of a list, who may do what, acts on one row or many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin import ShowFacets
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect
from unfold.admin import ModelAdmin, TabularInline

from accounts.admin.errand import Errand, ask, carry_out, is_confirmed

if TYPE_CHECKING:
    from django.db.models import Field, Model, QuerySet
    from django.http import HttpRequest, HttpResponse
    from unfold.dataclasses import UnfoldAction


class ConsoleAdmin(ModelAdmin):
    """Rows are not deleted here unless a class says so: the ledger names them, so they are deactivated."""

    list_per_page = 50
    list_filter_submit = True
    list_fullwidth = True
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    warn_unsaved_form = True
    # Unfold's empty defaults are all that their types allow.
    actions_detail: Any = ()
    actions_list: Any = ()
    add_fieldsets: Any = ()
    list_before_template: Any = None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **options: Any) -> Any:
        """Related rows are chosen here and made on their own pages, which know what to ask and to show."""
        field: Any = super().formfield_for_dbfield(db_field, request, **options)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget.can_add_related = field.widget.can_delete_related = False
            field.widget.can_change_related = field.widget.can_view_related = False
        return field

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """Write the columns of the form only: the others may have been changed by a process since the page was read."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        columns = {field.name for field in obj._meta.concrete_fields}
        obj.save(update_fields=[name for name in form.cleaned_data if name in columns])

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[UnfoldAction]:
        """No button on a row that this person may not change."""
        row = self.get_object(request, str(object_id))
        if row is None or not self.has_change_permission(request, row):
            return []
        offered: list[UnfoldAction] = super().get_actions_detail(request, object_id)
        return offered

    def row(self, request: HttpRequest, object_id: str) -> Any:
        """Return the row of an address; raise what the page of the row itself would."""
        found = self.get_object(request, object_id)
        if found is None:
            raise Http404
        if not self.has_change_permission(request, found):
            raise PermissionDenied
        return found

    def on_one(self, request: HttpRequest, object_id: str, errand: Errand[Any]) -> HttpResponse:
        """Run an errand for the button on a row's page."""
        row = self.row(request, object_id)
        if not is_confirmed(request):
            return self._ask(request, [row], errand)
        carry_out(self, request, [row], errand)
        return self.page_of(row)

    def on_many(self, request: HttpRequest, queryset: QuerySet[Any], errand: Errand[Any]) -> HttpResponse | None:
        """Run an errand for the ticked rows; rows that this person may not change are left out."""
        rows = [row for row in queryset if self.has_change_permission(request, row)]
        if not is_confirmed(request):
            return self._ask(request, rows, errand)
        carry_out(self, request, rows, errand)
        return None

    def page_of(self, row: Model) -> HttpResponse:
        opts = self.model._meta
        return redirect(f"{self.admin_site.name}:{opts.app_label}_{opts.model_name}_change", row.pk)

    def _ask(self, request: HttpRequest, rows: list[Any], errand: Errand[Any]) -> HttpResponse:
        warnings = [warning for row in rows if (warning := errand.warn(row))]
        question, danger = errand.question, errand.danger
        return ask(self, request, rows, title=errand.title, question=question, danger=danger, warnings=warnings)


class ReadOnlyAdmin(ConsoleAdmin):
    """Rows that processes write and people only look at; they have no history of changes by people."""

    actions_list: Any = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        raise Http404

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {**(extra_context or {}), "show_history": False}
        page: HttpResponse = super().change_view(request, object_id, form_url, context)
        return page


class ReadOnlyInline(TabularInline):
    """Rows that belong to the page's row and that processes write."""

    extra = 0
    can_delete = False
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
