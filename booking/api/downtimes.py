"""/api/v1/instruments/{id}/downtimes and /downtimes: an instrument out of service, and what becomes of the bookings that hits."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from booking.models import Downtime, MaintenancePlan
from booking.queries import downtimes as downtime_queries
from booking.queries.downtimes import Hit
from booking.queries.finding import FoundTime
from booking.queries.promises import Risk, promises_at_risk
from booking.rules.downtime import MOST_DECIDED, MOST_TIMES, Became, Choice, DowntimeKind, Due
from booking.services import downtimes, maintenance_plans
from booking.services.downtimes import NOTE_LENGTH, WORDS_LENGTH, Decision, Outage
from booking.services.maintenance_plans import PlanFields
from config.kernel.access import Role, get_visible
from config.kernel.api.fields import Id, Instant, Text, WholeNumber
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields, StrictSerializer
from config.kernel.api.views import REPLAYED, ApiView
from config.kernel.errors import Reason, Refusal
from config.kernel.messages import reason_sentence
from config.kernel.time_range import TimeRange
from instruments import queries


class OfferedIn(StrictSerializer):
    starts_at = Instant()
    ends_at = Instant()


class EqualIn(StrictSerializer):
    instrument = Id()
    starts_at = Instant()


class OutageDecisionIn(StrictSerializer):
    reservation = Id()
    choice = serializers.ChoiceField(choices=[one.value for one in Choice])
    times = serializers.ListField(
        child=OfferedIn(), required=False, default=list, max_length=MOST_TIMES, help_text="What is offered, for `offer` alone."
    )
    elsewhere = EqualIn(
        required=False,
        help_text="An equal instrument that is named to the customer, free from then on; with `another` it is offered as the new place.",
    )


class OutageDecisionsIn(StrictSerializer):
    decisions = serializers.ListField(child=OutageDecisionIn(), min_length=1, max_length=MOST_DECIDED)


class DowntimeIn(StrictSerializer):
    """``seen`` are the bookings that were looked at before: one that is not among them refuses the call (409, with their numbers)."""

    kind = serializers.ChoiceField(choices=[one.value for one in DowntimeKind], help_text="A breakdown begins now.")
    starts_at = Instant(required=False, help_text="For planned work.")
    ends_at = Instant()
    note = Text(max_length=NOTE_LENGTH, required=False, allow_blank=True, default="", help_text="For the lab alone.")
    words = Text(max_length=WORDS_LENGTH, required=False, allow_blank=True, default="", help_text="For the customers.")
    words_en = Text(max_length=WORDS_LENGTH, required=False, allow_blank=True, default="")
    plan = Id(required=False, help_text="The maintenance of this instrument that comes again, which it counts for.")
    seen = serializers.ListField(child=Id(), required=False, default=list, max_length=MOST_DECIDED)
    decisions = serializers.ListField(child=OutageDecisionIn(), required=False, default=list, max_length=MOST_DECIDED)


class UntilIn(StrictSerializer):
    ends_at = Instant()
    seen = serializers.ListField(child=Id(), required=False, default=list, max_length=MOST_DECIDED)


class WindowParameters(StrictSerializer):
    starts_at = Instant()
    ends_at = Instant()


class DealtProblemOut(serializers.Serializer):
    code = serializers.CharField()
    detail = serializers.CharField()


class EffectOut(serializers.Serializer):
    reservation = serializers.IntegerField()
    choice = serializers.ChoiceField(choices=[one.value for one in Choice], allow_blank=True)
    became = serializers.ChoiceField(choices=[one.value for one in Became])
    problems = DealtProblemOut(many=True)
    at = serializers.DateTimeField()


class DowntimeOut(serializers.Serializer):
    id = serializers.IntegerField()
    instrument = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=[one.value for one in DowntimeKind])
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    note = serializers.CharField()
    closed_at = serializers.DateTimeField(allow_null=True)
    bookings = EffectOut(many=True)


class EqualOut(serializers.Serializer):
    instrument = serializers.IntegerField()
    starts_at = serializers.DateTimeField()


class HitOut(serializers.Serializer):
    reservation = serializers.IntegerField()
    reference = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    state = serializers.CharField()
    choices = serializers.ListField(child=serializers.ChoiceField(choices=[one.value for one in Choice]))
    times = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))
    elsewhere = EqualOut(allow_null=True, help_text="An equal instrument that is free for as long, and from when.")
    runs = serializers.BooleanField(help_text="Its session is running: a breakdown ends it, planned work does not.")
    only_proposed = serializers.BooleanField(help_text="Not its time lies there, but one that was proposed for it.")


class PromiseAtRiskOut(serializers.Serializer):
    sample_job = serializers.IntegerField()
    reference = serializers.CharField()
    state = serializers.CharField()
    promised_on = serializers.DateField(allow_null=True)
    falls_due = serializers.BooleanField(help_text="The promised day lies in the outage; else only days of measuring do.")
    samples_lost = serializers.IntegerField(help_text="So many samples are to be measured on days of the outage.")
    suggested_on = serializers.DateField(
        allow_null=True, help_text="The first day for which the lab could promise it instead (`sample-jobs/{id}/promise/`)."
    )


class HitsOut(serializers.Serializer):
    hits = HitOut(many=True)
    more = serializers.IntegerField(help_text="Further ones, which are looked at once these are decided.")
    sample_jobs = PromiseAtRiskOut(many=True)
    more_sample_jobs = serializers.IntegerField()


class InstrumentDowntimesView(ApiView):
    """What is out of service now or planned, and saying so; for the managers of the instrument."""

    token_scopes = {"GET": "manage", "POST": "manage"}
    queryset = Downtime.objects.none()
    parameters_shapes = {"hits": WindowParameters}

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return DowntimeIn if self.action == "create" else DowntimeOut

    @extend_schema(responses=DowntimeOut(many=True))
    def list(self, request: Request, pk: str) -> Response:
        """What is not over, by start."""
        instrument = queries.instrument_for(self.actor, int(pk))
        self.actor.require_in(instrument.organisation_id, Role.LAB_MANAGER)
        rows = downtime_queries.downtime_detail(self.actor).filter(instrument=instrument, closed_at=None, ends_at__gt=self.now)
        return self.paged(rows.order_by("starts_at", "pk"), _shown)

    @extend_schema(parameters=[WindowParameters], responses=HitsOut)
    def hits(self, request: Request, pk: str) -> Response:
        """What an outage in this time would hit, and what could be done about it."""
        asked = self.parameters(request)
        instrument = queries.instrument_for(self.actor, int(pk))
        self.actor.require_in(instrument.organisation_id, Role.LAB_MANAGER)
        during = _range(asked["starts_at"], asked["ends_at"])
        found = downtime_queries.preview(self.actor, instrument, during, self.now)
        risks = promises_at_risk(self.actor, instrument, during, self.now)
        zone = ZoneInfo(instrument.site.time_zone)
        return Response(
            {
                "hits": [_hit(one, zone) for one in found.hits],
                "more": found.more,
                "sample_jobs": [_at_risk(one) for one in risks.jobs],
                "more_sample_jobs": risks.more,
            }
        )

    @extend_schema(parameters=[IDEMPOTENT], responses={201: DowntimeOut})
    def create(self, request: Request, pk: str) -> Response:
        """Take it out of service, then do with each booking what was decided; ``bookings`` says what became of each."""
        key, asked = self.idempotency_key(request), self.valid(request)
        kind = DowntimeKind(asked["kind"])
        outage = Outage(
            kind,
            downtimes.time_of(kind, asked.get("starts_at"), asked["ends_at"], self.now),
            asked["note"],
            asked["words"],
            asked["words_en"],
            _decisions(asked["decisions"]),
            frozenset(asked["seen"]),
            "starts_at" not in asked,
            asked.get("plan", 0),
        )
        made = downtimes.declare(self.actor, int(pk), outage, self.now, idempotency_key=key)
        return Response(_shown(get_visible(downtime_queries.downtime_detail(self.actor), self.actor, pk=made.pk)), status=201)


class DowntimeView(ApiView):
    """One downtime: its report, what is left, and its end."""

    token_scopes = {"GET": "manage", "POST": "manage"}
    queryset = Downtime.objects.none()

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        shapes: dict[str, type[serializers.BaseSerializer[Any]]] = {
            "decide": OutageDecisionsIn,
            "prolong": UntilIn,
            "close": NoFields,
        }
        return shapes.get(self.action or "", DowntimeOut)

    @extend_schema(responses=DowntimeOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """The downtime with what became of each booking."""
        return Response(self._one(int(pk)))

    @extend_schema(parameters=[IDEMPOTENT], responses=DowntimeOut)
    def decide(self, request: Request, pk: str) -> Response:
        """Do with bookings that were left what is decided now; each by itself. A repeated call does what the first one did not come to."""
        key, decisions = self.idempotency_key(request), _decisions(self.valid(request)["decisions"])
        replayed = downtimes.decide_once(self.actor, int(pk), decisions, self.now, idempotency_key=key)
        return Response(self._one(int(pk)), headers={REPLAYED: "true"} if replayed else None)

    @extend_schema(parameters=[IDEMPOTENT], responses=DowntimeOut)
    def prolong(self, request: Request, pk: str) -> Response:
        """Another end."""
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            downtimes.prolong(self.actor, int(pk), asked["ends_at"], asked["seen"], self.now)
            return self._one(int(pk))

        return self.once(request, "downtime.prolong", effect, status=200)

    @extend_schema(parameters=[IDEMPOTENT], responses=DowntimeOut)
    def close(self, request: Request, pk: str) -> Response:
        """It works again, or planned work is called off."""
        self.valid(request)

        def effect() -> dict[str, Any]:
            downtimes.close(self.actor, int(pk), self.now)
            return self._one(int(pk))

        return self.once(request, "downtime.close", effect, status=200)

    def _one(self, pk: int) -> dict[str, Any]:
        return _shown(get_visible(downtime_queries.downtime_detail(self.actor), self.actor, pk=pk))


class PlanIn(StrictSerializer):
    """``every_months`` or ``every_hours`` of use, or both: what comes first."""

    name = Text(max_length=maintenance_plans.NAME_LENGTH)
    kind = serializers.ChoiceField(choices=[one.value for one in DowntimeKind if one is not DowntimeKind.BREAKDOWN])
    every_months = WholeNumber(required=False, allow_null=True, default=None)
    every_hours = WholeNumber(required=False, allow_null=True, default=None)
    duration_minutes = WholeNumber()
    remind_days = WholeNumber(required=False, default=14)


class PlanOut(serializers.Serializer):
    id = serializers.IntegerField()
    instrument = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.CharField()
    every_months = serializers.IntegerField(allow_null=True)
    every_hours = serializers.IntegerField(allow_null=True)
    duration_minutes = serializers.IntegerField()
    remind_days = serializers.IntegerField()
    due_at = serializers.DateTimeField(allow_null=True)
    hours_left = serializers.IntegerField(allow_null=True, help_text="Hours of use until it is due; negative when it is over.")


class RemovedOut(serializers.Serializer):
    id = serializers.IntegerField()


class PlansView(ApiView):
    """Maintenance of an instrument that comes again."""

    token_scopes = {"GET": "manage", "POST": "manage"}
    queryset = MaintenancePlan.objects.none()

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return PlanIn if self.action == "create" else PlanOut

    @extend_schema(responses=PlanOut(many=True))
    def list(self, request: Request, pk: str) -> Response:
        """All of them, what is due first before the others."""
        instrument = queries.instrument_for(self.actor, int(pk))
        self.actor.require_in(instrument.organisation_id, Role.LAB_MANAGER)
        return self.paged(downtime_queries.plans_of(self.actor, instrument), lambda pair: _plan(*pair))

    @extend_schema(parameters=[IDEMPOTENT], responses={201: PlanOut})
    def create(self, request: Request, pk: str) -> Response:
        """Keep one."""
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            row = maintenance_plans.add(
                self.actor, int(pk), PlanFields(**{**asked, "kind": DowntimeKind(asked["kind"])}), self.now
            )
            return _plan(row, maintenance_plans.due_of_all([row])[row.pk])

        return self.once(request, "maintenance_plan.add", effect)


class PlanView(ApiView):
    """One plan: its next time, and its end."""

    token_scopes = {"POST": "manage"}
    queryset = MaintenancePlan.objects.none()
    serializer_class = NoFields

    @extend_schema(parameters=[IDEMPOTENT], responses={201: DowntimeOut})
    def next(self, request: Request, pk: str) -> Response:
        """Keep the next free time for it."""
        self.valid(request)

        def effect() -> dict[str, Any]:
            made = maintenance_plans.make_block(self.actor, int(pk), self.now)
            return _shown(get_visible(downtime_queries.downtime_detail(self.actor), self.actor, pk=made.pk))

        return self.once(request, "maintenance_plan.next", effect)

    @extend_schema(parameters=[IDEMPOTENT], responses=RemovedOut)
    def remove(self, request: Request, pk: str) -> Response:
        """Take it away; what was planned by it stays."""
        self.valid(request)

        def effect() -> dict[str, Any]:
            return {"id": maintenance_plans.remove(self.actor, int(pk), self.now).pk}

        return self.once(request, "maintenance_plan.remove", effect, status=200)


def _plan(row: MaintenancePlan, due: Due) -> dict[str, Any]:
    zone = ZoneInfo(row.instrument.site.time_zone)
    return {
        "id": row.pk,
        "instrument": row.instrument_id,
        "name": row.name,
        "kind": str(row.kind),
        "every_months": row.every_months,
        "every_hours": row.every_hours,
        "duration_minutes": row.duration_minutes,
        "remind_days": row.remind_days,
        "due_at": due.at.astimezone(zone).isoformat() if due.at else None,
        "hours_left": due.hours_left,
    }


def _range(starts_at: datetime, ends_at: datetime) -> TimeRange:
    if starts_at >= ends_at:
        raise Refusal.of("booking.range_invalid", "ends_at")
    return TimeRange(starts_at, ends_at)


def _decisions(asked: list[dict[str, Any]]) -> dict[int, Decision]:
    return {one["reservation"]: _decision(one) for one in asked}


def _decision(one: dict[str, Any]) -> Decision:
    times = tuple(_range(time["starts_at"], time["ends_at"]) for time in one["times"])
    equal = one.get("elsewhere")
    return Decision(Choice(one["choice"]), times, (equal["instrument"], equal["starts_at"]) if equal else None)


def _at_risk(one: Risk) -> dict[str, Any]:
    return {
        "sample_job": one.job.pk,
        "reference": one.job.reference,
        "state": one.job.state,
        "promised_on": one.job.promised_on.isoformat() if one.job.promised_on else None,
        "falls_due": one.falls_due,
        "samples_lost": one.samples_lost,
        "suggested_on": one.suggested_on.isoformat() if one.suggested_on else None,
    }


def _hit(one: Hit, zone: ZoneInfo) -> dict[str, Any]:
    row = one.reservation
    return {
        "reservation": row.pk,
        "reference": row.reference,
        "starts_at": row.starts_at.astimezone(zone).isoformat(),
        "ends_at": row.ends_at.astimezone(zone).isoformat(),
        "state": row.state,
        "choices": [choice.value for choice in one.choices],
        "times": [
            {"starts_at": time.starts_at.astimezone(zone).isoformat(), "ends_at": time.ends_at.astimezone(zone).isoformat()}
            for time in one.times
        ],
        "elsewhere": _equal(one.elsewhere) if one.elsewhere else None,
        "runs": one.runs,
        "only_proposed": one.only_proposed,
    }


def _equal(found: FoundTime) -> dict[str, Any]:
    zone = ZoneInfo(found.instrument.site.time_zone)
    return {"instrument": found.instrument.pk, "starts_at": found.during.starts_at.astimezone(zone).isoformat()}


def _shown(row: Downtime) -> dict[str, Any]:
    zone = ZoneInfo(row.instrument.site.time_zone)
    return {
        "id": row.pk,
        "instrument": row.instrument_id,
        "kind": row.kind,
        "starts_at": row.starts_at.astimezone(zone).isoformat(),
        "ends_at": row.ends_at.astimezone(zone).isoformat(),
        "note": row.note,
        "closed_at": row.closed_at.astimezone(zone).isoformat() if row.closed_at else None,
        "bookings": [
            {
                "reservation": one.reservation_id,
                "choice": one.choice,
                "became": one.became,
                "problems": [{"code": code, "detail": reason_sentence(Reason(code, params))} for code, params in one.reasons],
                "at": one.at.astimezone(zone).isoformat(),
            }
            for one in row.effects.all()
        ],
    }
