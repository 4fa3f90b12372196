"""/api/v1/inbox: the requests that wait for one's labs, and deciding many of them with one call."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from booking.api.serializers import NamedOut, SeenTimeIn, StateOut, rivals_field
from booking.api.views import range_of, rivals_of
from booking.models import Reservation
from booking.queries import inbox as inbox_queries
from booking.queries.inbox import Pending
from booking.rules.deciding import MOST_TOGETHER, Risk, Verdict
from booking.services import deciders, decisions, inbox
from booking.services.deciding_many import Outcome
from booking.services.inbox import Wish
from booking.services.reject_reasons import Why
from config.kernel.access import visible_to
from config.kernel.api.fields import Id, Text
from config.kernel.api.problems import status_of
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields, StrictSerializer
from config.kernel.api.views import ApiView
from config.kernel.messages import reason_sentence


class PendingOut(serializers.Serializer):
    id = serializers.IntegerField()
    reference = serializers.CharField()
    instrument = NamedOut()
    organisation = NamedOut()
    requested_by = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    waits_minutes = serializers.IntegerField(help_text="How long it has waited.")
    promised_minutes = serializers.IntegerField(help_text="Within how long the lab promises to answer.")
    overdue = serializers.BooleanField()
    risks = serializers.ListField(child=serializers.ChoiceField(choices=[str(risk) for risk in Risk]))
    other_time_proposed = serializers.BooleanField(help_text="The customer was asked to take another time.")
    question_asked = serializers.BooleanField(help_text="The lab asked the customer something and has heard nothing yet.")
    own = serializers.BooleanField(help_text="You asked for it yourself: a colleague has to decide.")
    series = serializers.IntegerField(allow_null=True, help_text="The series that it is a time of.")
    ordinal = serializers.IntegerField(allow_null=True, help_text="Which time of the series it is, from 1.")
    planned = serializers.IntegerField(allow_null=True, help_text="How many times the series means.")
    group = serializers.IntegerField(
        allow_null=True, help_text="What was asked for together with other instruments, all or none."
    )


class SeenRequestIn(SeenTimeIn):
    reservation = Id()


class DecisionsIn(StrictSerializer):
    reservations = serializers.ListField(child=Id(), min_length=1, max_length=MOST_TOGETHER)
    seen = serializers.ListField(
        child=SeenRequestIn(),
        max_length=MOST_TOGETHER,
        required=False,
        default=list,
        help_text="The times that were looked at: what has moved since is not decided.",
    )
    decision = serializers.ChoiceField(choices=[str(verdict) for verdict in Verdict])
    reason = Text(
        max_length=2000, required=False, allow_blank=True, default="", help_text="Needed to reject; read by the customers."
    )
    choice = Text(
        max_length=100, required=False, allow_blank=True, default="", help_text="A ready sentence: see reject-reasons of the lab."
    )
    rivals = rivals_field()


class RivalsIn(StrictSerializer):
    reservations = serializers.ListField(child=Id(), min_length=1, max_length=MOST_TOGETHER)


class RivalOut(serializers.Serializer):
    id = serializers.IntegerField()
    reference = serializers.CharField()
    organisation = NamedOut()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class RivalryOut(serializers.Serializer):
    reservation = serializers.IntegerField()
    rivals = RivalOut(many=True, help_text="Each is named once, with the first whose time it wants.")


class DecidedProblemOut(serializers.Serializer):
    code = serializers.CharField()
    field = serializers.CharField()
    detail = serializers.CharField()


class DecidedOut(serializers.Serializer):
    reservation = serializers.IntegerField()
    done = serializers.BooleanField()
    status = serializers.IntegerField(help_text="The status that deciding this one alone would have had.")
    problems = DecidedProblemOut(many=True)
    declined = serializers.ListField(
        child=serializers.IntegerField(), help_text="Other requests for the same time that were declined with it."
    )


class DecisionsOut(serializers.Serializer):
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    results = DecidedOut(many=True)


class InboxView(ApiView):
    """What waits; with a token of scope ``read``."""

    token_scopes = {"GET": "read"}
    queryset = Reservation.objects.none()
    serializer_class = PendingOut

    @extend_schema(responses=PendingOut(many=True))
    def list(self, request: Request) -> Response:
        """The requests that wait for one's labs, those that begin soonest first, with what deserves a second look."""
        deciders.require_inbox(self.actor)
        return self.paged_together(
            inbox_queries.waiting(self.actor),
            lambda rows: [_shown(one) for one in inbox_queries.pending_of(self.actor, rows, self.now)],
        )


