"""/api/v1/statement-proposals: settlement statements issued by hand by two people."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from billing.api import serializers as texts
from billing.api.bill_shapes import MoneyMadeOut
from billing.api.proposals import DeclineIn, ProposalOut, ProposalParameters, shown
from billing.api.views import first_day_of
from billing.settlement import queries
from billing.settlement.proposal_models import StatementProposal
from billing.settlement.rules.lines_digest import Expected
from billing.settlement.services import proposing
from billing.settlement.services.proposing import Asked
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields
from config.kernel.api.views import ApiView


class StatementProposalOut(ProposalOut):
    programme_version = serializers.IntegerField()
    payee = serializers.IntegerField()
    month = serializers.CharField()
    mode = serializers.CharField()
    statement = serializers.IntegerField(allow_null=True)


class StatementProposalView(ApiView):
    """Settlement statements that one person proposes and another one issues; a token needs the scope ``settle`` for all but reading."""

    token_scopes = {"GET": "read", "POST": "settle"}
    queryset = StatementProposal.objects.none()
    parameters_shapes = {"list": ProposalParameters}
    bodies: ClassVar[dict[str, type[BaseSerializer]]] = {"create": texts.StatementIn, "issue": NoFields, "decline": DeclineIn}

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", StatementProposalOut)

    @extend_schema(parameters=[ProposalParameters], responses=StatementProposalOut(many=True))
    def list(self, request: Request) -> Response:
        """The proposals of one's offices, the latest first."""
        rows = queries.proposals_visible(self.actor)
        state = self.parameters(request).get("state")
        return self.paged(rows.filter(state=state) if state else rows, _json)

    @extend_schema(responses=StatementProposalOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One proposal."""
        return Response(_json(queries.proposal_for(self.actor, int(pk))))

    @extend_schema(parameters=[IDEMPOTENT], responses={201: MoneyMadeOut})
    def create(self, request: Request) -> Response:
        """Propose a statement, once for this Idempotency-Key: from the threshold of the platform on another person issues it."""
        asked = self.valid(request)
        seen = asked.get("expected")

        def effect() -> dict[str, Any]:
            month = first_day_of(asked["month"])
            wanted = Asked(asked["programme_version"], asked["payee"], month, asked.get("mode", ""))
            expected = Expected(**seen) if seen else None
            return {"id": proposing.propose(self.actor, wanted, self.now, expected=expected).pk}

        return self.once(request, "statement.propose", effect)

    @extend_schema(responses=StatementProposalOut)
    def issue(self, request: Request, pk: str) -> Response:
        """Issue what another person proposed; 409 where the lines are others by now."""
        self.valid(request)
        proposing.issue(self.actor, int(pk), self.now)
        return self.retrieve(request, pk)

    @extend_schema(responses=StatementProposalOut)
    def decline(self, request: Request, pk: str) -> Response:
        """Send a proposal back with a reason, or withdraw one's own."""
        proposing.decline(self.actor, int(pk), self.valid(request)["reason"], self.now)
        return self.retrieve(request, pk)


def _json(row: StatementProposal) -> dict[str, Any]:
    return shown(row) | {
        "programme_version": row.programme_version_id,
        "payee": row.payee_id,
        "month": f"{row.period_on:%Y-%m}",
        "mode": row.mode,
        "statement": row.statement_id,
    }
