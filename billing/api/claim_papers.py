"""/api/v1/redemption-forms and /claw-backs: what was handed in with claims, what has to come back, and their documents."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.bills.models import ReversalCause
from billing.claims import queries
from billing.claims.models import ClaimSubmission, Clawback
from config.kernel.api.fields import IdParameter
from config.kernel.api.serializers import PageParameters
from config.kernel.api.views import ApiView
from config.kernel.http import attachment

KIND = OpenApiParameter(
    "kind", str, OpenApiParameter.PATH, enum=["pdf", "xlsx", "csv", "json", "html"], description="Which document."
)
_BINARY = {(200, "application/octet-stream"): OpenApiTypes.BINARY}


class ClaimPaperParameters(PageParameters):
    claim = IdParameter(required=False)


class ClaimPaperOut(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField()
    claim = serializers.IntegerField()
    total_fen = serializers.IntegerField()
    issued_at = serializers.DateTimeField()
    render_state = serializers.CharField(help_text="Whether PDF and XLSX are made; the other kinds can be read at once.")
    sha256 = serializers.CharField(help_text="Of the frozen content.")


class RedemptionFormOut(ClaimPaperOut):
    position = serializers.IntegerField(help_text="Which time the claim was handed in, from 1.")


class ClawbackOut(ClaimPaperOut):
    award = serializers.IntegerField()
    cause = serializers.ChoiceField(choices=ReversalCause.choices)
    reason = serializers.CharField()


class _ClaimPaperView(ApiView):
    token_scopes = {"GET": "read"}
    parameters_shapes = {"list": ClaimPaperParameters}
    paper = ""
    shape: type[ClaimPaperOut] = ClaimPaperOut

    def get_serializer_class(self) -> type[ClaimPaperOut]:
        return self.shape

    def read_file(self, pk: str, kind: str) -> HttpResponse:
        found = queries.paper_file(self.actor, self.paper, int(pk), kind)
        return attachment(found.content, found.stored.media_type, found.stored.file_name)


class RedemptionFormView(_ClaimPaperView):
    """Redemption forms: what each claim said when it was handed in, frozen."""

    queryset = ClaimSubmission.objects.none()
    paper, shape = "form", RedemptionFormOut

    @extend_schema(parameters=[ClaimPaperParameters], responses=RedemptionFormOut(many=True))
    def list(self, request: Request) -> Response:
        """The redemption forms of claims that one may read, the latest first."""
        return self.paged(queries.forms_visible(self.actor, self.parameters(request).get("claim")), _form_json)

    @extend_schema(parameters=[KIND], operation_id="redemption_forms_download", responses=_BINARY)
    def download(self, request: Request, pk: str, kind: str) -> HttpResponse:
        """The PDF or the XLSX, byte for byte as it was made once (422 until then), or the frozen content as CSV, JSON or HTML."""
        return self.read_file(pk, kind)


class ClawbackView(_ClaimPaperView):
    """Claw-backs with their notices: what has to come back of an award that was handed in."""

    queryset = Clawback.objects.none()
    paper, shape = "clawback", ClawbackOut

    @extend_schema(parameters=[ClaimPaperParameters], responses=ClawbackOut(many=True))
    def list(self, request: Request) -> Response:
        """The claw-backs that one may read, the latest first."""
        return self.paged(queries.clawbacks_visible(self.actor, self.parameters(request).get("claim")), _clawback_json)

    @extend_schema(parameters=[KIND], operation_id="claw_backs_download", responses=_BINARY)
    def download(self, request: Request, pk: str, kind: str) -> HttpResponse:
        """The notice as PDF or XLSX, byte for byte as it was made once (422 until then), or the frozen content as CSV, JSON or HTML."""
        return self.read_file(pk, kind)


def _paper_json(paper: Any) -> dict[str, Any]:
    return {
        "id": paper.pk,
        "claim": paper.claim_id,
        "sha256": paper.content_sha256,
        **{name: getattr(paper, name) for name in ("number", "total_fen", "issued_at", "render_state")},
    }


def _form_json(form: ClaimSubmission) -> dict[str, Any]:
    return {**_paper_json(form), "position": form.position}


def _clawback_json(clawback: Clawback) -> dict[str, Any]:
    return {**_paper_json(clawback), "award": clawback.award_id, "cause": clawback.cause, "reason": clawback.reason}
