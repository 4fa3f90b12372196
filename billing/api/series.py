"""/api/v1/reservation-series: a time that comes again, looked at with its figures before it is asked for, and changing it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.serializers import AddonOut
from billing.api.shapes import addons_json
from billing.settlement import series_figures
from billing.settlement.series_figures import Figures, PricedReport, PricedRow
from billing.settlement.services.session_extras import Beside
from booking.api.serializers import (
    OVERRIDE_HELP,
    SEEN_ADDONS_HELP,
    ExpectedIn,
    addons_field,
    answers_field,
    direction_field,
    said_fields,
    said_of,
    source_field,
)
from booking.api.views import chosen_of, expected_of, range_of
from booking.models import Reservation, ReservationSeries
from booking.queries.series import SeriesDetail, series_detail
from booking.rules.series import FREQUENCIES, MOST, MOST_INTERVAL, Clock, Scope, SeriesRule
from booking.services import series, series_changes
from booking.services.series import Pick, Wish
from booking.services.series_changes import ChangeRow, Outcome, Seen, SeriesChange, Step
from config.kernel.api.fields import FIRST_YEAR, LAST_YEAR, Day, Id, Instant, Text, WholeNumber
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import StrictSerializer
from config.kernel.api.views import REPLAYED, ApiView
from config.kernel.errors import Reason, Refusal
from config.kernel.messages import reason_sentence
from instruments.models import ServiceMode

_TEXT = 2000  # longer is refused as input; the service says what really fits


@extend_schema_field({"type": "string", "example": "2026-11-25T09:00"})
class Wall(Text):
    """What a clock at the instrument shows: ISO 8601 without an offset, between 2000 and 2100; read as a naive datetime."""

    default_error_messages = {"wall": _("Give date and time without an offset, as in 2026-11-25T09:00.")}

    def to_internal_value(self, data: Any) -> datetime:  # type: ignore[override]  # a text becomes a time
        text = super().to_internal_value(data)
        try:
            wall = datetime.fromisoformat(text)
        except ValueError:
            self.fail("wall")
        if wall.tzinfo is not None or not FIRST_YEAR <= wall.year <= LAST_YEAR:
            self.fail("wall")
        return wall


class PickIn(StrictSerializer):
    """A time that is wanted, as planned or another instead."""

    ordinal = serializers.IntegerField(min_value=1, max_value=MOST)
    starts_at = Instant()
    ends_at = Instant()
    expected = ExpectedIn(required=False, allow_null=True)
    expected_addons_fen = WholeNumber(required=False, allow_null=True, default=None, help_text=SEEN_ADDONS_HELP)


class SeriesIn(StrictSerializer):
    """A rule, and what all its times share. Exactly one of ``count`` and ``until`` ends it."""

    instrument = Id()
    organisation = Id(help_text="The customer on whose account it goes.")
    starts = Wall(help_text="Start of the first time on the clock at the instrument.")
    ends = Wall(help_text="Its end.")
    frequency = serializers.ChoiceField(choices=FREQUENCIES, required=False, default="weekly")
    interval = serializers.IntegerField(min_value=1, max_value=MOST_INTERVAL, required=False, default=1)
    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=7),
        max_length=7,
        required=False,
        default=list,
        help_text="1 is Monday; empty: the weekday of the start. Only where it is weekly.",
    )
    count = serializers.IntegerField(min_value=1, max_value=MOST, required=False, allow_null=True, default=None)
    until = Day(required=False, allow_null=True, default=None, help_text="The last local day.")
    service_mode = serializers.ChoiceField(choices=ServiceMode.values)
    purpose = Text(max_length=_TEXT, required=False, allow_blank=True, default="")
    research_project = Text(max_length=_TEXT, required=False, allow_blank=True, default="")
    service_direction = direction_field()
    fund_source = source_field()
    service_kind = said_fields()["service_kind"]
    settlement = said_fields()["settlement"]
    rate = said_fields()["rate"]
    answers = answers_field()
    fund_card = Id(required=False, allow_null=True, default=None, help_text="What each is paid from: a card for which I spend.")
    override_reason = Text(max_length=_TEXT, required=False, allow_blank=True, default="", help_text=OVERRIDE_HELP)
    addons = addons_field("Add-ons of the price, as many for each time; agreed with the booking.")
    picks = serializers.ListField(
        child=PickIn(),
        max_length=MOST,
        required=False,
        allow_null=True,
        default=None,
        help_text="Left out: all that can be had.",
    )


class SeriesCreateIn(SeriesIn):
    picks = serializers.ListField(
        child=PickIn(), max_length=MOST, help_text="What the report showed and is wanted; all or nothing."
    )


class SeriesFiguresOut(serializers.Serializer):
    gross_fen = serializers.IntegerField()
    payable_now_fen = serializers.IntegerField()
    final_cost_fen = serializers.IntegerField()
    estimate = serializers.BooleanField()
    late_cancel_fee_fen = serializers.IntegerField(help_text="What giving it back too late would cost.")
    no_show_fee_fen = serializers.IntegerField(help_text="What not coming would cost.")


class ReasonOut(serializers.Serializer):
    code = serializers.CharField()
    detail = serializers.CharField()


ADDONS_FEN_HELP = "What its add-ons come to; beside the figures, without subsidy."
PASSED_OVER_HELP = "The rules of the lab's own that are passed over for the override_reason."


class TimeOfSeriesOut(serializers.Serializer):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class ReportRowOut(serializers.Serializer):
    ordinal = serializers.IntegerField()
    starts = serializers.CharField(help_text="The planned time on the clock at the instrument.")
    ends = serializers.CharField()
    clock = serializers.ChoiceField(choices=[str(one) for one in Clock])
    time = TimeOfSeriesOut(allow_null=True, help_text="What was looked at; null where clocks jump over it.")
    wanted = serializers.BooleanField()
    free = serializers.BooleanField()
    taken = serializers.BooleanField()
    reasons = ReasonOut(many=True, help_text="Every rule that it breaks, counted over the series.")
    passed_over = ReasonOut(many=True, help_text=PASSED_OVER_HELP)
    instead = TimeOfSeriesOut(allow_null=True, help_text="The nearest time that could be had.")
    figures = SeriesFiguresOut(allow_null=True)
    addons_fen = serializers.IntegerField(help_text=ADDONS_FEN_HELP)


class ReportOut(serializers.Serializer):
    time_zone = serializers.CharField()
    approval_required = serializers.BooleanField()
    possible = serializers.BooleanField(help_text="Everything that is wanted can be had.")
    together = SeriesFiguresOut()
    if_all_approved = SeriesFiguresOut(allow_null=True, help_text="Where subsidies do not last for all of them.")
    addons = AddonOut(many=True, help_text="What the price offers besides each time.")
    addons_fen = serializers.IntegerField(help_text="Of all that are wanted and can be had; beside the figures, without subsidy.")
    rows = ReportRowOut(many=True)


class PartOut(serializers.Serializer):
    ordinal = serializers.IntegerField()
    reservation = serializers.IntegerField()
    reference = serializers.CharField()
    state = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class SeriesOut(serializers.Serializer):
    id = serializers.IntegerField()
    url = serializers.CharField()
    instrument = serializers.IntegerField()
    organisation = serializers.IntegerField()
    time_zone = serializers.CharField()
    planned = serializers.IntegerField(help_text="How many times the rule means.")
    reservations = PartOut(many=True)


class SeriesChangeIn(StrictSerializer):
    """To ``move``, ``starts`` and ``ends`` are the new wall times of the ``anchor``-th; the others move by as much."""

    step = serializers.ChoiceField(choices=[str(one) for one in Step])
    scope = serializers.ChoiceField(choices=[str(one) for one in Scope])
    anchor = serializers.IntegerField(min_value=1, max_value=MOST, help_text="The ordinal from which on.")
    starts = Wall(required=False, allow_null=True, default=None)
    ends = Wall(required=False, allow_null=True, default=None)
    reason = Text(max_length=300, required=False, allow_blank=True, default="", help_text="Needed from the lab.")


class SeriesSeenIn(StrictSerializer):
    ordinal = serializers.IntegerField(min_value=1, max_value=MOST)
    outcome = serializers.ChoiceField(choices=[str(one) for one in Outcome if one is not Outcome.REFUSED])
    expected = ExpectedIn(required=False, allow_null=True)


class SeriesChangeMakeIn(SeriesChangeIn):
    picks = serializers.ListField(
        child=SeriesSeenIn(), max_length=MOST, help_text="What the report showed and is wanted; all or nothing."
    )


class ChangeRowOut(serializers.Serializer):
    ordinal = serializers.IntegerField()
    reservation = serializers.IntegerField()
    state = serializers.CharField()
    before = TimeOfSeriesOut()
    after = TimeOfSeriesOut(allow_null=True)
    outcome = serializers.ChoiceField(choices=[str(one) for one in Outcome])
    reasons = ReasonOut(many=True)
    alternatives = TimeOfSeriesOut(many=True)
    payable_now_fen = serializers.IntegerField(allow_null=True)
    final_cost_fen = serializers.IntegerField(allow_null=True)


class ChangeReportOut(serializers.Serializer):
    rows = ChangeRowOut(many=True)


class ChangeMadeOut(serializers.Serializer):
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="How many reservations, by outcome.")


class SeriesView(ApiView):
    """Looking at a series, asking for it, and reading it."""

    token_scopes = {"GET": "read", "POST": "book"}
    queryset = ReservationSeries.objects.none()

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        shapes: dict[str, type[serializers.BaseSerializer]] = {
            "report": SeriesIn,
            "create": SeriesCreateIn,
            "change_report": SeriesChangeIn,
            "change": SeriesChangeMakeIn,
        }
        return shapes.get(self.action or "", SeriesOut)

    @extend_schema(responses=ReportOut, operation_id="reservation_series_report")
    def report(self, request: Request) -> Response:
        """What would become of each time: free, taken or against a rule, with price and subsidy. Nothing is booked."""
        asked = self.valid(request)
        picks = _picks(asked["picks"]) if asked["picks"] is not None else None
        wish = _wish(asked)
        found = series_figures.report(self.actor, wish, self.now, picks)
        Refusal.raise_any(found.faults)
        return Response(_report(found, dict(wish.addons)))

    @extend_schema(parameters=[IDEMPOTENT], responses={201: SeriesOut, 200: SeriesOut})
    def create(self, request: Request) -> Response:
        """Ask for all picks in one transaction. 409 names the time that cannot be had any more: look at a fresh report."""
        key, asked = self.idempotency_key(request), self.valid(request)
        made = series.ask(self.actor, _wish(asked), _picks(asked["picks"]), self.now, idempotency_key=key)
        body = _shown(series_detail(self.actor, made.series_id))
        if made.replayed:
            return Response(body, headers={REPLAYED: "true"})
        return Response(body, status=201, headers={"Location": body["url"]})

    @extend_schema(responses=SeriesOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """A series with its reservations."""
        return Response(_shown(series_detail(self.actor, int(pk))))

    @extend_schema(responses=ChangeReportOut, operation_id="reservation_series_change_report")
    def change_report(self, request: Request, pk: str) -> Response:
        """What giving back or moving would do to each reservation; nothing is changed."""
        rows = series_figures.report_change(self.actor, _change(int(pk), self.valid(request)), self.now)
        return Response({"rows": [_change_row(row) for row in rows]})

    @extend_schema(parameters=[IDEMPOTENT], responses=ChangeMadeOut, operation_id="reservation_series_change")
    def change(self, request: Request, pk: str) -> Response:
        """Do what the report said to all picks in one transaction. 409 when one would be changed in another way, or not at all."""
        key, asked = self.idempotency_key(request), self.valid(request)
        done = series_changes.change(self.actor, _change(int(pk), asked), _seen(asked["picks"]), self.now, idempotency_key=key)
        return Response({"counts": done.counts}, headers={REPLAYED: "true"} if done.replayed else None)


def _wish(asked: Mapping[str, Any]) -> Wish:
    weekdays = tuple(day - 1 for day in asked["weekdays"])
    rule = SeriesRule(
        asked["starts"], asked["ends"], asked["frequency"], asked["interval"], weekdays, asked["count"], asked["until"]
    )
    shared = (asked["service_mode"], asked["purpose"], asked["research_project"])
    record = (asked["service_direction"], asked["fund_source"])
    how = (asked["fund_card"], asked["override_reason"], *record)
    return Wish(asked["instrument"], asked["organisation"], rule, *shared, *how, said=said_of(asked), addons=chosen_of(asked))


def _picks(asked: list[Mapping[str, Any]]) -> list[Pick]:
    return [Pick(one["ordinal"], range_of(one), expected_of(one), one["expected_addons_fen"]) for one in asked]


def _seen(asked: list[Mapping[str, Any]]) -> dict[int, Seen]:
    """By ordinal. Raises Refusal ``series.pick_unknown`` for a time that is named twice."""
    found = {one["ordinal"]: Seen(one["outcome"], expected_of(one)) for one in asked}
    if len(found) != len(asked):
        raise Refusal.of("series.pick_unknown", "picks")
    return found


def _change(pk: int, asked: Mapping[str, Any]) -> SeriesChange:
    step, scope = Step(asked["step"]), Scope(asked["scope"])
    return SeriesChange(pk, step, scope, asked["anchor"], asked["starts"], asked["ends"], asked["reason"])


def range_json(during: Any, zone: ZoneInfo) -> dict[str, str] | None:
    """A time with the offset of the site."""
    if during is None:
        return None
    return {name: getattr(during, name).astimezone(zone).isoformat() for name in ("starts_at", "ends_at")}


def reasons_json(reasons: tuple[Reason, ...]) -> list[dict[str, str]]:
    """Each reason with its sentence."""
    return [{"code": reason.code, "detail": reason_sentence(reason)} for reason in reasons]


def reasons_with(reasons: tuple[Reason, ...], beside: Beside) -> list[dict[str, str]]:
    """With those against what is chosen besides."""
    return reasons_json((*reasons, *beside.faults))


def figures_json(figures: Figures | None) -> dict[str, Any] | None:
    """Figures in fen, where there are any."""
    if figures is None:
        return None
    return dataclasses.asdict(figures)


def _report(found: PricedReport, chosen: Mapping[str, int]) -> dict[str, Any]:
    context = found.report.context
    return {
        "time_zone": context.zone.key,
        "approval_required": context.policy.approval_required,
        "possible": found.is_possible,
        "together": figures_json(found.together),
        "if_all_approved": figures_json(found.if_all_approved),
        "addons": addons_json(found.offered, chosen),
        "addons_fen": found.addons_fen,
        "rows": [_row(one, context.zone) for one in found.rows],
    }


def _row(one: PricedRow, zone: ZoneInfo) -> dict[str, Any]:
    row, verdict = one.row, one.row.verdict
    return {
        "ordinal": row.occurrence.ordinal,
        "starts": row.occurrence.starts.isoformat(),
        "ends": row.occurrence.ends.isoformat(),
        "clock": str(row.occurrence.clock),
        "time": range_json(row.during, zone),
        "wanted": row.wanted,
        "free": row.is_free,
        "taken": verdict is not None and verdict.taken,
        "reasons": reasons_with(verdict.reasons, one.beside) if verdict is not None else [],
        "passed_over": reasons_json(verdict.passed_over) if verdict is not None else [],
        "instead": range_json(verdict.instead, zone) if verdict is not None else None,
        "figures": figures_json(one.figures),
        "addons_fen": one.beside.amount_fen,
    }


def _shown(found: SeriesDetail) -> dict[str, Any]:
    made = found.series
    zone = ZoneInfo(made.zone)
    return {
        "id": made.pk,
        "url": reverse("api_series", args=[made.pk]),
        "instrument": made.instrument_id,
        "organisation": made.organisation_id,
        "time_zone": made.zone,
        "planned": made.planned,
        "reservations": [_part(one, zone) for one in found.reservations],
    }


def _part(one: Reservation, zone: ZoneInfo) -> dict[str, Any]:
    times = range_json(one.during, zone) or {}
    return {"ordinal": one.ordinal, "reservation": one.pk, "reference": one.reference, "state": one.state, **times}


def _change_row(row: ChangeRow) -> dict[str, Any]:
    zone = ZoneInfo(row.reservation.instrument.site.time_zone)
    return {
        "ordinal": row.reservation.ordinal,
        "reservation": row.reservation.pk,
        "state": row.reservation.state,
        "before": range_json(row.before, zone),
        "after": range_json(row.new, zone),
        "outcome": str(row.outcome),
        "reasons": reasons_json(row.reasons),
        "alternatives": [{"starts_at": starts_at, "ends_at": ends_at} for starts_at, ends_at in row.alternatives],
        "payable_now_fen": row.expected.payable_now_fen,
        "final_cost_fen": row.expected.final_cost_fen,
    }
