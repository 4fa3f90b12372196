"""/api/v1/claims/<id>/declarations: what a programme asks of the lines of a claim besides their papers."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from billing.claims import declared, queries
from billing.claims.declared import AskedLine
from billing.claims.declared_models import ClaimDeclaration
from billing.claims.services import declaring
from billing.claims.services.declaring import Declaration
from billing.subsidy.rules.with_claim import OF_THE_CLAIM
from config.kernel.api.fields import BIGGEST, Text
from config.kernel.api.serializers import StrictSerializer
from config.kernel.api.views import ApiView
from config.kernel.errors import NotFound
from instruments.services.uploads import received

_FEN: dict[str, Any] = {"min_value": 0, "max_value": BIGGEST, "required": False}


class ClaimDeclarationIn(StrictSerializer):
    """All amounts in fen; those that ``asks`` of the line names, each."""

    position = serializers.IntegerField(min_value=1, max_value=BIGGEST, help_text="The line.")
    other_subsidies = serializers.IntegerField(**_FEN, help_text="Other public money for the same thing, without given_here_fen.")
    lower_level = serializers.IntegerField(**_FEN, help_text="What the lower level of government gave.")
    lender = serializers.IntegerField(**_FEN, help_text="What a lender has set aside.")
    excluded = serializers.IntegerField(**_FEN, help_text="The part that does not count.")
    asked = serializers.IntegerField(**_FEN, help_text="The subsidy that is asked for.")
    file = serializers.FileField(
        allow_empty_file=True, required=False, help_text="PDF, JPEG or PNG; not needed where all amounts are 0."
    )
    note = Text(max_length=200, required=False, default="", allow_blank=True)


class ClaimDeclarationOut(serializers.Serializer):
    position = serializers.IntegerField()
    award = serializers.IntegerField()
    asks = serializers.ListField(child=serializers.CharField())
    declared = serializers.DictField(
        child=serializers.IntegerField(), allow_null=True, help_text="What counts, in fen; null: nothing yet."
    )
    given_here_fen = serializers.IntegerField(
        allow_null=True,
        help_text="What other programmes here gave for the service, counted already; null: it is not, and is declared with the rest.",
    )
    evidence = serializers.IntegerField(allow_null=True)
    applied = serializers.BooleanField(help_text="The claim was handed in with it.")
    less_fen = serializers.IntegerField(help_text="What goes, or went, back of the award with it.")
    steps = serializers.ListField(child=serializers.DictField(), help_text="How it was worked out, as in a quote.")
    unmet = serializers.ListField(child=serializers.CharField(), help_text="Codes of the conditions that do not hold with it.")


class ClaimDeclarationView(ApiView):
    """The lines of which something is asked; a token needs the scope ``settle`` to declare, which takes multipart."""

    token_scopes = {"GET": "read", "POST": "settle"}
    parser_classes = [MultiPartParser]
    queryset = ClaimDeclaration.objects.none()

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        return ClaimDeclarationIn if self.action == "create" else ClaimDeclarationOut

    @extend_schema(responses=ClaimDeclarationOut(many=True))
    def list(self, request: Request, pk: str) -> Response:
        """The lines of which something is asked, in order, with what was declared last."""
        return self.paged(declared.lines_asked([queries.claim_for(self.actor, int(pk))]), _json)

    @extend_schema(request={"multipart/form-data": ClaimDeclarationIn}, responses={201: ClaimDeclarationOut})
    def create(self, request: Request, pk: str) -> Response:
        """Declare what is asked of a line of a draft, all of it; declared again, the last one counts. Handing the claim in applies it."""
        asked = self.valid(request)
        amounts = {path: asked[name] for path in OF_THE_CLAIM if (name := path.partition(".")[2]) in asked}
        file = received(asked["file"]) if "file" in asked else None
        made = declaring.declare(self.actor, int(pk), Declaration(asked["position"], amounts, file, asked["note"]), self.now)
        lines = declared.lines_asked([queries.claim_for(self.actor, int(pk))])
        found = next((each for each in lines if each.line.award_id == made.award_id), None)
        if found is None:
            raise NotFound.of("access.not_found", model="claimline")
        return Response(_json(found), status=201)


def _json(each: AskedLine) -> dict[str, Any]:
    row = each.declared
    steps = each.worked.steps if each.worked is not None else row.steps if row is not None else []
    unmet = [one.code for one in each.worked.unmet] if each.worked is not None else []
    if each.worked is None and row is not None:
        unmet = [one["code"] for one in row.unmet]
    return {
        "position": each.line.position,
        "award": each.line.award_id,
        "asks": [path.partition(".")[2] for path in each.paths],
        "declared": {path.partition(".")[2]: fen for path, fen in row.amounts.items()} if row is not None else None,
        "given_here_fen": each.given_here_fen,
        "evidence": row.evidence_id if row is not None else None,
        "applied": row is not None and row.applied_at is not None,
        "less_fen": each.less_fen,
        "steps": steps,
        "unmet": unmet,
    }
