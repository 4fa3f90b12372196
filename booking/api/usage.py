"""/api/v1/: the use behind a reservation and its review, devices, runs that do not add up, close-out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, cast
from zoneinfo import ZoneInfo

from django.urls import URLPattern, re_path
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from rest_framework import authentication, exceptions
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from booking import queries
from booking.api import usage_shapes as shapes
from booking.api.serializers import NeededReasonIn, StateOut
from booking.api.views import ReservationActionView, range_of
from booking.models import CheckInPoint, CloseOut, DeviceKey, DeviceRun, Reservation, UsageSession
from booking.ports import NOTHING_EXPECTED, ExpectedFigures
from booking.queries import usage as usage_queries
from booking.rules.device_runs import EventKind
from booking.services import (
    check_in_points,
    close_out,
    device_events,
    device_keys,
    extending,
    late_entry,
    self_service,
    usage_problems,
    usage_review,
)
from booking.services.close_out import Closing
from booking.services.device_events import Batch, Told
from booking.services.late_entry import Entry
from config.kernel.access import get_visible
from config.kernel.api.routes import ID
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields, StrictSerializer
from config.kernel.api.views import ApiView
from config.kernel.errors import NotFound, Reason, Refusal
from config.kernel.messages import reason_sentence
from config.kernel.time_range import TimeRange


class UsageView(ApiView):
    """The actual use behind a reservation: what was measured, what is charged, where the agreement stands."""

    token_scopes = {"GET": "read"}
    queryset = UsageSession.objects.none()
    serializer_class = shapes.UsageOut

    @extend_schema(responses=shapes.UsageOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """404 while nobody has started it."""
        found = get_visible(queries.reservations_visible(self.actor), self.actor, pk=int(pk))
        session: UsageSession | None = getattr(found, "session", None)
        if session is None:
            raise NotFound.of("access.not_found", model="usagesession")
        wish = usage_queries.wish_of(self.actor, found)
        dispute = usage_queries.dispute_of(self.actor, found)
        closed = usage_queries.close_out_of(self.actor, found)
        zone = ZoneInfo(found.instrument.site.time_zone)
        return Response(
            {
                **_usage(found, session, zone),
                "adjustment": {
                    "proposed": _span(wish.starts_at, wish.ends_at, zone),
                    "reason": wish.reason,
                    "state": wish.state,
                    "answer": wish.answer,
                }
                if wish
                else None,
                "dispute": {
                    "reason": dispute.reason,
                    "decision": dispute.decision,
                    "decision_reason": dispute.decision_reason,
                }
                if dispute
                else None,
                "close_out": _closed(closed) if closed else None,
            }
        )


class UsageStepView(ReservationActionView):
    """What both sides do with the use of a reservation; with a token of scope ``book`` (customers) or ``manage`` (labs)."""

    bodies: ClassVar[Mapping[str, type[StrictSerializer]]] = {
        "start": shapes.StartIn,
        "end": shapes.EndIn,
        "extend": shapes.ExtendIn,
        "extend_for_customer": shapes.ExtendForCustomerIn,
        "adjust": shapes.AdjustIn,
        "charge_less": shapes.AdjustIn,
        "dispute": NeededReasonIn,
        "refuse_adjustment": shapes.AnswerIn,
        "decide": shapes.DecideIn,
    }


class CustomerUsageView(UsageStepView):
    """What the customer does."""

    token_scopes = {"POST": "book"}

    @extend_schema(parameters=[IDEMPOTENT], responses=StateOut)
    def start(self, request: Request, pk: str) -> Response:
        """Start one's session now, as on the phone at the instrument: with the proof that its code was read a moment ago
        (`check_in.scan_again` without), and a licence of one's own where the session needs one."""

        def act(key: int, given: dict[str, Any]) -> None:
            at_id = check_in_points.stands_at(self.actor, key, given["proof"], self.now)
            self_service.start(self.actor, key, given["ticks"], self.now, at_id=at_id)

        return self.step(request, pk, act)

    @extend_schema(parameters=[IDEMPOTENT], responses=StateOut)
    def end(self, request: Request, pk: str) -> Response:
        """End one's session now."""
        return self.step(request, pk, lambda key, given: self_service.end(self.actor, key, agrees=given["agrees"], now=self.now))

    @extend_schema(parameters=[IDEMPOTENT], responses=StateOut)
    def extend(self, request: Request, pk: str) -> Response:
        """Let a running session end later; refused with what is free, or with the figures when others were expected."""

        def act(key: int, given: dict[str, Any]) -> None:
            extending.extend(self.actor, key, given["ends_at"], _expected(given), self.now)

        return self.step(request, pk, act)

    @extend_schema(parameters=[IDEMPOTENT], responses=StateOut)
    def agree(self, request: Request, pk: str) -> Response:
        """Say yes to the times for one's side; with the second yes the use is charged."""
        return self.step(request, pk, lambda key, given: _nothing(usage_review.agree(self.actor, key, self.now)))

    @extend_schema(parameters=[IDEMPOTENT], responses=StateOut)
    def adjust(self, request: Request, pk: str) -> Response:
        """Ask to be charged for other times, or for nothing."""

        def act(key: int, given: dict[str, Any]) -> None:
            usage_review.ask_adjustment(self.actor, key, _proposed(given), given["reason"], self.now)

        return self.step(request, pk, act)

    @extend_schema(parameters=[IDEMPOTENT], responses=StateOut)
    def dispute(self, request: Request, pk: str) -> Response:
        """Do not agree: somebody of the owner who had no part in it decides."""
        return self.step(
            request, pk, lambda key, given: _nothing(usage_review.dispute(self.actor, key, given["reason"], self.now))
        )


