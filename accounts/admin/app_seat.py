"""Adding an organisation's GitHub App as a seat in the console. Experimental, and the page says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.app_seat_form import AppSeatForm
from accounts.admin.columns import button
from accounts.admin.reconciliation import ReconcilingAdmin
from accounts.app_seats import EXPERIMENTAL, AppWish, connect_app
from accounts.github import open_github
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.seats import Connected


async def _connect(wish: AppWish) -> Connected:
    async with open_github() as github:
        return await connect_app(github, wish)


class AppSeatAdmin(ReconcilingAdmin):
    """What the console of seats has for apps: the page that adds one."""

    # Unfold's empty defaults are all that their types allow.
    actions_detail: Any = ()
    actions_list: Any = ()
    list_before_template: Any = None

    def has_add_app_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.add_seat")

    @button(_("Add an organisation's app"), icon="smart_toy", permission="add_app")
    def add_app(self, request: HttpRequest) -> HttpResponse:
        form = AppSeatForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                connected = async_to_sync(_connect)(form.wish)
            except BridgeError as fault:
                form.add_error(None, gettext(fault.text) % fault.params if fault.params else gettext(fault.text))
            else:
                self.log_addition(request, connected.seat, [{"added": {}}])
                messages.success(request, connected.sentence)
                return self.page_of(connected.seat)
        context = {
            **self.admin_site.each_context(request),
            "model_admin": self,
            "title": gettext("Add an organisation's app"),
            "form": form,
            "experimental": EXPERIMENTAL,
            "list_url": reverse(f"{self.admin_site.name}:accounts_seat_changelist"),
        }
        return TemplateResponse(request, "admin/accounts/add_app.html", context)
