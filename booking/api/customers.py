"""/api/v1/instruments/{id}/customers/: for whom one of a lab's managers may enter a booking."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from booking.api import serializers as shapes
from booking.models import Reservation
from booking.queries import customers
from config.kernel.access import get_visible
from config.kernel.api.views import ApiView
from instruments.models import Instrument


class CustomersView(ApiView):
    """Searching for people; for the managers of the instrument's lab."""

    token_scopes = {"POST": "book"}
    queryset = Reservation.objects.none()
    serializer_class = shapes.CustomersIn

    @extend_schema(responses=shapes.CustomersOut, operation_id="instruments_customers_search")
    def search(self, request: Request, pk: str) -> Response:
        """Posted, so that nobody's address stands in a log; nothing is written and nobody is told."""
        asked = self.valid(request)
        instrument = get_visible(Instrument.objects.all(), self.actor, pk=int(pk))
        found = customers.find(self.actor, instrument.organisation_id, asked["q"])
        rows = [
            {
                "person": one.person_id,
                "name": one.name,
                "organisation": one.organisation_id,
                "organisation_name": one.organisation,
            }
            for one in found.people
        ]
        return Response({"results": rows, "more": found.more, "organisation": found.organisation})
