"""What every page's template may use besides Django's own context."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    """Return the address members use and the page the visitor is on, for coming back after a language change."""
    return {"public_url": settings.PUBLIC_URL, "here": request.get_full_path()}
