"""/api/v1/instruments/{id}/sharing: instruments that exclude each other put on one calendar, looked at first, and taken apart."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from booking.services import calendar_sharing
from booking.services.calendar_sharing import Preview, Taken
from config.kernel.api.fields import Id, IdParameter
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields, StrictSerializer
from config.kernel.api.views import ApiView
from instruments import queries
from instruments.models import Instrument
from instruments.services.instrument_changes import require_manager


class OtherIn(StrictSerializer):
    other = Id(help_text="The instrument whose calendar, with its hours, holds for both.")


class OtherParameter(StrictSerializer):
    other = IdParameter(help_text="The instrument whose calendar would be taken.")


class SharerOut(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    name_en = serializers.CharField()


class SharingOut(serializers.Serializer):
    instrument = serializers.IntegerField()
    shares_with = SharerOut(many=True, help_text="The other instruments on its calendar; none: it has one of its own.")
    candidates = SharerOut(many=True, help_text="Whose calendar it could take: of its owner, at a place with the same clock.")


class TakenOut(serializers.Serializer):
    """Time that is taken, buffers included, in the instrument's zone; ``reservation`` null: an offer, or time of the lab."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    instrument = serializers.CharField()
    reservation = serializers.IntegerField(allow_null=True)
    reference = serializers.CharField(allow_blank=True)


class ClashOut(serializers.Serializer):
    mine = TakenOut()
    theirs = TakenOut()


class SharingPreviewOut(serializers.Serializer):
    instrument = serializers.IntegerField()
    shares_with = SharerOut(many=True)
    clashing = ClashOut(
        many=True, help_text="What has to be moved or cancelled first: as long as there is a pair, sharing is refused."
    )
    outside = TakenOut(many=True, help_text="Bookings that the shared opening hours leave out; they stay.")
    moving = serializers.IntegerField(help_text="Bookings and offers that go along.")
    followed = serializers.IntegerField(help_text="Followed calendars that then block time on all of them.")


class SharingView(ApiView):
    """With whom an instrument shares its calendar; for those who keep it."""

    token_scopes = {"GET": "manage", "POST": "manage"}
    queryset = Instrument.objects.none()
    parameters_shapes = {"preview": OtherParameter}

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        shapes: dict[str, type[serializers.BaseSerializer[Any]]] = {"share": OtherIn, "part": NoFields}
        return shapes.get(self.action or "", SharingOut)

    @extend_schema(responses=SharingOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Who is on its calendar, and whose it could take."""
        return Response(self._shown(int(pk)))

    @extend_schema(parameters=[OtherParameter], responses=SharingPreviewOut)
    def preview(self, request: Request, pk: str) -> Response:
        """What sharing would do; nothing is changed."""
        found = calendar_sharing.preview(self.actor, int(pk), self.parameters(request)["other"], self.now)
        return Response(_preview(found))

    @extend_schema(parameters=[IDEMPOTENT], responses=SharingOut)
    def share(self, request: Request, pk: str) -> Response:
        """Take the other's calendar: from now on what is booked of one keeps that time of the other."""
        other_id = self.valid(request)["other"]

        def effect() -> dict[str, Any]:
            calendar_sharing.share(self.actor, int(pk), other_id, self.now)
            return self._shown(int(pk))

        return self.once(request, "instrument.share_calendar", effect, status=200)

    @extend_schema(parameters=[IDEMPOTENT], responses=SharingOut)
    def part(self, request: Request, pk: str) -> Response:
        """Give it a calendar of its own again, with the same hours and its own bookings."""
        self.valid(request)

        def effect() -> dict[str, Any]:
            calendar_sharing.part(self.actor, int(pk), self.now)
            return self._shown(int(pk))

        return self.once(request, "instrument.part_calendar", effect, status=200)

    def _shown(self, pk: int) -> dict[str, Any]:
        instrument = queries.instrument_for(self.actor, pk)
        require_manager(self.actor, instrument.organisation_id)
        return {
            "instrument": instrument.pk,
            "shares_with": [_named(one) for one in calendar_sharing.sharers(self.actor, instrument)],
            "candidates": [_named(one) for one in calendar_sharing.candidates(self.actor, instrument)],
        }


def _named(one: Instrument) -> dict[str, Any]:
    return {"id": one.pk, "name": one.name, "name_en": one.name_en}


def _preview(found: Preview) -> dict[str, Any]:
    zone = ZoneInfo(found.instrument.site.time_zone)
    return {
        "instrument": found.instrument.pk,
        "shares_with": [_named(one) for one in found.others],
        "clashing": [{"mine": _taken(mine, zone), "theirs": _taken(theirs, zone)} for mine, theirs in found.clashing],
        "outside": [_taken(one, zone) for one in found.outside],
        "moving": found.moving,
        "followed": found.followed,
    }


def _taken(one: Taken, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "starts_at": one.during.starts_at.astimezone(zone).isoformat(),
        "ends_at": one.during.ends_at.astimezone(zone).isoformat(),
        "instrument": one.instrument,
        "reservation": one.reservation.pk if one.reservation is not None else None,
        "reference": one.reservation.reference if one.reservation is not None else "",
    }
