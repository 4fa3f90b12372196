"""/api/v1/instruments/{id}/facility: what makes an instrument a large research facility, and its end."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel.api.fields import Day, Instant, Text
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import StrictSerializer
from config.kernel.api.views import ApiView
from config.kernel.errors import NotFound
from instruments import queries
from instruments.models import FacilityRecord
from instruments.queries import records
from instruments.rules.facility_values import CHOICES, FACILITY_FIELDS
from instruments.services import facility_end, instrument_details
from instruments.services.instrument_changes import require_manager

_LONGEST = 5000  # longer is refused as input; the service says what really fits


def _field(name: str) -> serializers.Field[Any, Any, Any, Any]:
    if name in CHOICES:
        return serializers.ChoiceField(choices=CHOICES[name], required=False, allow_blank=True)
    if name == "accepted_on":
        return Day(required=False, allow_null=True)
    return Text(max_length=_LONGEST, required=False, allow_blank=True)


class FacilityIn(StrictSerializer):
    """Fields that are left out stay as they are. Persons are for the national sheet alone."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Every field that a facility has, and those of the class."""
        return {name: _field(name) for name in FACILITY_FIELDS} | super().get_fields()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """An empty call makes no facility of an instrument."""
        if not attrs:
            raise serializers.ValidationError(_("Name at least one field."))
        return attrs


class FacilityOut(FacilityIn):
    instrument = serializers.IntegerField()
    updated_at = serializers.DateTimeField(help_text="The revision of the instrument, for `seen`.")


class RevisionIn(StrictSerializer):
    seen = Instant(help_text="The `updated_at` that was looked at; another one refuses the call (409).")


class PlainOut(serializers.Serializer):
    instrument = serializers.IntegerField()
    is_facility = serializers.BooleanField()
    updated_at = serializers.DateTimeField()


class FacilityView(ApiView):
    """The sheet of a large research facility, for those who keep the instrument."""

    token_scopes = {"GET": "manage", "PATCH": "manage", "POST": "manage"}
    queryset = FacilityRecord.objects.none()

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return RevisionIn if self.action == "end" else FacilityIn

    @extend_schema(responses=FacilityOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """All of it; 404 for a plain instrument."""
        return Response(self._shown(int(pk)))

    @extend_schema(responses=FacilityOut)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Write the named fields; a plain instrument becomes a facility by it."""
        instrument_details.set_facility(self.actor, int(pk), self.valid(request), self.now)
        return Response(self._shown(int(pk)))

    @extend_schema(parameters=[IDEMPOTENT], responses=PlainOut)
    def end(self, request: Request, pk: str) -> Response:
        """Make it a plain instrument again. What the sheet held stays in the history alone; bookings and prices stay."""
        seen = self.valid(request)["seen"]

        def effect() -> dict[str, Any]:
            plain = facility_end.end(self.actor, int(pk), seen, self.now)
            return {"instrument": plain.pk, "is_facility": False, "updated_at": plain.updated_at.isoformat()}

        return self.once(request, "instrument.facility_end", effect, status=200)

    def _shown(self, pk: int) -> dict[str, Any]:
        instrument = queries.instrument_for(self.actor, pk)
        require_manager(self.actor, instrument.organisation_id)
        record = records.facility_of(instrument)
        if record is None:
            raise NotFound.of("access.not_found", model="facility")
        values = {name: getattr(record, name) for name in FACILITY_FIELDS}
        return {"instrument": instrument.pk, "updated_at": instrument.updated_at.isoformat(), **values}
