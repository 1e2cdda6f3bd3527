"""The paths of the API doors, which the lean handler serves; the pages' paths are in `urls.py`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from django.http.response import HttpResponseBase
from django.urls import path

from proxy import gateway, health

_View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]
_API: tuple[tuple[str, _View], ...] = (
    ("chat/completions", gateway.chat_completions),
    ("models", gateway.models),
    ("models/<path:name>", gateway.model),
)

urlpatterns = [
    path("", health.alive),
    path("healthz", health.alive),
    path("readyz", health.ready),
    *(path(f"{prefix}{route}", view) for prefix in ("v1/", "") for route, view in _API),
]
