"""What the console looks like: its name, its side menu, its own style sheet and script."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from django.utils.functional import _StrPromise


def _style_sheet(_request: HttpRequest) -> str:
    return static("console/console.css")


def _script(_request: HttpRequest) -> str:
    return static("console/console.js")


def _may_view(model: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(f"accounts.view_{model}")


def _list_of(model: str, title: _StrPromise, icon: str) -> dict[str, Any]:
    link = reverse_lazy(f"admin:accounts_{model}_changelist")
    return {"title": title, "icon": icon, "link": link, "permission": _may_view(model)}


def _page_of(model: str, page: str, title: _StrPromise, icon: str) -> dict[str, Any]:
    link = reverse_lazy(f"admin:accounts_{model}_{page}")
    return {"title": title, "icon": icon, "link": link, "permission": _may_view(model)}


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": _("Copilot Bridge"),
    "SITE_HEADER": _("Copilot Bridge"),
    "SITE_SUBHEADER": _("Console"),
    "SITE_SYMBOL": "hub",
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "8px",
    "DASHBOARD_CALLBACK": "accounts.admin.dashboard.front_page",
    "ACCOUNT": {"navigation": [{"title": _("Change password"), "link": reverse_lazy("password")}]},
    "STYLES": [_style_sheet],
    "SCRIPTS": [_script],
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.604)",
            "100": "oklch(93.2% .032 255.585)",
            "200": "oklch(88.2% .059 254.128)",
            "300": "oklch(80.9% .105 251.813)",
            "400": "oklch(70.7% .165 254.624)",
            "500": "oklch(62.3% .214 259.815)",
            "600": "oklch(54.6% .245 262.881)",
            "700": "oklch(48.8% .243 264.376)",
            "800": "oklch(42.4% .199 265.638)",
            "900": "oklch(37.9% .146 265.522)",
            "950": "oklch(28.2% .091 267.935)",
        }
    },
    "SIDEBAR": {
        "show_search": False,
        "command_search": True,
        "show_all_applications": False,
        "navigation": [
            {"items": [{"title": _("Overview"), "icon": "space_dashboard", "link": reverse_lazy("admin:index")}]},
            {
                "title": _("Usage"),
                "separator": True,
                "items": [
                    _list_of("usagerecord", _("Requests"), "receipt_long"),
                    _list_of("usageday", _("Reports"), "bar_chart"),
                    _list_of("usagesession", _("Conversations"), "forum"),
                    _page_of("usageday", "attention", _("Seats and members"), "notification_important"),
                ],
            },
            {
                "title": _("Money"),
                "separator": True,
                "items": [
                    _list_of("budget", _("Budgets"), "savings"),
                    _list_of("budgetwarning", _("Budget warnings"), "warning"),
                    _list_of("price", _("Prices"), "sell"),
                    _list_of("reconciliation", _("Reconciliations"), "balance"),
                    _list_of("correction", _("Corrections"), "edit_note"),
                    _page_of("usageday", "proof", _("Proof"), "verified"),
                ],
            },
            {
                "title": _("People"),
                "separator": True,
                "items": [
                    _list_of("member", _("Members"), "person"),
                    _list_of("team", _("Teams"), "group"),
                    _list_of("apikey", _("API keys"), "key"),
                ],
            },
            {
                "title": _("GitHub Copilot"),
                "separator": True,
                "items": [
                    _list_of("seat", _("Seats"), "badge"),
                    _list_of("modelroute", _("Model routes"), "alt_route"),
                    {"title": _("What would happen"), "icon": "quiz", "link": reverse_lazy("console_explain")},
                    _list_of("cataloguecopy", _("Model lists"), "list_alt"),
                ],
            },
            {
                "title": _("Operation"),
                "separator": True,
                "items": [
                    _list_of("storedreply", _("Stored replies"), "inventory_2"),
                    _list_of("devicelogin", _("Device logins"), "devices"),
                    _list_of("instance", _("Instances"), "dns"),
                    _list_of("trailentry", _("Trail"), "history"),
                ],
            },
        ],
    },
}
