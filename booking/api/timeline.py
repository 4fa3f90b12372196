"""/api/v1/timeline: what takes time on the instruments of one's lab, for a day of up to 200 instruments or a week of up to 50."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from booking.models import Occupancy, OccupancySource
from booking.queries.timeline import MOST_PAGES, Entry, Span, Timeline, timeline
from booking.rules.downtime import DowntimeKind
from config.kernel.api.fields import Day, IdParameter
from config.kernel.api.serializers import StrictSerializer
from config.kernel.api.views import ApiView


class TimelineParameters(StrictSerializer):
    lab = IdParameter(required=False, help_text="One of my labs; without it all of them.")
    date = Day(required=False, help_text="The first day; default today at the first instrument's site.")
    span = serializers.ChoiceField(choices=[one.value for one in Span], required=False, default=Span.DAY.value)
    page = serializers.IntegerField(required=False, default=1, min_value=1, max_value=MOST_PAGES)


class TimelineInstrumentOut(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    name_en = serializers.CharField()
    status = serializers.CharField()
    lab = serializers.IntegerField(help_text="A booking can go to another instrument of the same lab.")
    time_zone = serializers.CharField(help_text="Its own; times here show the clock of the first one.")


class TimelineEntryOut(serializers.Serializer):
    id = serializers.IntegerField()
    instrument = serializers.IntegerField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=OccupancySource.values)
    state = serializers.CharField(
        help_text="That of its reservation; empty where another instrument with the same calendar takes the time, whose names stand here"
        " for its own managers alone."
    )
    reservation = serializers.IntegerField(allow_null=True)
    downtime = serializers.IntegerField(allow_null=True)
    downtime_kind = serializers.ChoiceField(choices=[one.value for one in DowntimeKind], allow_blank=True)
    title = serializers.CharField()
    title_en = serializers.CharField()
    person = serializers.CharField()
    assisted_by = serializers.CharField(help_text="Who of the lab assists; empty: nobody.")
    movable = serializers.BooleanField()


class TimelineClosedOut(serializers.Serializer):
    instrument = serializers.IntegerField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class TimelineOut(serializers.Serializer):
    time_zone = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    page = serializers.IntegerField()
    more = serializers.BooleanField(help_text="Further instruments stand on the next page.")
    instruments = TimelineInstrumentOut(many=True)
    entries = TimelineEntryOut(many=True)
    closed = TimelineClosedOut(many=True)


class TimelineView(ApiView):
    """The feed of the lab's timeline; asked again with its ETag it answers 304 while nothing changed."""

    token_scopes = {"GET": "manage"}
    queryset = Occupancy.objects.none()
    serializer_class = TimelineOut
    parameters_shapes = {"retrieve": TimelineParameters}

    @extend_schema(parameters=[TimelineParameters], responses={200: TimelineOut, 304: None})
    def retrieve(self, request: Request) -> HttpResponseBase:
        """Bookings and requests at their own times, everything else with what it takes; instants on the clock of ``time_zone``."""
        asked = self.parameters(request)
        found = timeline(self.actor, asked.get("lab"), asked.get("date"), Span(asked["span"]), self.now, asked["page"])
        body = json.dumps(_shown(found), ensure_ascii=False, separators=(",", ":")).encode()
        tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
        response = HttpResponse(body, content_type="application/json", headers={"ETag": tag})
        return get_conditional_response(request._request, etag=tag, response=response) or response


def _shown(found: Timeline) -> dict[str, Any]:
    zone = found.zone

    def local(moment: datetime) -> str:
        return moment.astimezone(zone).isoformat()

    moments = {moment for one in found.entries for moment in (one.starts, one.ends)}
    words = {moment: datetime.fromtimestamp(moment, zone).isoformat() for moment in moments}
    return {
        "time_zone": zone.key,
        "starts_at": local(found.window.starts_at),
        "ends_at": local(found.window.ends_at),
        "page": found.page,
        "more": found.more,
        "instruments": [
            {
                "id": one.pk,
                "name": one.name,
                "name_en": one.name_en,
                "status": one.status,
                "lab": one.organisation_id,
                "time_zone": one.site.time_zone,
            }
            for one in found.instruments
        ],
        "entries": [_entry(one, words[one.starts], words[one.ends]) for one in found.entries],
        "closed": [
            {"instrument": pk, "starts_at": local(one.starts_at), "ends_at": local(one.ends_at)}
            for pk, ranges in found.closed.items()
            for one in ranges
        ],
    }


def _entry(one: Entry, starts_at: str, ends_at: str) -> dict[str, Any]:
    return {
        "id": one.key,
        "instrument": one.instrument_id,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "kind": one.kind,
        "state": one.state,
        "reservation": one.reservation_id,
        "downtime": one.downtime_id,
        "downtime_kind": one.downtime_kind,
        "title": one.title,
        "title_en": one.title_en,
        "person": one.person,
        "assisted_by": one.assisted_by,
        "movable": one.movable,
    }
