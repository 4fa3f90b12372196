"""Who assists: /api/v1/instruments/{id}/assistants, /assistants/{id} with hours and absences, /assisting, /reservations/{id}/assistant."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from booking.models import Assistant, InstrumentAssistant, Reservation
from booking.queries import assistants as queries
from booking.services import assistants
from config.kernel.access import get_visible
from config.kernel.api.fields import Id, Instant, Text
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields, StrictSerializer
from config.kernel.api.views import ApiView
from config.kernel.errors import NotFound, Refusal
from config.kernel.time_range import TimeRange
from instruments import queries as instrument_queries
from instruments.models import Instrument
from instruments.services.instrument_changes import require_manager
from instruments.services.weekly_hours import WeeklyWindow


class PersonIn(StrictSerializer):
    person = Id(help_text="Of the instrument's lab.")


class AssistantIn(StrictSerializer):
    assistant = Id(help_text="The id that the list of the instrument's assistants gives.")


class WindowShape(StrictSerializer):
    weekday = serializers.IntegerField(min_value=0, max_value=6, help_text="0 is Monday.")
    opens = serializers.TimeField(format="%H:%M")
    closes = serializers.TimeField(format="%H:%M", help_text="At or before opens: the next day.")


class HoursIn(StrictSerializer):
    windows = WindowShape(many=True, help_text="The whole week; none: whenever an instrument is open.")


class AbsenceIn(StrictSerializer):
    starts_at = Instant()
    ends_at = Instant()
    note = Text(max_length=200, required=False, allow_blank=True, default="", help_text="For the person and their managers.")


class AbsenceIdIn(StrictSerializer):
    absence = Id()


class AssistingPersonOut(serializers.Serializer):
    assistant = serializers.IntegerField()
    person = serializers.IntegerField()
    name = serializers.CharField()
    counts = serializers.BooleanField(help_text="False: no longer of the lab, and chosen for nothing.")
    windows = WindowShape(many=True)


class CandidateOut(serializers.Serializer):
    person = serializers.IntegerField()
    name = serializers.CharField()


class InstrumentAssistantsOut(serializers.Serializer):
    instrument = serializers.IntegerField()
    assistants = AssistingPersonOut(many=True, help_text="None: sessions with assistance need nobody in particular.")
    candidates = CandidateOut(many=True, help_text="Who else of the lab could be named.")


class AbsenceOut(serializers.Serializer):
    id = serializers.IntegerField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    note = serializers.CharField(allow_blank=True)


class AssistedOut(serializers.Serializer):
    reservation = serializers.IntegerField()
    reference = serializers.CharField()
    instrument = serializers.CharField()
    starts_at = serializers.DateTimeField(help_text="Of the booking, without buffers.")
    ends_at = serializers.DateTimeField()
    state = serializers.CharField()


class AssistantOut(serializers.Serializer):
    assistant = serializers.IntegerField()
    person = serializers.IntegerField()
    name = serializers.CharField()
    time_zone = serializers.CharField(help_text="Of the hours of work.")
    windows = WindowShape(many=True)
    absences = AbsenceOut(many=True, help_text="Those that are not over.")
    sessions = AssistedOut(many=True, help_text="From a week ago on; to a manager those of their labs.")


class GivenOut(serializers.Serializer):
    reservation = serializers.IntegerField()
    name = serializers.CharField(help_text="Who assists now.")


class InstrumentAssistantsView(ApiView):
    """Who may assist on an instrument; for those who keep it."""

    token_scopes = {"GET": "manage", "POST": "manage"}
    queryset = InstrumentAssistant.objects.none()

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        shapes: dict[str, type[serializers.BaseSerializer[Any]]] = {"create": PersonIn, "remove": AssistantIn}
        return shapes.get(self.action or "", InstrumentAssistantsOut)

    @extend_schema(responses=InstrumentAssistantsOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Who was named, and who could be."""
        return Response(self._shown(int(pk)))

    @extend_schema(parameters=[IDEMPOTENT], responses=InstrumentAssistantsOut)
    def create(self, request: Request, pk: str) -> Response:
        """Let somebody of the lab assist here."""
        person_id = self.valid(request)["person"]

        def effect() -> dict[str, Any]:
            assistants.name(self.actor, int(pk), person_id, self.now)
            return self._shown(int(pk))

        return self.once(request, "assistant.name", effect, status=200)

    @extend_schema(parameters=[IDEMPOTENT], responses=InstrumentAssistantsOut)
    def remove(self, request: Request, pk: str) -> Response:
        """Somebody assists here no longer. 409 while sessions are theirs."""
        assistant_id = self.valid(request)["assistant"]

        def effect() -> dict[str, Any]:
            assistants.unname(self.actor, int(pk), assistant_id, self.now)
            return self._shown(int(pk))

        return self.once(request, "assistant.unname", effect, status=200)

    def _shown(self, pk: int) -> dict[str, Any]:
        instrument: Instrument = instrument_queries.instrument_for(self.actor, pk)
        require_manager(self.actor, instrument.organisation_id)
        return {
            "instrument": instrument.pk,
            "assistants": [
                {
                    "assistant": one.assistant.pk,
                    "person": one.assistant.person_id,
                    "name": str(one.assistant.person),
                    "counts": one.counts,
                    "windows": _windows(one.windows),
                }
                for one in queries.of_instrument(self.actor, instrument)
            ],
            "candidates": [{"person": one.pk, "name": str(one)} for one in queries.candidates(self.actor, instrument)],
        }