class CheckInProofView(ApiView):
    """That somebody has just read the code at an instrument."""

    token_scopes = {"POST": "book"}
    queryset = CheckInPoint.objects.none()
    serializer_class = shapes.CodeIn

    @extend_schema(responses=shapes.ProofOut)
    def create(self, request: Request) -> Response:
        """For the code: a proof for this person and instrument, good for 15 minutes. Nothing is written."""
        proof = check_in_points.read_code(self.actor, self.valid(request)["code"], self.now)
        instrument = check_in_points.instrument_of(self.actor, proof, self.now)
        zone = ZoneInfo(instrument.site.time_zone)
        good_until = _local(self.now + check_in_points.GOOD_FOR, zone)
        return Response({"proof": proof, "instrument": instrument.pk, "good_until": good_until})


class LabUsageView(UsageStepView):
    """What the lab does."""

    token_scopes = {"POST": "manage"}

    @extend_schema(parameters=[IDEMPOTENT], responses=StateOut)
    def extend_for_customer(self, request: Request, pk: str) -> Response:
        """Let a customer's running session end later because they asked; `reason` says who did and how. They are told, with what is to
        pay. Refused as `extend`, and where whom it is booked for does not spend from its fund card."""

        def act(key: int, given: dict[str, Any]) -> None:
            extending.extend_for_customer(self.actor, key, given["ends_at"], _expected(given), given["reason"], self.now)

        return self.step(request, pk, act)

    @extend_schema(parameters=[IDEMPOTENT], responses=StateOut)
    def confirm_usage(self, request: Request, pk: str) -> Response:
        """Say yes to the times for the lab; where the customer has said yes, the use is charged."""
        return self.step(request, pk, lambda key, given: _nothing(usage_review.agree(self.actor, key, self.now)))

    @extend_schema(parameters=[IDEMPOTENT], responses=StateOut)
    def charge_less(self, request: Request, pk: str) -> Response:
        """Charge for a part of what stands there, or for nothing; where the customer has said yes, it is charged."""

        def act(key: int, given: dict[str, Any]) -> None:
            usage_review.charge_less(self.actor, key, _proposed(given), given["reason"], self.now)

        return self.step(request, pk, act)

    @extend_schema(parameters=[IDEMPOTENT], responses=StateOut)
    def accept_adjustment(self, request: Request, pk: str) -> Response:
        """Charge what the customer proposed."""
        return self.step(request, pk, lambda key, given: usage_review.accept_adjustment(self.actor, key, self.now))

    @extend_schema(parameters=[IDEMPOTENT], responses=StateOut)
    def refuse_adjustment(self, request: Request, pk: str) -> Response:
        """Stand by what was measured."""
        return self.step(
            request, pk, lambda key, given: usage_review.refuse_adjustment(self.actor, key, given["answer"], self.now)
        )

    @extend_schema(parameters=[IDEMPOTENT], responses=StateOut)
    def decide(self, request: Request, pk: str) -> Response:
        """Decide a dispute, as a second person of the lab or as the owner's finance."""
        return self.step(
            request, pk, lambda key, given: usage_review.decide(self.actor, key, given["decision"], given["reason"], self.now)
        )


