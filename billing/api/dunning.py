"""/api/v1/overdue-bills, /dunning-exemptions, and disputing a bill."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import money_shapes as shapes
from billing.api.bill_shapes import MoneyMadeOut, ReasonIn
from billing.bills.models import Bill
from billing.dunning import queries
from billing.dunning.models import BillDispute, Exemption
from billing.dunning.services import reminding
from billing.settlement.queries import local_today
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.views import ApiView


class OverdueView(ApiView):
    """Bills that are due within three days or overdue."""

    token_scopes = {"GET": "read"}
    queryset = Bill.objects.none()
    serializer_class = shapes.OverdueOut

    @extend_schema(responses=shapes.OverdueOut(many=True))
    def list(self, request: Request) -> Response:
        """Those that one issues or pays, the oldest first, with the steps that were taken and the next one."""
        today = local_today(self.now)
        found = queries.overdue(self.actor, today)
        return self.paged_together(found, lambda page: [*map(shapes.overdue_json, queries.rows_of(self.actor, page, today))])


class DisputeView(ApiView):
    """A customer says why it does not owe a bill, and the institution answers; a token needs the scope ``settle``."""

    token_scopes = {"POST": "settle"}
    queryset = BillDispute.objects.none()
    serializer_class = ReasonIn

    @extend_schema(parameters=[IDEMPOTENT], responses={201: MoneyMadeOut})
    def dispute(self, request: Request, pk: str) -> Response:
        """Once for a bill; reminders and the block stop until it is answered."""
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            return {"id": reminding.dispute(self.actor, int(pk), asked["reason"], self.now).pk}

        return self.once(request, f"bill.dispute:{pk}", effect)

    @extend_schema(parameters=[IDEMPOTENT], responses=MoneyMadeOut)
    def answer(self, request: Request, pk: str) -> Response:
        """By the institution's finance; reminders go on from there."""
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            return {"id": reminding.answer(self.actor, int(pk), asked["reason"], self.now).pk}

        return self.once(request, f"bill.dispute_answer:{pk}", effect, status=200)


class ExemptionView(ApiView):
    """Letting the bills of a customer wait; a token needs the scope ``settle``."""

    token_scopes = {"POST": "settle"}
    queryset = Exemption.objects.none()
    serializer_class = shapes.ExemptionIn

    @extend_schema(parameters=[IDEMPOTENT], responses={201: MoneyMadeOut})
    def create(self, request: Request) -> Response:
        """Until the end of a day; the latest word counts."""
        asked = self.valid(request)
        sides = asked["owner"], asked["customer"]

        def effect() -> dict[str, Any]:
            return {"id": reminding.exempt(self.actor, *sides, asked["until_on"], asked["reason"], self.now).pk}

        return self.once(request, "dunning.exempt", effect)
