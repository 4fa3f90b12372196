"""/api/v1/organisations/{id}/utilisation/: how a lab's instruments were used over a period."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from booking.models import UsageSession
from booking.queries import utilisation
from booking.rules.use_period import Span
from config.kernel.api.fields import Day, IdParameter
from config.kernel.api.serializers import StrictSerializer
from config.kernel.api.views import ApiView


class UtilisationPeriodIn(StrictSerializer):
    """Which days; without any the month that runs."""

    span = serializers.ChoiceField(choices=[str(span) for span in Span], required=False, default=str(Span.MONTH))
    on = Day(required=False, help_text="A day within the month, quarter or year; today without one.")
    first_on = Day(required=False, help_text="With the span `own`: the first day.")
    last_on = Day(required=False, help_text="With the span `own`: the last day, included; 366 days at most.")


class UtilisationIn(UtilisationPeriodIn):
    instrument = IdParameter(required=False, help_text="One instrument of the lab; all of them without it.")


class UseFiguresOut(serializers.Serializer):
    offered_seconds = serializers.IntegerField(help_text="Open and not under maintenance.")
    booked_seconds = serializers.IntegerField()
    used_seconds = serializers.IntegerField(help_text="From check-in to check-out.")
    beside_seconds = serializers.IntegerField(help_text="Used while it was not offered.")
    effective_seconds = serializers.IntegerField(help_text="Used, with getting ready and putting back.")
    external_seconds = serializers.IntegerField(help_text="Of the effective ones those for others than the owner.")
    sessions = serializers.IntegerField()
    external_sessions = serializers.IntegerField()
    bookings = serializers.IntegerField()
    missed = serializers.IntegerField()
    missed_seconds = serializers.IntegerField()
    booked_percent = serializers.IntegerField(allow_null=True)
    used_percent = serializers.IntegerField(allow_null=True)
    external_percent = serializers.IntegerField()
    missed_percent = serializers.IntegerField(allow_null=True)


class UseBesideOut(serializers.Serializer):
    """``before``: the period before, as far into it as this one has passed."""

    figures = UseFiguresOut()
    before = UseFiguresOut()
    answer_minutes = serializers.IntegerField(allow_null=True, help_text="Median, in working time of the lab.")
    answer_minutes_before = serializers.IntegerField(allow_null=True)


class InstrumentUseOut(UseBesideOut):
    id = serializers.IntegerField(source="instrument.pk")
    name = serializers.CharField(source="instrument.name")
    name_en = serializers.CharField(source="instrument.name_en")


class UseHourOut(serializers.Serializer):
    weekday = serializers.IntegerField(help_text="1 is Monday.")
    hour = serializers.IntegerField()
    offered_seconds = serializers.IntegerField()
    used_seconds = serializers.IntegerField()


class UtilisationOut(UseBesideOut):
    span = serializers.CharField(source="period.span")
    first_on = serializers.DateField(source="period.first_on")
    last_on = serializers.DateField(source="period.last_on")
    until = serializers.DateTimeField(help_text="Nothing after this is counted.")
    answered = serializers.IntegerField(help_text="How many requests people answered.")
    left_out = serializers.IntegerField(help_text="Instruments that are not in here: a lab is shown with its 1,000 busiest.")
    instruments = InstrumentUseOut(source="rows", many=True)
    hours = serializers.SerializerMethodField()

    @extend_schema_field(UseHourOut(many=True))
    def get_hours(self, found: utilisation.LabUse) -> list[dict[str, Any]]:
        return [
            {"weekday": day + 1, "hour": hour, "offered_seconds": cell.offered_seconds, "used_seconds": cell.used_seconds}
            for day, row in enumerate(found.hours)
            for hour, cell in enumerate(row)
        ]


class UtilisationView(ApiView):
    """For the lab, its finance, and officials who look after bookings; with a token of scope ``read``."""

    token_scopes = {"GET": "read"}
    parameters_shapes = {"retrieve": UtilisationIn}
    queryset = UsageSession.objects.none()
    serializer_class = UtilisationOut

    @extend_schema(parameters=[UtilisationIn], responses=UtilisationOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Offered, booked, used, effective and external time of a lab's instruments, beside the period before."""
        asked = self.parameters(request)
        found = utilisation.asked(
            self.actor,
            int(pk),
            Span(asked["span"]),
            utilisation.Days(asked.get("on"), asked.get("first_on"), asked.get("last_on")),
            self.now,
            asked.get("instrument"),
        )
        return Response(UtilisationOut(found).data)
