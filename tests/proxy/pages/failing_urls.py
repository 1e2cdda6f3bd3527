"""The project's URLs and one page that fails."""

from __future__ import annotations

from typing import NoReturn

from django.http import HttpRequest
from django.urls import path

from proxy import urls

handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500


def fail(request: HttpRequest) -> NoReturn:
    raise RuntimeError("a secret detail")


urlpatterns = [*urls.urlpatterns, path("auth/fails", fail)]