class DecisionsView(ApiView):
    """Deciding many; with a token of scope ``manage``."""

    token_scopes = {"POST": "manage"}
    queryset = Reservation.objects.none()
    serializer_class = DecisionsIn

    @extend_schema(parameters=[IDEMPOTENT], responses={200: DecisionsOut})
    def create(self, request: Request) -> Response:
        """Each is decided by itself. 200 also when some failed: ``results`` says why. What was done can be taken back for ten seconds,
        and is told after them. The same Idempotency-Key decides nothing twice and tries again what failed."""
        key, asked = self.idempotency_key(request), self.valid(request)
        deciders.require_inbox(self.actor)
        wish = Wish(Verdict(asked["decision"]), Why(asked["choice"], asked["reason"]), rivals=rivals_of(asked))
        seen = {one["reservation"]: range_of(one) for one in asked["seen"]}
        results = inbox.decide_all(self.actor, asked["reservations"], wish, self.now, seen=seen, idempotency_key=key)
        failed = sum(one.refusal is not None for one in results)
        return Response(
            {"done": len(results) - failed, "failed": failed, "results": [_result(one) for one in results]},
            status=200,
        )


class RivalsView(ApiView):
    """Looking before deciding many; with a token of scope ``read``."""

    token_scopes = {"POST": "read"}
    queryset = Reservation.objects.none()
    serializer_class = RivalsIn

    @extend_schema(responses=RivalryOut(many=True), operation_id="inbox_rivals")
    def create(self, request: Request) -> Response:
        """Which other requests approving all of these would decline with them, where requests compete for a time. Nothing is decided;
        ``rivals: keep`` lets them wait."""
        asked = self.valid(request)
        deciders.require_inbox(self.actor)
        found = inbox.rivals_of_all(self.actor, asked["reservations"])
        return Response([{"reservation": one.request.pk, "rivals": [_rival(each) for each in one.rivals]} for one in found])


class TakeBackView(ApiView):
    """Taking back one's own decision; with a token of scope ``manage``."""

    token_scopes = {"POST": "manage"}
    queryset = Reservation.objects.none()
    serializer_class = NoFields

    @extend_schema(parameters=[IDEMPOTENT], responses=StateOut)
    def take_back(self, request: Request, pk: str) -> Response:
        """The request waits again; possible for ten seconds after a decision of the inbox."""
        self.valid(request)

        def effect() -> dict[str, Any]:
            decisions.take_back(self.actor, int(pk), self.now)
            state = visible_to(Reservation.objects.filter(pk=int(pk)), self.actor).values_list("state", flat=True).get()
            return {"id": int(pk), "state": state}

        return self.once(request, "reservation.take_back", effect, status=200)


def _result(one: Outcome) -> dict[str, Any]:
    reasons = one.refusal.reasons if one.refusal else ()
    return {
        "reservation": one.pk,
        "done": one.refusal is None,
        "status": status_of(one.refusal) if one.refusal else 200,
        "problems": [{"code": why.code, "field": why.field, "detail": reason_sentence(why)} for why in reasons],
        "declined": one.declined,
    }


def _rival(row: Reservation) -> dict[str, Any]:
    zone = ZoneInfo(row.instrument.site.time_zone)
    return {
        "id": row.pk,
        "reference": row.reference,
        "organisation": {"id": row.organisation_id, "name": row.organisation.name},
        "starts_at": row.starts_at.astimezone(zone).isoformat(),
        "ends_at": row.ends_at.astimezone(zone).isoformat(),
    }


def _shown(one: Pending) -> dict[str, Any]:
    row = one.reservation
    zone = ZoneInfo(row.instrument.site.time_zone)
    return {
        "id": row.pk,
        "reference": row.reference,
        "instrument": {"id": row.instrument_id, "name": row.instrument.name},
        "organisation": {"id": row.organisation_id, "name": row.organisation.name},
        "requested_by": str(row.requested_by),
        "starts_at": row.starts_at.astimezone(zone).isoformat(),
        "ends_at": row.ends_at.astimezone(zone).isoformat(),
        "created_at": row.created_at.astimezone(zone).isoformat(),
        "waits_minutes": one.age.minutes,
        "promised_minutes": one.age.promise_minutes,
        "overdue": one.overdue,
        "risks": [str(risk) for risk in one.risks],
        "own": one.own,
        "series": row.series_id,
        "ordinal": row.ordinal,
        "planned": row.series.planned if row.series is not None else None,
        "group": row.group_id,
        "other_time_proposed": one.suggested,
        "question_asked": one.questioned,
    }
