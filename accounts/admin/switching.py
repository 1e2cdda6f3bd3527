"""Rows that are switched on and off: budgets, prices, model routes. The buttons, the actions and what they ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django.utils.translation import gettext_lazy as _

from accounts.admin.columns import button, many
from accounts.admin.errand import Errand
from accounts.admin.rows import ConsoleAdmin

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.functional import _StrOrPromise


def _switch(row: Any, *, on: bool) -> bool:
    if row.active == on:
        return False
    row.active = on
    row.save(update_fields=["active"])
    return True


@dataclass(frozen=True, slots=True)
class Switch:
    """What follows from switching a row on and off, each in a sentence."""

    on: _StrOrPromise
    off: _StrOrPromise

    def errand(self, *, on: bool) -> Errand[Any]:
        if on:
            return Errand(
                title=_("Switch on"),
                question=self.on,
                act=lambda row: _switch(row, on=True),
                done=_("%(row)s is on."),
                unchanged=_("%(row)s was on before."),
                changed="active",
            )
        return Errand(
            title=_("Switch off"),
            question=self.off,
            act=lambda row: _switch(row, on=False),
            done=_("%(row)s is off."),
            unchanged=_("%(row)s was off before."),
            changed="active",
        )


class SwitchedAdmin(ConsoleAdmin):
    """Of a model with a column `active`."""

    switch: ClassVar[Switch]
    actions = ("switch_on_many", "switch_off_many")
    actions_detail = ("switch_on_one", "switch_off_one")
    # Unfold's empty default is all that its type allows.
    add_fieldsets: Any = ()

    @many(_("Switch on"))
    def switch_on_many(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return self.on_many(request, queryset, self.switch.errand(on=True))

    @many(_("Switch off"))
    def switch_off_many(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        return self.on_many(request, queryset, self.switch.errand(on=False))

    @button(_("Switch on"), icon="toggle_on")
    def switch_on_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, object_id, self.switch.errand(on=True))

    @button(_("Switch off"), icon="toggle_off")
    def switch_off_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.on_one(request, object_id, self.switch.errand(on=False))
