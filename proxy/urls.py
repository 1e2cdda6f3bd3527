"""The URLs of the pages: everything that takes Django's whole stack with session, CSRF and languages."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from django.views.generic import RedirectView

from accounts.admin.explain_page import explain_page
from proxy.pages import device, explain, home, keys, language, signin, usage

urlpatterns = [
    path("", home.home, name="home"),
    path("signin", signin.SignIn.as_view(), name="signin"),
    path("signout", LogoutView.as_view(), name="signout"),
    path("password", signin.NewPassword.as_view(), name="password"),
    path("auth/device", device.page, name="device"),
    path("auth/device/start", device.start, name="device_start"),
    path("auth/device/status", device.status, name="device_status"),
    path("auth/device/accept", device.accept, name="device_accept"),
    path("auth/device/cancel", device.cancel, name="device_cancel"),
    path("me/keys", keys.page, name="keys"),
    path("me/usage", usage.usage, name="usage"),
    path("me/usage/export", usage.usage_file, name="usage_file"),
    path("me/requests", usage.requests, name="requests"),
    path("me/requests/export", usage.requests_file, name="requests_file"),
    path("me/requests/<uuid:number>", usage.one_request, name="request"),
    path("me/conversations/<int:number>", usage.conversation, name="conversation"),
    path("me/explain", explain.page, name="explain"),
    path("i18n/setlang", language.choose_language, name="set_language"),
    path("favicon.ico", RedirectView.as_view(url=f"/{settings.STATIC_URL.lstrip('/')}pages/mark.svg")),
    path("api/", include("accounts.api.urls")),
    path("admin/explain/", admin.site.admin_view(explain_page), name="console_explain"),
    path("admin/login/", signin.console_sign_in),
    path("admin/", admin.site.urls),
]

handler400 = "proxy.pages.faults.bad_request"
handler403 = "proxy.pages.faults.forbidden"
handler404 = "proxy.pages.faults.not_found"
handler500 = "proxy.pages.faults.server_error"
