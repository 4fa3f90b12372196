"""/api/v1/prepaid-*, /spending-limits and the purchase-order number of a booking."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from billing.api import money_shapes as shapes
from billing.api.bill_shapes import MoneyMadeOut
from billing.payments import prepaid_queries as queries
from billing.payments.prepaid_models import PrepaidEntry
from billing.payments.services import checkouts, prepaid_refunds, prepaying
from billing.prepaid.models import PrepaidTerms, PurchaseOrder, SpendingLimit
from billing.prepaid.services import setting
from billing.prepaid.services.setting import LimitFacts
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields
from config.kernel.api.views import ApiView


class PrepaidView(ApiView):
    """Money that customers paid before it was billed; a token needs the scope ``settle`` for all but reading."""

    token_scopes = {"GET": "read", "POST": "settle"}
    queryset = PrepaidEntry.objects.none()
    bodies: ClassVar[dict[str, type[BaseSerializer]]] = {
        "deposit": shapes.DepositIn,
        "withdraw": shapes.WithdrawIn,
        "pay": shapes.OnlineDepositIn,
    }

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", shapes.PrepaidEntryOut)

    @extend_schema(responses=shapes.PrepaidBalanceOut(many=True), operation_id="prepaid_balances")
    def balances(self, request: Request) -> Response:
        """What is there for each customer at each institution, as far as one is either side."""
        return self.paged(queries.balances(self.actor), shapes.balance_json)

    @extend_schema(responses=shapes.PrepaidEntryOut(many=True))
    def list(self, request: Request) -> Response:
        """What was kept and used, the latest first."""
        return self.paged(queries.entries_visible(self.actor), shapes.entry_json)

    @extend_schema(parameters=[IDEMPOTENT], responses={201: MoneyMadeOut})
    def deposit(self, request: Request, pk: str) -> Response:
        """Keep a part of what is free of a payment as prepaid for a customer."""
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            return {"id": prepaying.deposit(self.actor, int(pk), asked["customer"], asked["amount_fen"], self.now).pk}

        return self.once(request, f"prepaid.deposit:{pk}", effect)

    @extend_schema(responses={200: shapes.OnlineDepositOut}, operation_id="prepaid_pay")
    def pay(self, request: Request) -> Response:
        """Where a customer pays in advance online; asking again for the same amount leads to the same session."""
        asked = self.valid(request)
        sides = asked["owner"], asked["customer"]
        url = checkouts.start_deposit(self.actor, *sides, asked["amount_fen"], asked["back_url"], self.now)
        return Response({"url": url})

    @extend_schema(parameters=[IDEMPOTENT], responses={201: shapes.WithdrawnOut})
    def withdraw(self, request: Request) -> Response:
        """Give back what is not kept for bookings; it goes the way it came."""
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            sides = asked["owner"], asked["customer"]
            paid = prepaid_refunds.withdraw(self.actor, *sides, asked["amount_fen"], asked["reason"], self.now)
            return {"payments": paid}

        return self.once(request, "prepaid.withdraw", effect)


class PrepaidTermsView(ApiView):
    """Of whom an institution asks to be paid before the booking; a token needs the scope ``settle`` to set it."""

    token_scopes = {"GET": "read", "POST": "settle"}
    queryset = PrepaidTerms.objects.none()
    serializer_class = shapes.TermsIn

    @extend_schema(responses=shapes.TermsOut(many=True))
    def list(self, request: Request) -> Response:
        """What counts now, of each customer or (null) of all others."""
        self.actor.require(*queries.READERS)
        return self.paged(queries.terms(self.actor), shapes.terms_json)

    @extend_schema(parameters=[IDEMPOTENT], responses={201: MoneyMadeOut})
    def create(self, request: Request) -> Response:
        """From now on, for new bookings; what is booked stays."""
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            whose = asked["owner"], asked["customer"]
            return {"id": setting.ask_for_prepaid(self.actor, *whose, asked["asks"], asked["reason"], self.now).pk}

        return self.once(request, "prepaid.terms", effect)


class SpendingLimitView(ApiView):
    """What members and projects of one's organisation may spend; a token needs the scope ``settle`` for all but reading."""

    token_scopes = {"GET": "read", "POST": "settle"}
    queryset = SpendingLimit.objects.none()
    bodies: ClassVar[dict[str, type[BaseSerializer]]] = {
        "create": shapes.LimitIn,
        "change": shapes.LimitFenIn,
        "close": NoFields,
    }

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", shapes.LimitOut)

    @extend_schema(responses=shapes.LimitOut(many=True))
    def list(self, request: Request) -> Response:
        """The limits that are open, with what is spent and kept for bookings."""
        return self.paged(queries.limits(self.actor), shapes.limit_json)

    @extend_schema(parameters=[IDEMPOTENT], responses={201: MoneyMadeOut})
    def create(self, request: Request) -> Response:
        """Of one member or of one project, for bookings that begin within the days."""
        asked = self.valid(request)
        days = asked["valid_from"], asked["valid_until"]
        facts = LimitFacts(asked["member"], asked["project"], asked["limit_fen"], *days)

        def effect() -> dict[str, Any]:
            return {"id": setting.set_limit(self.actor, asked["organisation"], facts, self.now).pk}

        return self.once(request, "limit.set", effect)

    @extend_schema(parameters=[IDEMPOTENT], responses=MoneyMadeOut)
    def change(self, request: Request, pk: str) -> Response:
        """Another amount, at least what is used of it."""
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            return {"id": setting.change_limit(self.actor, int(pk), asked["limit_fen"], self.now).pk}

        return self.once(request, f"limit.change:{pk}", effect, status=200)

    @extend_schema(parameters=[IDEMPOTENT], responses=MoneyMadeOut)
    def close(self, request: Request, pk: str) -> Response:
        """Nothing new falls under it."""
        self.valid(request)

        def effect() -> dict[str, Any]:
            setting.close_limit(self.actor, int(pk), self.now)
            return {"id": int(pk)}

        return self.once(request, f"limit.close:{pk}", effect, status=200)


class OrderNumberView(ApiView):
    """The customer's own purchase-order number of a booking."""

    token_scopes = {"GET": "read", "PUT": "settle"}
    queryset = PurchaseOrder.objects.none()
    serializer_class = shapes.OrderNumberIn

    @extend_schema(responses=shapes.OrderNumberOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Empty: there is none."""
        return Response({"number": queries.order_number_of(self.actor, int(pk))})

    @extend_schema(responses=shapes.OrderNumberOut)
    def update(self, request: Request, pk: str) -> Response:
        """The bill repeats it; until then it may change."""
        asked = self.valid(request)
        return Response({"number": setting.set_order_number(self.actor, int(pk), asked["number"], self.now).number})


class JobOrderNumberView(ApiView):
    """The customer's own purchase-order number of a sample job."""

    token_scopes = {"GET": "read", "PUT": "settle"}
    queryset = PurchaseOrder.objects.none()
    serializer_class = shapes.OrderNumberIn

    @extend_schema(responses=shapes.OrderNumberOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Empty: there is none."""
        return Response({"number": queries.job_order_number_of(self.actor, int(pk))})

    @extend_schema(responses=shapes.OrderNumberOut)
    def update(self, request: Request, pk: str) -> Response:
        """The bill repeats it; until then it may change."""
        asked = self.valid(request)
        return Response({"number": setting.set_job_order_number(self.actor, int(pk), asked["number"], self.now).number})