def _expected(given: Mapping[str, Any]) -> ExpectedFigures:
    seen = given.get("expected")
    return ExpectedFigures(seen.get("payable_now_fen"), seen.get("final_cost_fen")) if seen else NOTHING_EXPECTED


class CloseOutView(ApiView):
    """How the service of a session ended."""

    token_scopes = {"PUT": "manage", "POST": "manage"}
    queryset = CloseOut.objects.none()

    def get_serializer_class(self) -> type[BaseSerializer]:
        return NoFields if self.action == "confirm" else shapes.CloseOutIn

    @extend_schema(parameters=[IDEMPOTENT], responses=shapes.CloseOutOut)
    def update(self, request: Request, pk: str) -> Response:
        """Write report, tests done again and grade; the whole of it each time."""
        closing = Closing(**self.valid(request))
        return self.once(
            request, "close_out", lambda: _closed(close_out.close(self.actor, int(pk), closing, self.now)), status=200
        )

    @extend_schema(parameters=[IDEMPOTENT], responses=shapes.CloseOutOut)
    def confirm(self, request: Request, pk: str) -> Response:
        """Confirm the grade as a second person."""
        self.valid(request)
        return self.once(
            request, "close_out.confirm", lambda: _closed(close_out.confirm_grade(self.actor, int(pk), self.now)), status=200
        )


class DeviceKeyAuthentication(authentication.BaseAuthentication):
    """``Authorization: Bearer jishi_dev_...``; ``request.auth`` is the key. Nobody is logged in with it."""

    def authenticate(self, request: Request) -> tuple[Any, DeviceKey] | None:
        kind, _space, text = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        key = device_keys.by_key(text.strip())
        if key is None:
            raise exceptions.AuthenticationFailed(reason_sentence(Reason("device.key_unknown")))
        return request._request.user, key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class DeviceKeyScheme(OpenApiAuthenticationExtension):
    """How the description says it."""

    target_class = "booking.api.usage.DeviceKeyAuthentication"
    name = "deviceKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A device key of the lab: jishi_dev_..."}


