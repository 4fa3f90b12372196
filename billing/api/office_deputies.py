"""/api/v1/office-deputies: who stands in for whom at an office that reviews and pays claims."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from billing.api.claim_shapes import ClaimMadeOut
from billing.claims import queries
from billing.claims.deputy_models import Deputy
from billing.claims.services import deputies
from billing.claims.services.deputies import Named
from billing.claims.services.office import OFFICE
from config.kernel.api.fields import Day, Id, Text
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields, PageParameters, StrictSerializer
from config.kernel.api.views import ApiView


class OfficeDeputyIn(StrictSerializer):
    office = Id(help_text="An office at which both review or pay.")
    deputy = Id(help_text="Who stands in for the one who asks.")
    from_on = Day(help_text="First day.")
    until_on = Day(help_text="Last day, included; at most 92 days.")
    reason = Text(max_length=2000)


class OfficeDeputyOut(serializers.Serializer):
    id = serializers.IntegerField()
    office = serializers.IntegerField()
    principal = serializers.IntegerField()
    principal_name = serializers.CharField()
    deputy = serializers.IntegerField()
    deputy_name = serializers.CharField()
    from_on = serializers.DateField()
    until_on = serializers.DateField()
    reason = serializers.CharField()
    named_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class OfficeDeputyView(ApiView):
    """Who stands in for whom at one's offices; a token needs the scope ``settle`` for all but reading."""

    token_scopes = {"GET": "read", "POST": "settle"}
    queryset = Deputy.objects.none()
    parameters_shapes = {"list": PageParameters}
    bodies: ClassVar[dict[str, type[BaseSerializer]]] = {"create": OfficeDeputyIn, "end": NoFields}

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", OfficeDeputyOut)

    @extend_schema(responses=OfficeDeputyOut(many=True))
    def list(self, request: Request) -> Response:
        """The deputies of one's offices, the latest last day first."""
        return self.paged(queries.deputies_visible(self.actor), _json)

    @extend_schema(parameters=[IDEMPOTENT], responses={201: ClaimMadeOut})
    def create(self, request: Request) -> Response:
        """Name a colleague of the same office who stands in for oneself, once for this Idempotency-Key."""
        asked = self.valid(request)
        self.actor.require(*OFFICE)
        given = Named(asked["office"], asked["deputy"], asked["from_on"], asked["until_on"], asked["reason"])

        def effect() -> dict[str, Any]:
            return {"id": deputies.name(self.actor, given, self.now).pk}

        return self.once(request, f"deputies.name:{given.office_id}", effect)

    @extend_schema(responses=OfficeDeputyOut)
    def end(self, request: Request, pk: str) -> Response:
        """End it before its last day; either of the two does."""
        self.valid(request)
        self.actor.require(*OFFICE)
        deputies.end(self.actor, int(pk), self.now)
        return Response(_json(queries.deputies_visible(self.actor).get(pk=int(pk))))


def _json(row: Deputy) -> dict[str, Any]:
    names = ("from_on", "until_on", "reason", "named_at", "ended_at")
    return {
        "id": row.pk,
        "office": row.office_id,
        "principal": row.principal_id,
        "principal_name": row.principal.full_name,
        "deputy": row.deputy_id,
        "deputy_name": row.deputy.full_name,
        **{name: getattr(row, name) for name in names},
    }
