"""The URLs of the pages: everything that takes Django's whole stack with session, CSRF and languages."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import path
from django.views.generic import RedirectView

from proxy.pages import device, home, keys, language, signin

urlpatterns = [
    path("", home.home, name="home"),
    path("signin", signin.SignIn.as_view(), name="signin"),
    path("signout", LogoutView.as_view(), name="signout"),
    path("password", signin.NewPassword.as_view(), name="password"),
    path("auth/device", device.page, name="device"),
    path("auth/device/start", device.start, name="device_start"),
    path("auth/device/status", device.status, name="device_status"),
    path("auth/device/cancel", device.cancel, name="device_cancel"),
    path("me/keys", keys.page, name="keys"),
    path("i18n/setlang", language.choose_language, name="set_language"),
    path("favicon.ico", RedirectView.as_view(url=f"/{settings.STATIC_URL.lstrip('/')}pages/mark.svg")),
    path("admin/login/", signin.console_sign_in),
    path("admin/", admin.site.urls),
]

handler400 = "proxy.pages.faults.bad_request"
handler403 = "proxy.pages.faults.forbidden"
handler404 = "proxy.pages.faults.not_found"
handler500 = "proxy.pages.faults.server_error"