class AssistantView(ApiView):
    """One person who assists, for themselves and for the managers of the instruments."""

    token_scopes = {"GET": "read", "PUT": "manage", "POST": "manage"}
    queryset = Assistant.objects.none()

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        shapes: dict[str, type[serializers.BaseSerializer[Any]]] = {
            "hours": HoursIn,
            "absent": AbsenceIn,
            "absent_no_more": AbsenceIdIn,
            "own": NoFields,
        }
        return shapes.get(self.action or "", AssistantOut)

    @extend_schema(responses=AssistantOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Hours of work, absences and sessions."""
        return Response(self._shown(int(pk)))

    @extend_schema(responses=AssistantOut)
    def own(self, request: Request) -> Response:
        """My own. 404 while I am named on no instrument."""
        found = queries.own(self.actor)
        if found is None:
            raise NotFound.of("access.not_found", model="assistant")
        return Response(self._shown(found.pk))

    @extend_schema(parameters=[IDEMPOTENT], responses=AssistantOut)
    def hours(self, request: Request, pk: str) -> Response:
        """Set the week of work; sessions that were given stay."""
        windows = [WeeklyWindow(one["weekday"], one["opens"], one["closes"]) for one in self.valid(request)["windows"]]

        def effect() -> dict[str, Any]:
            assistants.set_hours(self.actor, int(pk), windows, self.now)
            return self._shown(int(pk))

        return self.once(request, "assistant.hours", effect, status=200)

    @extend_schema(parameters=[IDEMPOTENT], responses=AssistantOut)
    def absent(self, request: Request, pk: str) -> Response:
        """Add an absence. 409 with the sessions that are in the way."""
        asked = self.valid(request)
        if asked["starts_at"] >= asked["ends_at"]:
            raise Refusal.of("booking.range_invalid", field="ends_at")
        during = TimeRange(asked["starts_at"], asked["ends_at"])

        def effect() -> dict[str, Any]:
            assistants.add_absence(self.actor, int(pk), during, asked["note"], self.now)
            return self._shown(int(pk))

        return self.once(request, "assistant.absence", effect, status=200)

    @extend_schema(parameters=[IDEMPOTENT], responses=AssistantOut)
    def absent_no_more(self, request: Request, pk: str) -> Response:
        """Take an absence back."""
        absence_id = self.valid(request)["absence"]

        def effect() -> dict[str, Any]:
            assistants.remove_absence(self.actor, int(pk), absence_id, self.now)
            return self._shown(int(pk))

        return self.once(request, "assistant.absence_over", effect, status=200)

    def _shown(self, pk: int) -> dict[str, Any]:
        one = get_visible(Assistant.objects.select_related("person"), self.actor, pk=pk)
        zone = ZoneInfo(one.time_zone)
        return {
            "assistant": one.pk,
            "person": one.person_id,
            "name": str(one.person),
            "time_zone": one.time_zone,
            "windows": _windows(queries.hours_of(one)),
            "absences": [
                {
                    "id": away.pk,
                    "starts_at": away.during.lower.astimezone(zone).isoformat(),
                    "ends_at": away.during.upper.astimezone(zone).isoformat(),
                    "note": away.note,
                }
                for away in queries.absences_of(one, self.now)
            ],
            "sessions": [assisted(held.reservation) for held in queries.sessions_of(self.actor, one, self.now)],
        }


class ReservationAssistantView(ApiView):
    """Who assists in a session with assistance; for the lab."""

    token_scopes = {"POST": "manage"}
    queryset = Assistant.objects.none()
    serializer_class = AssistantIn

    @extend_schema(parameters=[IDEMPOTENT], responses=GivenOut)
    def give(self, request: Request, pk: str) -> Response:
        """Give the session to somebody who may assist on its instrument. 409 when they have something else then."""
        assistant_id = self.valid(request)["assistant"]

        def effect() -> dict[str, Any]:
            return {"reservation": int(pk), "name": assistants.choose(self.actor, int(pk), assistant_id, self.now)}

        return self.once(request, "reservation.assistant", effect, status=200)


def _windows(windows: list[WeeklyWindow]) -> list[dict[str, Any]]:
    return [{"weekday": one.weekday, "opens": f"{one.opens:%H:%M}", "closes": f"{one.closes:%H:%M}"} for one in windows]


def assisted(row: Reservation) -> dict[str, Any]:
    """As ``AssistedOut``."""
    zone = ZoneInfo(row.instrument.site.time_zone)
    return {
        "reservation": row.pk,
        "reference": row.reference,
        "instrument": row.instrument.name,
        "starts_at": row.starts_at.astimezone(zone).isoformat(),
        "ends_at": row.ends_at.astimezone(zone).isoformat(),
        "state": row.state,
    }
