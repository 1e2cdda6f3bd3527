"""The description of this API, and the page that shows it with nothing from other hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.exceptions import NotAuthenticated, NotFound
from rest_framework.response import Response
from rest_framework.reverse import reverse

from accounts.api.access import EVERYBODY
from accounts.api.resource import RuledView

if TYPE_CHECKING:
    from rest_framework.request import Request


class _KeyScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.api.authentication.KeyAuthentication"
    name = ["bearer", "x-api-key"]

    def get_security_definition(self, auto_schema: object) -> list[dict[str, str]]:
        text = "An API key whose doors name the management API; it acts with the role of its member."
        return [
            {"type": "http", "scheme": "bearer", "description": text},
            {"type": "apiKey", "in": "header", "name": "x-api-key", "description": text},
        ]


class _SessionScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.api.authentication.PageSession"
    name = "session"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        text = "The session of the console and the portal; changes need the header X-CSRFToken."
        return {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": text}


class Schema(RuledView, SpectacularAPIView):
    """OpenAPI 3, as YAML or JSON by `Accept` or `?format=json`."""

    rule = EVERYBODY
    parameters = ("format", "lang")


class Docs(RuledView, SpectacularSwaggerView):
    """The schema as a page; a visitor is sent to the sign-in page."""

    rule = EVERYBODY
    url_name = "api-schema"

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, NotAuthenticated):
            return redirect_to_login(self.request.get_full_path())
        # The page's template needs a visitor who may see it; what went wrong is told as everywhere.
        told = super().handle_exception(exc)
        answer = JsonResponse(told.data, status=told.status_code)
        if "WWW-Authenticate" in told.headers:
            answer["WWW-Authenticate"] = told.headers["WWW-Authenticate"]
        return answer

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(response, HttpResponseRedirect | JsonResponse):
            return response
        return super().finalize_response(request, response, *args, **kwargs)


class Contents(RuledView):
    """What there is."""

    rule = EVERYBODY
    names: tuple[str, ...] = ()

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        return Response({name: reverse(f"api-{name}", request=request) for name in self.names})


class Nothing(RuledView):
    """Any other address: 404, and for one without its last slash the address that was meant."""

    rule = EVERYBODY
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    @extend_schema(exclude=True)
    def get(self, request: Request, rest: str = "") -> HttpResponseBase:
        path = request.path
        if not path.endswith("/") and _exists(f"{path}/"):
            query = request.META.get("QUERY_STRING", "")
            return HttpResponseRedirect(f"{path}/{'?' if query else ''}{query}")
        raise NotFound(_("There is nothing at this address; GET /api/ lists what there is."))

    @extend_schema(exclude=True)
    def post(self, request: Request, rest: str = "") -> HttpResponseBase:
        raise NotFound(_("There is nothing at this address; addresses of this API end with a slash."))

    put = patch = delete = post

    def known_parameters(self) -> set[str]:
        return set(self.request.GET)


def _exists(path: str) -> bool:
    try:
        return resolve(path).url_name != "api-nothing"
    except Resolver404:
        return False
