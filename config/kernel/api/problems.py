"""Errors as problem details (RFC 9457): type, title, status, and one entry per reason with code, field and sentence."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_handler

from config.kernel.errors import Busy, Conflict, Forbidden, NotFound, Reason, Refusal
from config.kernel.messages import reason_sentence

MEDIA_TYPE = "application/problem+json"
STATUS: tuple[tuple[type[Refusal], int], ...] = ((NotFound, 404), (Forbidden, 403), (Conflict, 409), (Busy, 503))


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal: 404, 403, 409, 503, otherwise 422."""
    return next((status for kind, status in STATUS if isinstance(refusal, kind)), 422)


def body(status: int, code: str, title: str, reasons: list[Reason], **extra: Any) -> dict[str, Any]:
    return {
        "type": f"urn:jishi:problem:{code}",
        "title": title,
        "status": status,
        "code": code,
        "errors": [_entry(reason) for reason in reasons],
        **extra,
    }


def _entry(reason: Reason) -> dict[str, Any]:
    entry = {"code": reason.code, "field": reason.field, "detail": reason_sentence(reason), "params": reason.params}
    return entry | ({"about": reason.about} if reason.about else {})


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler."""
    if isinstance(error, Refusal):
        status = status_of(error)
        first = error.reasons[0]
        extra = error.extra if isinstance(error, Conflict) else {}
        response = Response(body(status, first.code, reason_sentence(first), list(error.reasons), **extra), status=status)
        if isinstance(error, Busy):
            response["Retry-After"] = str(first.params.get("retry_after_seconds", 2))
    elif isinstance(error, exceptions.ValidationError):
        reasons = [Reason(f"input.{code}", {"detail": text}, field) for field, code, text in _flatten(error.detail)]
        listed = [{"code": r.code, "field": r.field, "detail": str(r.params["detail"]), "params": {}} for r in reasons]
        payload = body(400, "input.invalid", _("The request has invalid fields."), [])
        response = Response({**payload, "errors": listed}, status=400)
    else:
        if isinstance(error, Http404):
            error = exceptions.NotFound()
        elif isinstance(error, PermissionDenied):
            error = exceptions.PermissionDenied()
        elif isinstance(error, SuspiciousOperation):
            error = _unreadable(error)
        known = drf_handler(error, context)
        if known is None:
            return None
        code = getattr(error, "default_code", "error")
        response = Response(
            body(known.status_code, f"http.{code}", str(getattr(error, "detail", error)), []),
            status=known.status_code,
            headers={k: v for k, v in known.headers.items() if k in {"WWW-Authenticate", "Retry-After"}},
        )
    response.content_type = MEDIA_TYPE
    return response


@csrf_exempt
def not_found(request: HttpRequest, path: str = "") -> HttpResponse:
    """Every address under the API that is not one."""
    reason = Reason("access.no_such_address")
    return JsonResponse(body(404, reason.code, reason_sentence(reason), [reason]), status=404, content_type=MEDIA_TYPE)


def _unreadable(error: SuspiciousOperation) -> exceptions.APIException:
    """Django's guards against what is too large or malformed, as an error of ours."""
    refused = exceptions.ParseError(_("The request cannot be read."))
    if isinstance(error, RequestDataTooBig):
        refused.status_code = 413
    return refused


def _flatten(detail: Any, path: str = "") -> list[tuple[str, str, str]]:
    if isinstance(detail, dict):
        return [hit for key, value in detail.items() for hit in _flatten(value, f"{path}.{key}" if path else str(key))]
    if isinstance(detail, list):
        return [hit for value in detail for hit in _flatten(value, path)]
    return [(path, getattr(detail, "code", "invalid"), str(detail))]