class SpeaksForADevice(BasePermission):
    """Only with a device key."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if view.action is not None and not isinstance(request.auth, DeviceKey):
            raise exceptions.NotAuthenticated(_("Send the device key: Authorization: Bearer jishi_dev_..."))
        return True


class DeviceEventsView(ApiView):
    """Where devices and campus systems tell what happened."""

    token_scopes = {"POST": "device"}
    authentication_classes = [DeviceKeyAuthentication]
    permission_classes = [SpeaksForADevice]
    queryset = DeviceRun.objects.none()
    serializer_class = shapes.BatchIn

    @extend_schema(responses=shapes.ReceiptOut)
    def create(self, request: Request) -> Response:
        """A batch of events, each once by its own id; old ones may come late and in any order."""
        given = self.valid(request)
        events = tuple(
            Told(one["id"], EventKind(one["kind"]), one["at"], one["instrument"], one["device"], one["value"])
            for one in given["events"]
        )
        key = cast(DeviceKey, request.auth)
        receipt = device_events.receive(key, Batch(given["sent_at"], events), self.now)
        fates = [
            {
                "id": fate.event_id,
                "result": fate.result,
                "code": fate.code,
                "detail": reason_sentence(Reason(fate.code)) if fate.code else "",
            }
            for fate in receipt.fates
        ]
        return Response({"skew_seconds": receipt.skew_seconds, "events": fates})


class DeviceKeyView(ApiView):
    """The keys of one's labs. A key is made in a browser session or with a token of scope ``manage``."""

    token_scopes = {"GET": "manage", "POST": "manage"}
    queryset = DeviceKey.objects.none()

    def get_serializer_class(self) -> type[BaseSerializer]:
        return {"create": shapes.DeviceKeyIn, "revoke": NoFields}.get(self.action or "", shapes.DeviceKeyOut)

    @extend_schema(responses=shapes.DeviceKeyOut(many=True))
    def list(self, request: Request) -> Response:
        """Those in use first."""
        return self.paged(usage_queries.device_keys(self.actor), _key)

    @extend_schema(parameters=[IDEMPOTENT], responses={201: shapes.MadeKeyOut})
    def create(self, request: Request) -> Response:
        """A new key; a repeated call gets no second look at it."""
        given = self.valid(request)
        shown: dict[str, str] = {}

        def effect() -> dict[str, Any]:
            made, text = device_keys.issue(self.actor, given["organisation"], given["instrument"], given["name"], self.now)
            shown["key"] = text
            return _key(get_visible(usage_queries.device_keys(self.actor), self.actor, pk=made.pk))

        answer = self.once(request, "device_key.issue", effect)
        answer.data["key"] = shown.get("key", "")
        return answer

    @extend_schema(parameters=[IDEMPOTENT], responses=shapes.DeviceKeyOut)
    def revoke(self, request: Request, pk: str) -> Response:
        """Make a key useless at once."""
        self.valid(request)

        def effect() -> dict[str, Any]:
            device_keys.revoke(self.actor, int(pk), self.now)
            return _key(get_visible(usage_queries.device_keys(self.actor), self.actor, pk=int(pk)))

        return self.once(request, "device_key.revoke", effect, status=200)


