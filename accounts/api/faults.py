"""What went wrong, in one shape: `{"error": {"code", "message", "param"}}`.

The message is in the member's language; `code` is stable, `param` names the field or parameter at fault, or is null.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import ProtectedError
from django.http import Http404
from django.utils.translation import gettext
from rest_framework import exceptions, status
from rest_framework.fields import get_error_detail
from rest_framework.response import Response
from rest_framework.views import exception_handler

from accounts.sentences import sentence
from accounts.serving import RiskNotAccepted
from bridge.errors import BadKey, BridgeError


class Conflict(exceptions.APIException):
    """The request is well formed, but the state of the row stands against it."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


def answer(fault: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer for a fault that is foreseen; None lets Django log it and answer 500."""
    match fault:
        case RiskNotAccepted():
            return Response(_body("risk_not_accepted", sentence(fault), "accept_risk"), status=status.HTTP_409_CONFLICT)
        case BridgeError():
            headers = {"WWW-Authenticate": "Bearer"} if isinstance(fault, BadKey) else None
            return Response(_body(fault.code, sentence(fault), fault.param), status=fault.status, headers=headers)
        case ValidationError():
            fault = exceptions.ValidationError(get_error_detail(fault))
        case Http404():
            fault = exceptions.NotFound(gettext("There is no such row here."))
        case ProtectedError():
            fault = Conflict(str(fault.args[0]), code="in_use")
    response = exception_handler(fault, context)
    if response is not None and isinstance(fault, exceptions.APIException):
        response.data = _of_api(fault)
    elif response is not None:
        response.data = _body("permission_denied", str(response.data["detail"]))
    return response


def _of_api(fault: exceptions.APIException) -> dict[str, Any]:
    if not isinstance(fault, exceptions.ValidationError):
        return _body(str(getattr(fault.detail, "code", fault.default_code)), str(fault.detail))
    found = list(_leaves(fault.detail))
    params = list(dict.fromkeys(param for param, _ in found))
    told = [f"{param}: {text}" if param and len(params) > 1 else text for param, text in found]
    return _body("invalid", " ".join(told), next((param for param in params if param), None))


def _leaves(detail: Any, path: str = "") -> list[tuple[str, str]]:
    """Every sentence of a validation error with the field it is about."""
    if isinstance(detail, dict):
        names = {name: "" if name in ("non_field_errors", "__all__") else str(name) for name in detail}
        return [leaf for name, inner in detail.items() for leaf in _leaves(inner, _joined(path, names[name]))]
    if isinstance(detail, list):
        return [leaf for inner in detail for leaf in _leaves(inner, path)]
    return [(path, str(detail))]


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name


def _body(code: str, message: str, param: str | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "param": param}}
