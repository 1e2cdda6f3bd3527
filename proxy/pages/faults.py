"""Pages for what went wrong: a page for people, one JSON sentence for programs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template import loader
from django.utils.translation import gettext as _

from proxy.pages.visitors import prefers_json


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if prefers_json(request):
        return _sentence(400, _("The request could not be understood."))
    # A refused host name ends here too, so nothing of the request is used to build the page.
    return HttpResponse(loader.render_to_string("400.html"), status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    if prefers_json(request):
        return _sentence(403, _("You may not see this page."))
    return render(request, "403.html", status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose secret is missing or old: signed out meanwhile, cookies off, or sent from elsewhere."""
    if prefers_json(request):
        return _sentence(403, _("The form is out of date. Load the page again and repeat."))
    return render(request, "403_csrf.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if prefers_json(request):
        return _sentence(404, _("There is no such page."))
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    if prefers_json(request):
        return _sentence(500, _("Something went wrong on this side."))
    # Rendered without the request: whatever broke the page must not break this one.
    return HttpResponse(loader.render_to_string("500.html"), status=500)


def _sentence(status: int, sentence: str) -> JsonResponse:
    return JsonResponse({"error": sentence}, status=status)