class UsageProblemView(ApiView):
    """Runs of one's instruments that do not add up, and what one makes of them."""

    token_scopes = {"GET": "manage", "POST": "manage"}
    queryset = DeviceRun.objects.none()
    parameters_shapes = {"list": shapes.ProblemParameters}
    bodies: ClassVar[Mapping[str, type[StrictSerializer]]] = {
        "attach": shapes.AttachIn,
        "enter": shapes.EntryIn,
        "ignore": shapes.IgnoreIn,
        "enter_late": shapes.LateEntryIn,
    }

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", shapes.ProblemOut)

    @extend_schema(parameters=[shapes.ProblemParameters], responses=shapes.ProblemOut(many=True))
    def list(self, request: Request) -> Response:
        """What waits for a person, the oldest first; or what was decided, the newest first."""
        asked = self.parameters(request)
        rows = usage_queries.problems(self.actor, decided=asked["decided"])
        if "instrument" in asked:
            rows = rows.filter(instrument_id=asked["instrument"])
        return self.paged(rows, _problem)

    @extend_schema(parameters=[IDEMPOTENT], responses=shapes.ProblemOut)
    def attach(self, request: Request, pk: str) -> Response:
        """It was the use of a reservation of the same instrument."""
        return self._decide(request, pk, lambda given: usage_problems.attach(self.actor, int(pk), given["reservation"], self.now))

    @extend_schema(parameters=[IDEMPOTENT], responses=shapes.ProblemOut)
    def enter(self, request: Request, pk: str) -> Response:
        """It was a session without a reservation: write it down."""

        def act(given: dict[str, Any]) -> DeviceRun:
            instrument = usage_queries.instrument_of_run(self.actor, int(pk))
            return usage_problems.enter(self.actor, int(pk), _entry(instrument.pk, given), self.now)

        return self._decide(request, pk, act)

    @extend_schema(parameters=[IDEMPOTENT], responses=shapes.ProblemOut)
    def ignore(self, request: Request, pk: str) -> Response:
        """It was nobody's use."""
        return self._decide(request, pk, lambda given: usage_problems.ignore(self.actor, int(pk), given["reason"], self.now))

    @extend_schema(parameters=[IDEMPOTENT], responses={201: StateOut})
    def enter_late(self, request: Request) -> Response:
        """Write a past session down that no device knows of; it is flagged and waits for the customer's yes."""
        given = self.valid(request)

        def effect() -> dict[str, Any]:
            made = late_entry.enter(self.actor, _entry(given["instrument"], given), self.now)
            return {"id": made.pk, "state": str(made.state)}

        return self.once(request, "usage.enter_late", effect)

    def _decide(self, request: Request, pk: str, act: Callable[[dict[str, Any]], DeviceRun]) -> Response:
        given = self.valid(request)

        def effect() -> dict[str, Any]:
            act(given)
            rows = usage_queries.problems(self.actor, decided=True)
            return _problem(get_visible(rows, self.actor, pk=int(pk)))

        return self.once(request, f"usage_problem.{self.action}", effect, status=200)


def _nothing(_done: object) -> None:
    """For a service whose result the answer does not carry."""


def _proposed(given: Mapping[str, Any]) -> TimeRange | None:
    return None if given["starts_at"] is given["ends_at"] is None else _range(given)


def _range(given: Mapping[str, Any]) -> TimeRange:
    if given["starts_at"] is None or given["ends_at"] is None:
        raise Refusal.of("booking.range_invalid", field="ends_at")
    return range_of(given)


def _entry(instrument_id: int, given: Mapping[str, Any]) -> Entry:
    during, mode = range_of(given), given["service_mode"]
    return Entry(instrument_id, given["organisation"], given["person"], during, mode, given["evidence"], given["reason"])


def _local(moment: datetime | None, zone: ZoneInfo) -> str | None:
    return moment.astimezone(zone).isoformat() if moment is not None else None


def _span(starts_at: datetime | None, ends_at: datetime | None, zone: ZoneInfo) -> dict[str, Any] | None:
    return {"starts_at": _local(starts_at, zone), "ends_at": _local(ends_at, zone)} if starts_at is not None else None


def _usage(reservation: Reservation, session: UsageSession, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "reservation": reservation.pk,
        "state": reservation.state,
        "outcome": session.outcome,
        "booked": _span(session.booked_starts_at, session.booked_ends_at, zone),
        "actual": _span(session.actual_starts_at, session.actual_ends_at, zone),
        "billable": _span(session.billable_starts_at, session.billable_ends_at, zone),
        "billable_minutes": session.billable_minutes,
        "billable_rule": session.billable_rule,
        "overrun_minutes": session.overrun_minutes,
        "started_by": session.started_by_means,
        "ended_by": session.ended_by_means,
        "doubt": session.doubt,
        "late_entered": session.late_entered,
        "evidence": session.evidence,
        "review_until": _local(session.review_until, zone),
        "customer_agreed_at": _local(session.customer_agreed_at, zone),
        "lab_agreed_at": _local(session.lab_agreed_at, zone),
        "agreed_at": _local(session.agreed_at, zone),
        "agreed_how": session.agreed_how,
    }


