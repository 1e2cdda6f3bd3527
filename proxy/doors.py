"""The paths of the API doors, which the lean handler serves; the pages' paths are in `urls.py`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from django.http.response import HttpResponseBase
from django.urls import path

from proxy import counting, gateway, health, listing, me, stored

_View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]
_API: tuple[tuple[str, _View], ...] = (
    ("chat/completions", gateway.chat_completions),
    ("responses", gateway.responses),
    ("responses/compact", gateway.unserved),
    ("responses/input_tokens", counting.input_tokens),
    ("responses/<str:response_id>", stored.response),
    ("responses/<str:response_id>/input_items", stored.input_items),
    ("responses/<str:response_id>/cancel", stored.cancel),
    ("messages", gateway.messages),
    ("messages/count_tokens", counting.count_tokens),
    ("embeddings", gateway.embeddings),
    ("models", listing.models),
    ("models/<path:name>", listing.model),
)

urlpatterns = [
    path("", health.alive),
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("v1/me", me.me),
    *(path(f"{prefix}{route}", view) for prefix in ("v1/", "") for route, view in _API),
]
