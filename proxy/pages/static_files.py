"""Static files as whole answers: whitenoise hands out open files, at which Django's async stack warns."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase


class WholeStaticFiles:
    """Reads the file of a static answer in; the project's static files are small."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if not isinstance(response, FileResponse):
            return response
        whole = HttpResponse(b"".join(cast("list[bytes]", list(response))), status=response.status_code)
        whole.headers = response.headers
        response.close()
        return whole
