"""Signing in and out, and changing the password."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import LoginView, PasswordChangeView, redirect_to_login
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _

from proxy.pages.visitors import signed_in


class SignIn(LoginView):
    template_name = "pages/signin.html"
    redirect_authenticated_user = True


class NewPasswordForm(PasswordChangeForm):
    """A new password that is not the old one again: the old one may be known to whoever made the account."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        old, new = cleaned.get("old_password"), cleaned.get("new_password1")
        if old and old == new:
            self.add_error("new_password1", ValidationError(_("This is the old password. Choose another one.")))
        return cleaned


class NewPassword(PasswordChangeView):
    template_name = "pages/password.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("home")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        form.user.must_change_password = False
        response = super().form_valid(form)
        messages.success(self.request, _("Your password is changed."))
        return response


def console_sign_in(request: HttpRequest) -> HttpResponse:
    """Send the console's visitors to the one sign-in page; a member without a console stops here, not in a circle."""
    if signed_in(request) is not None:
        raise PermissionDenied
    return redirect_to_login(request.GET.get("next", reverse("admin:index")))