def _closed(row: CloseOut) -> dict[str, Any]:
    return {
        "report_due_on": row.report_due_on.isoformat() if row.report_due_on else None,
        "reported_on": row.reported_on.isoformat() if row.reported_on else None,
        "on_time": row.on_time,
        "retests": row.retests,
        "note": row.note,
        "grade": row.grade,
        "graded_by": str(row.graded_by) if row.graded_by else "",
        "confirmed_by": str(row.confirmed_by) if row.confirmed_by else "",
    }


def _key(row: DeviceKey) -> dict[str, Any]:
    instrument = row.instrument
    return {
        "id": row.pk,
        "name": row.name,
        "organisation": {"id": row.organisation_id, "name": row.organisation.name},
        "instrument": {"id": instrument.pk, "name": instrument.name} if instrument else None,
        "created_at": row.created_at.isoformat(),
        "revoked_at": row.revoked_at.isoformat() if row.revoked_at else None,
        "seen_at": row.seen_at.isoformat() if row.seen_at else None,
        "skew_seconds": row.skew_seconds,
    }


def _problem(row: DeviceRun) -> dict[str, Any]:
    zone = ZoneInfo(row.instrument.site.time_zone)
    return {
        "id": row.pk,
        "instrument": {"id": row.instrument_id, "name": row.instrument.name},
        "device": row.device,
        "problem": row.problem,
        "state": row.state,
        "starts_at": _local(row.starts_at, zone),
        "ends_at": _local(row.ends_at, zone),
        "heard_at": _local(row.heard_at, zone),
        "skew_seconds": row.skew_seconds,
        "reservation": row.reservation_id,
        "reason": row.reason,
    }


def _on_reservation(view: type[UsageStepView], path: str, action: str) -> URLPattern:
    return re_path(rf"^reservations/{ID}/{path}/$", view.as_view({"post": action}), name=f"api_reservation_{action}")


_CUSTOMER = ("start", "end", "extend", "agree", "adjust", "dispute")
_LAB = {
    "extend-for-customer": "extend_for_customer",
    "confirm-usage": "confirm_usage",
    "charge-less": "charge_less",
    "accept-adjustment": "accept_adjustment",
    "refuse-adjustment": "refuse_adjustment",
    "decide": "decide",
}
_PROBLEM = ("attach", "enter", "ignore")

urlpatterns = [
    re_path(rf"^reservations/{ID}/usage/$", UsageView.as_view({"get": "retrieve"}), name="api_reservation_usage"),
    *(_on_reservation(CustomerUsageView, action, action) for action in _CUSTOMER),
    *(_on_reservation(LabUsageView, path, action) for path, action in _LAB.items()),
    re_path(rf"^reservations/{ID}/close-out/$", CloseOutView.as_view({"put": "update"}), name="api_close_out"),
    re_path(rf"^reservations/{ID}/close-out/confirm/$", CloseOutView.as_view({"post": "confirm"}), name="api_close_out_confirm"),
    re_path(r"^check-in-proofs/$", CheckInProofView.as_view({"post": "create"}), name="api_check_in_proofs"),
    re_path(r"^device-events/$", DeviceEventsView.as_view({"post": "create"}), name="api_device_events"),
    re_path(r"^device-keys/$", DeviceKeyView.as_view({"get": "list", "post": "create"}), name="api_device_keys"),
    re_path(rf"^device-keys/{ID}/revoke/$", DeviceKeyView.as_view({"post": "revoke"}), name="api_device_key_revoke"),
    re_path(r"^usage-problems/$", UsageProblemView.as_view({"get": "list"}), name="api_usage_problems"),
    *(
        re_path(
            rf"^usage-problems/{ID}/{action}/$", UsageProblemView.as_view({"post": action}), name=f"api_usage_problem_{action}"
        )
        for action in _PROBLEM
    ),
    re_path(r"^late-sessions/$", UsageProblemView.as_view({"post": "enter_late"}), name="api_late_sessions"),
]
