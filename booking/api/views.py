"""/api/v1/instruments/{id}/slots, /feed, /reservations and what is done with a reservation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, ClassVar, TypeVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from booking import queries
from booking.api import serializers as shapes
from booking.models import Reservation
from booking.ports import NOTHING_EXPECTED, Addons, ExpectedFigures
from booking.queries.spending import awaiting_leader
from booking.rules.deciding import Rivals, Verdict
from booking.rules.length import require_length
from booking.rules.policy import broken_rules
from booking.rules.service_facts import ServiceFacts
from booking.rules.slots import Slot
from booking.services import inbox, reservations, service_facts, transitions
from booking.services.context import BookingContext
from booking.services.deciding_many import Outcome
from booking.services.decision_rows import How
from booking.services.entering import Entered
from booking.services.inbox import Wish
from booking.services.reject_reasons import Why
from booking.services.reservations import ReservationRequest
from booking.services.state_writing import seen_by
from config.kernel.access import Actor, get_visible
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields, StrictSerializer
from config.kernel.api.views import REPLAYED, ApiView
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.messages import reason_sentence, sentence
from config.kernel.time_range import TimeRange
from instruments.hours_wording import closed_words
from instruments.rules.wall_time import local_day

T = TypeVar("T")
#: (actor, reservations) -> the JSON of ``FiguresOut`` by reservation id; money knows, booking only shows.
FiguresReader = Callable[[Actor, Iterable[Reservation]], Mapping[int, dict[str, Any]]]
#: Nobody means more than this in one request; looking at it would keep the server busy.


def _platform_zone() -> ZoneInfo:
    return ZoneInfo(settings.TIME_ZONE)


class SlotsView(ApiView):
    """Free and taken time of an instrument; anybody may look."""

    token_scopes = {"GET": "read"}
    permission_classes = [AllowAny]
    queryset = Reservation.objects.none()
    serializer_class = shapes.SlotsOut
    parameters_shapes = {"retrieve": shapes.SlotParameters}

    @extend_schema(parameters=[shapes.SlotParameters], responses=shapes.SlotsOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Days of the site from ``from`` on, as they are for my organisations: rows of open time, and why the rest is closed."""
        asked = self.parameters(request)
        week = queries.free_slots(self.actor, int(pk), asked.get("from"), asked["days"], self.now, None, asked["service_mode"])
        zone = week.context.zone
        words: dict[str, str] = {"": ""}
        for slot in (slot for day in week.days for slot in day.shown if slot.why not in words):
            words[slot.why] = _why(slot, week.context, self.now)
        days = [
            {
                "date": day.local_date.isoformat(),
                "slots": [
                    {
                        "starts_at": slot.range.starts_at.astimezone(zone).isoformat(),
                        "ends_at": slot.range.ends_at.astimezone(zone).isoformat(),
                        "free": slot.free,
                        "code": slot.why,
                        "reason": words[slot.why],
                    }
                    for slot in day.shown
                ],
                "closed": [
                    {
                        "starts_at": one.range.starts_at.astimezone(zone).isoformat(),
                        "ends_at": one.range.ends_at.astimezone(zone).isoformat(),
                        "cause": str(one.why.cause),
                        "reason": closed_words(one.why),
                    }
                    for one in day.closed
                ],
            }
            for day in week.days
        ]
        return Response({"instrument": week.context.instrument.pk, "time_zone": zone.key, "days": days})


def _why(slot: Slot, context: BookingContext, now: datetime) -> str:
    """Why a slot is not free, in words: the rule it breaks with its limits, or what stands in the way."""
    broken = broken_rules(context.policy, slot.range, context.zone, now)
    return next((reason_sentence(reason) for reason in broken if reason.code == slot.why), "") or sentence(slot.why, {})


class FeedView(ApiView):
    """What is taken on one day, over all instruments that one may see."""

    token_scopes = {"GET": "read"}
    queryset = Reservation.objects.none()
    serializer_class = shapes.FeedOut
    parameters_shapes = {"retrieve": shapes.FeedParameters}

    @extend_schema(parameters=[shapes.FeedParameters], responses=shapes.FeedOut)
    def retrieve(self, request: Request) -> Response:
        """Plain rows in UTC order of their calendar; who booked is told only to those who may know."""
        zone = _platform_zone()
        day: date = self.parameters(request)["date"]
        rows = [
            {
                "instrument": row.instrument_id,
                "starts_at": row.starts_at.astimezone(zone).isoformat(),
                "ends_at": row.ends_at.astimezone(zone).isoformat(),
                "kind": row.source,
                "reservation": row.reservation_id,
                "state": row.state if row.reservation_id is not None else "",
                "customer": row.label,
            }
            for row in queries.day_feed(self.actor, day, zone)
        ]
        return Response({"date": day.isoformat(), "time_zone": zone.key, "results": rows})


