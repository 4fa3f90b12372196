"""/api/v1/claims/<id>/evidence and /claim-evidence: the files that show what a claim says."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from billing.claims import queries
from billing.claims.models import ClaimEvidence
from billing.claims.services import handing_in
from billing.claims.services.handing_in import KINDS, Evidence
from config.kernel.api.fields import Text
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import PageParameters, StrictSerializer
from config.kernel.api.views import REPLAYED, ApiView
from config.kernel.http import attachment
from instruments.services.uploads import received


class ClaimEvidenceIn(StrictSerializer):
    kind = serializers.ChoiceField(
        choices=KINDS, help_text="What it is; the claim's checks say which kinds its programme asks for."
    )
    file = serializers.FileField(allow_empty_file=True, help_text="PDF, JPEG or PNG; pictures are drawn anew.")
    note = Text(max_length=200, required=False, default="", allow_blank=True)


class ClaimEvidenceOut(serializers.Serializer):
    id = serializers.IntegerField()
    claim = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=KINDS)
    note = serializers.CharField()
    file_name = serializers.CharField()
    media_type = serializers.CharField()
    size_bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    added_at = serializers.DateTimeField()


class ClaimEvidenceView(ApiView):
    """The files of a claim; a token needs the scope ``settle`` to hand one in, which takes multipart."""

    token_scopes = {"GET": "read", "POST": "settle"}
    parser_classes = [MultiPartParser]
    queryset = ClaimEvidence.objects.none()
    parameters_shapes = {"list": PageParameters}

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        return ClaimEvidenceIn if self.action == "create" else ClaimEvidenceOut

    @extend_schema(responses=ClaimEvidenceOut(many=True))
    def list(self, request: Request, pk: str) -> Response:
        """The files of a claim, in the order in which they came."""
        return self.paged(queries.evidence_of(queries.claim_for(self.actor, int(pk))), _json)

    @extend_schema(
        parameters=[IDEMPOTENT],
        request={"multipart/form-data": ClaimEvidenceIn},
        responses={201: ClaimEvidenceOut, 200: ClaimEvidenceOut},
    )
    def create(self, request: Request, pk: str) -> Response:
        """Hand in a file with a claim that its payee has in hand, once for this Idempotency-Key; 422 where it is no such file or too big,
        or the claim has a hundred."""
        key, asked = self.idempotency_key(request), self.valid(request)
        given = Evidence(asked["kind"], received(asked["file"]), asked["note"])
        made, replayed = handing_in.add_evidence_once(self.actor, int(pk), given, self.now, idempotency_key=key)
        headers = {REPLAYED: "true"} if replayed else {"Location": reverse("api_claim_evidence_file", args=[made])}
        found = _json(queries.evidence_for(self.actor, made))
        return Response(found, status=200 if replayed else 201, headers=headers)

    @extend_schema(operation_id="claim_evidence_download", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def download(self, request: Request, pk: str) -> HttpResponse:
        """A file as it was handed in (a picture as it was drawn anew), byte for byte."""
        stored, content = queries.evidence_file(self.actor, int(pk))
        return attachment(content, stored.media_type, stored.file_name)


def _json(row: ClaimEvidence) -> dict[str, Any]:
    return {
        "id": row.pk,
        "claim": row.claim_id,
        **{name: getattr(row, name) for name in ("kind", "note", "added_at")},
        **{name: getattr(row.file, name) for name in ("file_name", "media_type", "size_bytes", "sha256")},
    }
