"""/api/v1/bill-proposals: bills issued by hand by two people."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from billing.api.bill_shapes import BillIn, MoneyMadeOut
from billing.api.proposals import DeclineIn, ProposalOut, ProposalParameters, shown
from billing.bills import queries
from billing.bills.proposal_models import BillProposal
from billing.bills.services import proposing
from billing.bills.services.issuing import BillRequest
from billing.settlement.rules.lines_digest import Expected
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields
from config.kernel.api.views import ApiView


class BillProposalOut(ProposalOut):
    owner = serializers.IntegerField()
    customer = serializers.IntegerField()
    until_on = serializers.DateField()
    due_days = serializers.IntegerField()
    bill = serializers.IntegerField(allow_null=True)


class BillProposalView(ApiView):
    """Bills that one person proposes and another one issues; a token needs the scope ``settle`` for all but reading."""

    token_scopes = {"GET": "read", "POST": "settle"}
    queryset = BillProposal.objects.none()
    parameters_shapes = {"list": ProposalParameters}
    bodies: ClassVar[dict[str, type[BaseSerializer]]] = {"create": BillIn, "issue": NoFields, "decline": DeclineIn}

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", BillProposalOut)

    @extend_schema(parameters=[ProposalParameters], responses=BillProposalOut(many=True))
    def list(self, request: Request) -> Response:
        """The proposals of one's institutions, the latest first."""
        rows = queries.proposals_visible(self.actor)
        state = self.parameters(request).get("state")
        return self.paged(rows.filter(state=state) if state else rows, _json)

    @extend_schema(responses=BillProposalOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One proposal."""
        return Response(_json(queries.proposal_for(self.actor, int(pk))))

    @extend_schema(parameters=[IDEMPOTENT], responses={201: MoneyMadeOut})
    def create(self, request: Request) -> Response:
        """Propose a bill, once for this Idempotency-Key: from the threshold of the platform on another person issues it."""
        asked = self.valid(request)
        seen = asked.get("expected")

        def effect() -> dict[str, Any]:
            wanted = BillRequest(asked["owner"], asked["customer"], asked["until_on"], asked["due_days"])
            expected = Expected(**seen) if seen else None
            return {"id": proposing.propose(self.actor, wanted, self.now, expected=expected).pk}

        return self.once(request, "bill.propose", effect)

    @extend_schema(responses=BillProposalOut)
    def issue(self, request: Request, pk: str) -> Response:
        """Issue what another person proposed; 409 where the figures are others by now."""
        self.valid(request)
        proposing.issue(self.actor, int(pk), self.now)
        return self.retrieve(request, pk)

    @extend_schema(responses=BillProposalOut)
    def decline(self, request: Request, pk: str) -> Response:
        """Send a proposal back with a reason, or withdraw one's own."""
        proposing.decline(self.actor, int(pk), self.valid(request)["reason"], self.now)
        return self.retrieve(request, pk)


def _json(row: BillProposal) -> dict[str, Any]:
    return shown(row) | {
        "owner": row.owner_id,
        "customer": row.customer_id,
        "until_on": row.until_on,
        "due_days": row.due_days,
        "bill": row.bill_id,
    }
