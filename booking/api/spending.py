"""/api/v1/leader-approvals and /reservations/{id}/fund-card: what a group's leader agrees to, and what a booking is paid from."""

from __future__ import annotations

from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from booking.api.inbox import DecidedProblemOut
from booking.api.serializers import NeededReasonIn, StateOut
from booking.api.views import ReservationActionView
from booking.models import LeaderApproval, Reservation, SampleJob
from booking.queries import spending as queries
from booking.rules.deciding import MOST_TOGETHER
from booking.rules.spending import LeaderState
from booking.services import leader_answers
from booking.services.leader_answers import Answered
from config.kernel.access import get_visible
from config.kernel.api.fields import Id, Text
from config.kernel.api.problems import status_of
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields, PageParameters, StrictSerializer
from config.kernel.api.views import ApiView
from config.kernel.messages import reason_sentence


class ChosenCardIn(StrictSerializer):
    fund_card = Id(help_text="A card of a group for which I spend.")


class AnswersIn(StrictSerializer):
    approvals = serializers.ListField(child=Id(), min_length=1, max_length=MOST_TOGETHER)
    answer = serializers.ChoiceField(choices=["agree", "decline"])
    reason = Text(
        max_length=2000, required=False, allow_blank=True, default="", help_text="Needed to decline; read by who asked."
    )


class AnsweredOut(serializers.Serializer):
    approval = serializers.IntegerField()
    done = serializers.BooleanField()
    status = serializers.IntegerField(help_text="The status that answering this one alone would have had.")
    problems = DecidedProblemOut(many=True)


class AnswersOut(serializers.Serializer):
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    results = AnsweredOut(many=True)


class ApprovalParameters(PageParameters):
    mine = serializers.BooleanField(required=False, default=False, help_text="Only what waits for me.")


class LeaderApprovalOut(serializers.Serializer):
    id = serializers.IntegerField()
    reservation = serializers.IntegerField(allow_null=True)
    sample_job = serializers.IntegerField(allow_null=True, help_text="Instead of a reservation.")
    reference = serializers.CharField()
    instrument = serializers.CharField(help_text="Of samples: the test item.")
    requested_by = serializers.CharField()
    leader = serializers.CharField()
    starts_at = serializers.DateTimeField(
        allow_null=True, help_text="With the offset of the instrument's site; samples have none."
    )
    ends_at = serializers.DateTimeField(allow_null=True)
    arrive_on = serializers.DateField(allow_null=True, help_text="The lab's local day on which samples come.")
    asked_fen = serializers.IntegerField(help_text="What would be paid; a yes covers everything up to it.")
    state = serializers.ChoiceField(choices=[str(state) for state in LeaderState])
    reason = serializers.CharField()


def approval_out(row: LeaderApproval) -> dict[str, Any]:
    """One question to a leader. The card's own figures are not told: the lab reads this too."""
    card = row.card
    return {
        "id": row.pk,
        **(_booked(row.reservation) if row.reservation is not None else {}),
        **(_sent(row.sample_job) if row.sample_job is not None else {}),
        "leader": str(card.group.leader) if card else "",
        "asked_fen": row.asked_fen,
        "state": row.state,
        "reason": row.reason,
    }


def _booked(reservation: Reservation) -> dict[str, Any]:
    zone = ZoneInfo(reservation.instrument.site.time_zone)
    return {
        "reservation": reservation.pk,
        "sample_job": None,
        "reference": reservation.reference,
        "instrument": reservation.instrument.name,
        "requested_by": str(reservation.requested_by),
        "starts_at": reservation.starts_at.astimezone(zone).isoformat(),
        "ends_at": reservation.ends_at.astimezone(zone).isoformat(),
        "arrive_on": None,
    }


def _sent(job: SampleJob) -> dict[str, Any]:
    return {
        "reservation": None,
        "sample_job": job.pk,
        "reference": job.reference,
        "instrument": job.resource.name,
        "requested_by": str(job.requested_by),
        "starts_at": None,
        "ends_at": None,
        "arrive_on": job.arrive_on.isoformat(),
    }


class LeaderApprovalView(ApiView):
    """The leader's inbox; with a token of scope ``book``."""

    token_scopes = {"GET": "read", "POST": "book"}
    queryset = LeaderApproval.objects.none()
    parameters_shapes = {"list": ApprovalParameters}
    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {"decline": NeededReasonIn, "answers": AnswersIn}

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", NoFields)

    @extend_schema(parameters=[IDEMPOTENT], responses=AnswersOut)
    def answers(self, request: Request) -> Response:
        """Several at once, such as the times of a series, each by itself. 200 also when some failed: ``results`` says why."""
        asked = self.valid(request)

        def effect() -> dict[str, Any]:
            agrees = asked["answer"] == "agree"
            found = leader_answers.answer_all(self.actor, asked["approvals"], agrees, self.now, asked["reason"])
            failed = sum(one.refusal is not None for one in found)
            return {"done": len(found) - failed, "failed": failed, "results": [_result(one) for one in found]}

        return self.once(request, "spending.answers", effect, status=200)

    @extend_schema(parameters=[ApprovalParameters], responses=LeaderApprovalOut(many=True))
    def list(self, request: Request) -> Response:
        """What leaders were asked about bookings and sample jobs that I may see."""
        mine = self.parameters(request)["mine"]
        return self.paged(queries.waiting_for(self.actor) if mine else queries.leader_approvals(self.actor), approval_out)

    @extend_schema(parameters=[IDEMPOTENT], responses=LeaderApprovalOut)
    def agree(self, request: Request, pk: str) -> Response:
        """The leader agrees; where the lab asks for no approval, the booking is approved with it."""
        self.valid(request)
        return self.once(request, "spending.agree", lambda: self._agreed(int(pk)), status=200)

    @extend_schema(parameters=[IDEMPOTENT], responses=LeaderApprovalOut)
    def decline(self, request: Request, pk: str) -> Response:
        """The leader does not agree, and says why: the request or the job is over."""
        reason = self.valid(request)["reason"]
        return self.once(request, "spending.decline", lambda: self._declined(int(pk), reason), status=200)

    def _agreed(self, pk: int) -> dict[str, Any]:
        leader_answers.agree(self.actor, pk, self.now)
        return self._shown(pk)

    def _declined(self, pk: int, reason: str) -> dict[str, Any]:
        leader_answers.decline(self.actor, pk, self.now, reason)
        return self._shown(pk)

    def _shown(self, pk: int) -> dict[str, Any]:
        return approval_out(get_visible(queries.leader_approvals(self.actor), self.actor, pk=pk))


def _result(one: Answered) -> dict[str, Any]:
    reasons = one.refusal.reasons if one.refusal else ()
    return {
        "approval": one.approval_id,
        "done": one.refusal is None,
        "status": status_of(one.refusal) if one.refusal else 200,
        "problems": [{"code": each.code, "field": each.field, "detail": reason_sentence(each)} for each in reasons],
    }


class CardView(ReservationActionView):
    """Who asked for a booking puts it on another card, until its use begins; with a token of scope ``book``."""

    token_scopes = {"POST": "book"}
    bodies = {"fund_card": ChosenCardIn}

    @extend_schema(parameters=[IDEMPOTENT], responses=StateOut)
    def fund_card(self, request: Request, pk: str) -> Response:
        """What the old card keeps comes back, the new one keeps it; its group's leader is asked where that is needed."""
        return self.step(
            request, pk, lambda key, values: leader_answers.choose_card(self.actor, key, values["fund_card"], self.now)
        )
