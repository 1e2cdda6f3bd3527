"""Acts of the console: asked about on a page of their own, then carried out row by row by one verb of the model.

The same errand serves the button on one row's page and the action on many rows of a list. A visit by GET, and a
list's first POST, only ask; the page that asks posts `confirmed=yes` to the same address. Nothing changes on GET.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.template.response import TemplateResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.contrib.admin import ModelAdmin
    from django.forms import Form
    from django.http import HttpRequest
    from django.utils.functional import _StrOrPromise

Row = TypeVar("Row", bound=Model)


def _nothing_to_warn_of(_row: Model) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Errand(Generic[Row]):
    """`act` does it and returns False when there was nothing to do; a ValidationError is the row's refusal.

    `done` is a sentence about one row, with %(row)s; `changed` is the column that the history names; `warn` returns
    what the page that asks says about a row, or nothing.
    """

    title: _StrOrPromise
    question: _StrOrPromise
    act: Callable[[Row], object]
    done: _StrOrPromise
    unchanged: _StrOrPromise
    changed: str
    danger: bool = False
    warn: Callable[[Row], str] = _nothing_to_warn_of


def is_confirmed(request: HttpRequest) -> bool:
    return request.method == "POST" and request.POST.get("confirmed") == "yes"


def ask(
    admin: ModelAdmin[Any],
    request: HttpRequest,
    rows: Sequence[Model],
    *,
    title: _StrOrPromise,
    question: _StrOrPromise,
    danger: bool = False,
    form: Form | None = None,
    warnings: Sequence[str] = (),
) -> TemplateResponse:
    """Return the page that asks; its form posts back what it was asked with."""
    opts = admin.model._meta
    context = {
        **admin.admin_site.each_context(request),
        "model_admin": admin,
        "title": title,
        "question": question,
        "rows": rows,
        "warnings": warnings,
        "danger": danger,
        "form": form,
        "action": request.POST.get("action", ""),
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "back": f"{admin.admin_site.name}:{opts.app_label}_{opts.model_name}_changelist",
    }
    return TemplateResponse(request, "admin/accounts/confirm.html", context)


def carry_out(admin: ModelAdmin[Any], request: HttpRequest, rows: Sequence[Row], errand: Errand[Row]) -> None:
    """Do it to each row, write the history and say what happened."""
    for row in rows:
        values = {"row": str(row)}
        try:
            has_changed = errand.act(row) is not False
        except ValidationError as refusal:
            for sentence in refusal.messages:
                messages.error(request, sentence)
            continue
        if has_changed:
            admin.log_change(request, row, [{"changed": {"fields": [errand.changed]}}])
            messages.success(request, errand.done % values)
        else:
            messages.info(request, errand.unchanged % values)
