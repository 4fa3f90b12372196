"""/api/v1/organisations/{id}/service-records: the national records of a lab's services."""

from __future__ import annotations

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.models import Charge
from billing.settlement import service_records
from booking.api.utilisation import UtilisationPeriodIn
from booking.queries.utilisation import Days
from booking.rules.use_period import Span
from config.kernel.api.views import ApiView


class ServiceRecordsOut(serializers.Serializer):
    first_on = serializers.DateField()
    last_on = serializers.DateField()
    records = serializers.ListField(
        child=serializers.DictField(child=serializers.CharField()),
        help_text="By the national network's keys (type 6), in Chinese words.",
    )


class ServiceRecordsView(ApiView):
    """For who runs or accounts for the lab; with a token of scope ``read``."""

    token_scopes: ClassVar[dict[str, str]] = {"GET": "read"}
    parameters_shapes: ClassVar = {"retrieve": UtilisationPeriodIn}
    queryset = Charge.objects.none()
    serializer_class = ServiceRecordsOut

    @extend_schema(parameters=[UtilisationPeriodIn], responses=ServiceRecordsOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Agreed sessions, also those that nobody was charged for, and closed sample jobs of a month, a quarter, a year or own days."""
        asked = self.parameters(request)
        days = Days(asked.get("on"), asked.get("first_on"), asked.get("last_on"))
        period, records = service_records.asked(self.actor, int(pk), Span(asked["span"]), days, self.now)
        return Response({"first_on": period.first_on, "last_on": period.last_on, "records": records})
