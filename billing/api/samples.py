"""/api/v1/resources/{id}/quote and /price: what a commissioned test costs."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from billing.api import serializers as texts
from billing.api import shapes
from billing.ordering.services import sample_links
from billing.pricing import sample_prices
from billing.settlement.models import Charge
from billing.settlement.services import sample_quotes
from booking.api.serializers import said_of
from config.kernel.api.views import ApiView
from instruments.queries.resources import managed_test_item, test_item_for


class SampleQuoteView(ApiView):
    """What a commissioned test would cost; nothing is written."""

    token_scopes: ClassVar[dict[str, str]] = {"POST": "read"}
    queryset = Charge.objects.none()
    serializer_class = texts.SampleQuoteIn

    @extend_schema(responses=texts.SampleQuoteOut)
    def create(self, request: Request, pk: str) -> Response:
        """The four numbers, what each programme says and why, what is left of each limit, and when the result is promised."""
        asked = self.valid(request)
        numbers = asked["samples"], asked["elements"]
        arrive_on = asked.get("arrive_on")
        sheet, customer = asked.get("commission"), asked["organisation"]
        price, contract = sample_links.price_under(self.actor, sheet, int(pk), customer) if sheet is not None else (None, None)
        found = sample_quotes.preview(
            self.actor,
            int(pk),
            customer,
            *numbers,
            self.now,
            arrive_on=arrive_on,
            price=price,
            contract=contract,
            project=asked["research_project"],
            direction=asked["service_direction"],
            said=said_of(asked),
        )
        return Response(shapes.sample_quote_json(found))


class TestPriceView(ApiView):
    """The price of a test item; anybody may look."""

    __test__ = False  # not a test of pytest's
    token_scopes: ClassVar[dict[str, str]] = {"GET": "read", "POST": "manage"}
    permission_classes = [IsAuthenticatedOrReadOnly]
    queryset = Charge.objects.none()

    def get_serializer_class(self) -> type[BaseSerializer]:
        return texts.TestPriceIn if self.request.method == "POST" else texts.TestPriceOut

    @extend_schema(responses=texts.TestPriceOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """The price in force today; without an amount it is given on request."""
        return Response(self._shown(test_item_for(self.actor, int(pk)).pk))

    @extend_schema(responses={201: texts.TestPriceOut})
    def create(self, request: Request, pk: str) -> Response:
        """Publish a price. What was in force stays for what was quoted under it."""
        asked = self.valid(request)
        resource = managed_test_item(self.actor, int(pk))
        today = self._today()
        sample_prices.publish_test_price(
            self.actor,
            resource,
            asked["unit"],
            asked["amount_fen"],
            asked.get("class_fen", {}),
            asked.get("effective_from", today),
            self.now,
            today,
            asked.get("confirmed", ()),
        )
        return Response(self._shown(resource.pk), status=201)

    def _shown(self, resource_id: int) -> dict[str, Any]:
        found = sample_prices.in_force([resource_id], self._today()).get(resource_id)
        price = found.price if found is not None else None
        return {
            "resource": resource_id,
            "effective_from": found.effective_from.isoformat() if found is not None else None,
            "unit": found.unit if found is not None else "sample",
            "amount_fen": price.amount_fen if price is not None else None,
            "class_fen": dict(price.class_fen) if price is not None else {},
        }

    def _today(self) -> date:
        return self.now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
