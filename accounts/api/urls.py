"""The addresses of the management API, all beneath /api/ and all with a slash at the end."""

from __future__ import annotations

from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from accounts.api.budgets import Budgets, Periods, Warnings
from accounts.api.explain import Explain
from accounts.api.keys import Keys
from accounts.api.observations import Corrections, Instances, Readings, Reconciliations, Trail
from accounts.api.people import Members, Teams
from accounts.api.reports import ExportedReport, ExportedUsage, Reports
from accounts.api.routes import Prices, Routes
from accounts.api.schema import Contents, Docs, Nothing, Schema
from accounts.api.seats import Seats
from accounts.api.usage import Conversations, Usage, UsageDays

_RESOURCES = {
    "members": Members,
    "teams": Teams,
    "keys": Keys,
    "seats": Seats,
    "routes": Routes,
    "prices": Prices,
    "budgets": Budgets,
    "budget-periods": Periods,
    "warnings": Warnings,
    "usage": Usage,
    "usage-days": UsageDays,
    "conversations": Conversations,
    "readings": Readings,
    "reconciliations": Reconciliations,
    "corrections": Corrections,
    "trail": Trail,
    "instances": Instances,
}
_VIEWS = {"reports": Reports, "explain": Explain, "schema": Schema, "docs": Docs}

_router = SimpleRouter()
for _name, _resource in _RESOURCES.items():
    _router.register(_name, _resource, basename=f"api-{_name}")

_CONTENTS = (*(f"{name}-list" for name in _RESOURCES), *_VIEWS)

urlpatterns = [
    path("", Contents.as_view(names=_CONTENTS), name="api-contents"),
    path("usage/export/", ExportedUsage.as_view(), name="api-usage-export"),
    path("reports/export/", ExportedReport.as_view(), name="api-reports-export"),
    *(path(f"{name}/", view.as_view(), name=f"api-{name}") for name, view in _VIEWS.items()),
    path("", include(_router.urls)),
    re_path(r"^(?P<rest>.*)$", Nothing.as_view(), name="api-nothing"),
]