class ReservationView(ApiView):
    """Asking for time, and reading what was asked for."""

    token_scopes = {"GET": "read", "POST": "book"}
    queryset = Reservation.objects.none()
    parameters_shapes = {"list": shapes.ReservationParameters}
    figures_of: FiguresReader | None = None

    def get_serializer_class(self) -> type[BaseSerializer]:
        return shapes.ReservationIn if self.action == "create" else shapes.ReservationOut

    @extend_schema(parameters=[shapes.ReservationParameters], responses=shapes.ReservationOut(many=True))
    def list(self, request: Request) -> Response:
        """The reservations that one may see, the latest start first."""
        asked = self.parameters(request)
        page = self.paginate_queryset(_narrowed(queries.reservations_visible(self.actor), asked)) or []
        figures, unagreed = self._figures(page), awaiting_leader(self.actor, page)
        return self.get_paginated_response([_shown(row, figures.get(row.pk), row.pk in unagreed) for row in page])

    @extend_schema(responses=shapes.ReservationDetailOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One reservation with its figures and its history."""
        found = get_visible(queries.reservation_detail(self.actor), self.actor, pk=int(pk))
        zone = ZoneInfo(found.instrument.site.time_zone)
        history = [
            {
                "action": step.action,
                "from_state": step.from_state,
                "to_state": step.to_state,
                "by": str(step.actor) if step.actor else "",
                "at": step.at.astimezone(zone).isoformat(),
                "reason": step.reason,
            }
            for step in found.transitions.all()
        ]
        waits = bool(awaiting_leader(self.actor, [found]))
        return Response({**_shown(found, self._figures([found]).get(found.pk), waits), "transitions": history})

    @extend_schema(parameters=[IDEMPOTENT], responses={201: shapes.ReservedOut, 200: shapes.ReservedOut})
    def create(self, request: Request) -> Response:
        """Ask for a reservation. 200 when this Idempotency-Key has asked before; taken time is told with alternatives (409)."""
        key, asked = self.idempotency_key(request), self.valid(request)
        reserved = reservations.reserve(self.actor, _request(asked), self.now, idempotency_key=key)
        body: dict[str, Any] = {
            "id": reserved.reservation_id,
            "state": reserved.state,
            "url": reverse("api_reservation", args=[reserved.reservation_id]),
        }
        if reserved.replayed:
            return Response(body, headers={REPLAYED: "true"})
        return Response(body, status=201, headers={"Location": body["url"]})

    def _figures(self, rows: Iterable[Reservation]) -> Mapping[int, dict[str, Any]]:
        if self.figures_of is None:
            raise RuntimeError("the routes of reservations need a reader of figures")
        return self.figures_of(self.actor, rows)


class ReservationActionView(ApiView):
    """One step in the life of a reservation, once for its Idempotency-Key."""

    queryset = Reservation.objects.none()
    bodies: ClassVar[Mapping[str, type[StrictSerializer]]] = {
        "approve": shapes.SeenIn,
        "cancel": shapes.CancelIn,
        "reject": shapes.RejectIn,
        "check_in": shapes.CheckInIn,
        "check_out": shapes.NoteIn,
    }

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", NoFields)

    def step(
        self,
        request: Request,
        pk: str,
        act: Callable[[int, dict[str, Any]], T],
        told: Callable[[T], dict[str, Any]] = lambda _done: {},
    ) -> Response:
        """Do ``act`` once and answer with the state after it, and what ``told`` says of it; a conflict that was written down is answered
        again as such."""
        values, reservation_id = self.valid(request), int(pk)

        def effect() -> dict[str, Any]:
            try:
                done = act(reservation_id, values)
            except Conflict as conflict:
                if conflict.reasons[0].code not in _KEPT:
                    raise
                return {"refused": [[reason.code, reason.params, reason.field] for reason in conflict.reasons]}
            return {"id": reservation_id, "state": self._state(reservation_id), **told(done)}

        answer = self.once(request, f"reservation.{self.action}", effect, status=200)
        if "refused" in answer.data:
            raise Conflict(*(Reason(code, params, field) for code, params, field in answer.data["refused"]))
        return answer

    def _state(self, reservation_id: int) -> str:
        return str(seen_by(self.actor, reservation_id).state)


#: Refusals that leave something behind (new figures for the customer), so that their transaction must be kept.
_KEPT = frozenset({"booking.figures_changed"})


class CustomerActionView(ReservationActionView):
    """What the customer does; with a token of scope ``book``."""

    token_scopes = {"POST": "book"}

    @extend_schema(parameters=[IDEMPOTENT], responses=shapes.StateOut)
    def cancel(self, request: Request, pk: str) -> Response:
        """Give the time back; the lab may do so too and then says why. 409 when the fee is more than was seen."""

        def act(key: int, values: dict[str, Any]) -> object:
            return transitions.cancel(self.actor, key, self.now, values["reason"], values.get("expected_fee_fen"))

        return self.step(request, pk, act)


class FactsView(ReservationActionView):
    """What the customer says of the service; with a token of scope ``book``."""

    token_scopes = {"POST": "book"}
    bodies = {"facts": shapes.FactsIn}

    @extend_schema(parameters=[IDEMPOTENT], responses=shapes.FactsOut)
    def facts(self, request: Request, pk: str) -> Response:
        """Correct it, as the customer or the lab, until the session is agreed. Research project and direction are corrected of a request
        alone, and stay once money is held or kept: 409 with the figures (``facts.dearer``) where it would cost more; send them as
        ``expected`` to accept them."""

        def act(key: int, values: dict[str, Any]) -> ServiceFacts:
            said = {name: text for name, text in values.items() if name != "expected"}
            before = seen_by(self.actor, key).service_facts
            service_facts.correct(self.actor, key, replace(before, **said), self.now, expected_of(values), seen=before)
            return seen_by(self.actor, key).service_facts

        return self.step(request, pk, act, lambda facts: {**facts.document(), **shapes.said_json(facts.said)})


class LabActionView(ReservationActionView):
    """What the lab does; with a token of scope ``manage``."""

    token_scopes = {"POST": "manage"}

    @extend_schema(parameters=[IDEMPOTENT], responses=shapes.ApprovedOut)
    def approve(self, request: Request, pk: str) -> Response:
        """Approve a request and hold its money. 409 when the customer has to accept new figures first, or has moved it from the time
        that was looked at (where that is given). Where the lab lets requests compete, the others that want the time are declined with it
        (``rivals``)."""

        def act(key: int, values: Mapping[str, Any]) -> Outcome:
            wish = Wish(Verdict.APPROVE, assistant_id=values.get("assistant"), rivals=rivals_of(values))
            return inbox.decide(self.actor, key, wish, self.now, _how(values), seen=_seen(values))

        return self.step(request, pk, act, lambda done: {"declined": done.declined})

    @extend_schema(parameters=[IDEMPOTENT], responses=shapes.StateOut)
    def reject(self, request: Request, pk: str) -> Response:
        """Refuse a request with a reason."""
        return self.step(
            request, pk, lambda key, values: inbox.decide(self.actor, key, _rejected(values), self.now, _how(values))
        )

    @extend_schema(parameters=[IDEMPOTENT], responses=shapes.StateOut)
    def check_in(self, request: Request, pk: str) -> Response:
        """Start the session now. Where the person holds no licence for it any more, say why it goes on (``override_reason``)."""

        def act(key: int, values: dict[str, Any]) -> None:
            transitions.check_in(self.actor, key, self.now, values["override_reason"])

        return self.step(request, pk, act)

    @extend_schema(parameters=[IDEMPOTENT], responses=shapes.StateOut)
    def check_out(self, request: Request, pk: str) -> Response:
        """End the session now; its use is charged once the customer agrees too."""
        return self.step(request, pk, lambda key, values: transitions.check_out(self.actor, key, self.now, values["note"]))

    @extend_schema(parameters=[IDEMPOTENT], responses=shapes.StateOut)
    def no_show(self, request: Request, pk: str) -> Response:
        """Nobody came."""
        return self.step(request, pk, lambda key, values: transitions.mark_no_show(self.actor, key, self.now))


def rivals_of(values: Mapping[str, Any]) -> Rivals | None:
    """What the caller says about the others that want the time."""
    return Rivals(values["rivals"]) if values.get("rivals") else None


def _how(values: Mapping[str, Any]) -> How:
    return How(undo=values["undo"])


def _rejected(values: Mapping[str, Any]) -> Wish:
    return Wish(Verdict.REJECT, Why(values["choice"], values["reason"]))


def range_of(asked: Mapping[str, Any]) -> TimeRange:
    """The asked time. Raises Refusal ``booking.range_invalid`` / ``booking.range_too_long``."""
    starts_at, ends_at = asked["starts_at"], asked["ends_at"]
    if starts_at >= ends_at:
        raise Refusal.of("booking.range_invalid", field="ends_at")
    require_length(ends_at - starts_at)
    return TimeRange(starts_at, ends_at)


def _seen(asked: Mapping[str, Any]) -> TimeRange | None:
    """The time that the caller says was looked at. Raises as ``range_of``."""
    return range_of(asked["seen"]) if asked.get("seen") else None


def expected_of(asked: Mapping[str, Any]) -> ExpectedFigures:
    """The figures that the caller says the customer saw."""
    seen = asked.get("expected")
    return ExpectedFigures(seen.get("payable_now_fen"), seen.get("final_cost_fen")) if seen else NOTHING_EXPECTED


def chosen_of(asked: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    """The add-ons that are asked for, with how many."""
    return tuple((each["addon"], each["quantity"]) for each in asked["addons"])


def addons_of(asked: Mapping[str, Any]) -> Addons:
    """The same with what the caller saw that they come to."""
    return Addons(chosen_of(asked), asked.get("expected_addons_fen"))


def _request(asked: Mapping[str, Any]) -> ReservationRequest:
    """Raises Refusal ``entry.or_colleague`` where it is told twice for whom it is."""
    entered = asked.get("entered")
    if entered and asked.get("for_person") is not None:
        raise Refusal.of("entry.or_colleague", "for_person")
    return ReservationRequest(
        instrument_id=asked["instrument"],
        organisation_id=asked["organisation"],
        during=range_of(asked),
        service_mode=asked["service_mode"],
        purpose=asked["purpose"],
        research_project=asked["research_project"],
        service_direction=asked["service_direction"],
        fund_source=asked["fund_source"],
        said=shapes.said_of(asked),
        expected=expected_of(asked),
        override_reason=asked["override_reason"],
        fund_card_id=asked.get("fund_card"),
        for_person_id=entered["person"] if entered else asked.get("for_person"),
        entered=Entered(entered["email"], entered["customer_yes"]) if entered else None,
        addons=addons_of(asked),
    )


def _narrowed(rows: QuerySet[Reservation], asked: Mapping[str, Any]) -> QuerySet[Reservation]:
    if "state" in asked:
        rows = rows.filter(state=asked["state"])
    if "instrument" in asked:
        rows = rows.filter(instrument_id=asked["instrument"])
    if "from" in asked:
        rows = rows.filter(ends_at__gt=local_day(asked["from"], _platform_zone()).starts_at)
    if "to" in asked:
        rows = rows.filter(starts_at__lt=local_day(asked["to"], _platform_zone()).ends_at)
    return rows


def _shown(row: Reservation, figures: dict[str, Any] | None, awaits_leader: bool) -> dict[str, Any]:
    zone = ZoneInfo(row.instrument.site.time_zone)

    def local(moment: datetime) -> str:
        return moment.astimezone(zone).isoformat()

    return {
        "id": row.pk,
        "reference": row.reference,
        "state": row.state,
        "instrument": {"id": row.instrument_id, "name": row.instrument.name},
        "organisation": {"id": row.organisation_id, "name": row.organisation.name},
        "requested_by": str(row.requested_by),
        "booked_by": str(row.booked_by) if row.booked_by else "",
        "starts_at": local(row.starts_at),
        "ends_at": local(row.ends_at),
        "service_mode": row.service_mode,
        "purpose": row.purpose,
        "research_project": row.research_project,
        "service_direction": row.service_direction,
        "fund_source": row.fund_source,
        **shapes.said_json(row.said),
        "imported": row.imported,
        "awaits_leader": awaits_leader,
        "created_at": local(row.created_at),
        "figures": figures,
    }
