"""/api/v1/reservation-groups: several instruments at once, all or none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.serializers import AddonOut
from billing.api.series import (
    ADDONS_FEN_HELP,
    PASSED_OVER_HELP,
    ReasonOut,
    SeriesFiguresOut,
    TimeOfSeriesOut,
    figures_json,
    range_json,
    reasons_json,
    reasons_with,
)
from billing.api.shapes import addons_json
from billing.settlement import together_figures
from billing.settlement.together_figures import PricedPlace
from booking.api.serializers import (
    OVERRIDE_HELP,
    SEEN_ADDONS_HELP,
    ExpectedIn,
    SaidIn,
    addons_field,
    direction_field,
    said_of,
    source_field,
)
from booking.api.views import addons_of, expected_of, range_of
from booking.models import ReservationGroup
from booking.queries.together import GroupDetail, group_detail
from booking.services import together
from booking.services.together import LEAST, MOST, Bundle, Place
from config.kernel.api.fields import Id, Instant, Text, WholeNumber
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import StrictSerializer
from config.kernel.api.views import REPLAYED, ApiView
from instruments.models import ServiceMode

_TEXT = 2000  # longer is refused as input; the service says what really fits


class PlaceIn(StrictSerializer):
    """One instrument with its time."""

    instrument = Id()
    starts_at = Instant()
    ends_at = Instant()
    service_mode = serializers.ChoiceField(choices=ServiceMode.values)
    expected = ExpectedIn(required=False, allow_null=True)
    addons = addons_field()
    expected_addons_fen = WholeNumber(required=False, allow_null=True, help_text=SEEN_ADDONS_HELP)


class GroupIn(SaidIn):
    organisation = Id(help_text="The customer on whose account all of it goes.")
    places = serializers.ListField(
        child=PlaceIn(), min_length=LEAST, max_length=MOST, help_text="Different instruments, each with a time."
    )
    purpose = Text(max_length=_TEXT, required=False, allow_blank=True, default="")
    research_project = Text(max_length=_TEXT, required=False, allow_blank=True, default="")
    service_direction = direction_field()
    fund_source = source_field()
    fund_card = Id(required=False, allow_null=True, default=None, help_text="What each is paid from: a card for which I spend.")
    override_reason = Text(max_length=_TEXT, required=False, allow_blank=True, default="", help_text=OVERRIDE_HELP)


class PlaceReportOut(serializers.Serializer):
    instrument = serializers.IntegerField()
    time = TimeOfSeriesOut()
    free = serializers.BooleanField()
    taken = serializers.BooleanField()
    approval_required = serializers.BooleanField()
    reasons = ReasonOut(many=True, help_text="Every rule that it breaks, counted over all places.")
    passed_over = ReasonOut(many=True, help_text=PASSED_OVER_HELP)
    instead = TimeOfSeriesOut(allow_null=True, help_text="The nearest time that could be had.")
    figures = SeriesFiguresOut(allow_null=True)
    addons = AddonOut(many=True, help_text="What its price offers besides the time.")
    addons_fen = serializers.IntegerField(help_text=ADDONS_FEN_HELP)


class GroupReportOut(serializers.Serializer):
    possible = serializers.BooleanField(help_text="All of them can be had.")
    total = SeriesFiguresOut()
    addons_fen = serializers.IntegerField(help_text="Of all that have a price; beside the total, without subsidy.")
    places = PlaceReportOut(many=True)


class TogetherMemberOut(serializers.Serializer):
    reservation = serializers.IntegerField()
    reference = serializers.CharField()
    instrument = serializers.IntegerField()
    state = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class GroupOut(serializers.Serializer):
    id = serializers.IntegerField()
    url = serializers.CharField()
    reservations = TogetherMemberOut(many=True, help_text="Those that you may see.")


class GroupView(ApiView):
    """Looking at several instruments together, asking for them, and reading what was asked for."""

    token_scopes = {"GET": "read", "POST": "book"}
    queryset = ReservationGroup.objects.none()

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        return GroupIn if self.action in ("report", "create") else GroupOut

    @extend_schema(responses=GroupReportOut, operation_id="reservation_groups_report")
    def report(self, request: Request) -> Response:
        """What would become of each place, with price and subsidy. Nothing is booked."""
        found = together_figures.report(self.actor, _bundle(self.valid(request)), self.now)
        rows = [_row(one) for one in found.rows]
        total = {"total": figures_json(found.total), "addons_fen": found.addons_fen}
        return Response({"possible": found.is_possible, **total, "places": rows})

    @extend_schema(parameters=[IDEMPOTENT], responses={201: GroupOut, 200: GroupOut})
    def create(self, request: Request) -> Response:
        """Ask for all places in one transaction. 409 names the instrument that cannot be had any more: look at a fresh report."""
        key, asked = self.idempotency_key(request), self.valid(request)
        made = together.ask(self.actor, _bundle(asked), self.now, idempotency_key=key)
        body = _shown(group_detail(self.actor, made.group_id))
        if made.replayed:
            return Response(body, headers={REPLAYED: "true"})
        return Response(body, status=201, headers={"Location": body["url"]})

    @extend_schema(responses=GroupOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """What was asked for together."""
        return Response(_shown(group_detail(self.actor, int(pk))))


def _bundle(asked: Mapping[str, Any]) -> Bundle:
    places = tuple(
        Place(one["instrument"], range_of(one), one["service_mode"], expected_of(one), addons_of(one)) for one in asked["places"]
    )
    shared = (asked["purpose"], asked["research_project"], asked["fund_card"], asked["override_reason"])
    return Bundle(asked["organisation"], places, *shared, asked["service_direction"], asked["fund_source"], said_of(asked))


def _row(one: PricedPlace) -> dict[str, Any]:
    row, zone = one.row, one.row.context.zone
    return {
        "instrument": row.place.instrument_id,
        "time": range_json(row.place.during, zone),
        "free": row.verdict.is_free,
        "taken": row.verdict.taken,
        "approval_required": row.context.policy.approval_required,
        "reasons": reasons_with(row.verdict.reasons, one.beside),
        "passed_over": reasons_json(row.verdict.passed_over),
        "instead": range_json(row.verdict.instead, zone),
        "figures": figures_json(one.figures),
        "addons": addons_json(one.beside.offered, dict(row.place.addons.chosen)),
        "addons_fen": one.beside.amount_fen,
    }


def _shown(found: GroupDetail) -> dict[str, Any]:
    return {
        "id": found.group.pk,
        "url": reverse("api_group", args=[found.group.pk]),
        "reservations": [
            {
                "reservation": one.pk,
                "reference": one.reference,
                "instrument": one.instrument_id,
                "state": one.state,
                **(range_json(one.during, ZoneInfo(one.instrument.site.time_zone)) or {}),
            }
            for one in found.reservations
        ],
    }
