"""/api/v1/courses, /course-sessions, /enrolments, /licences, /recognitions, and an instrument's way to a licence."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from booking.api import training_shapes as shapes
from booking.models import CourseSession, Enrolment, Licence, RecognitionRequest, TrainingCourse
from booking.queries import licences as queries
from booking.services import licences, training
from booking.services.training import CourseFields
from config.kernel.access import get_visible
from config.kernel.api.serializers import NoFields, StrictSerializer
from config.kernel.api.views import ApiView
from config.kernel.errors import Refusal
from config.kernel.http import attachment
from config.kernel.time_range import TimeRange
from instruments import queries as registry
from instruments.services import uploads

MANAGE = {"GET": "read", "POST": "manage", "PUT": "manage"}
LAB = "LAB"
BOOK = {"GET": "read", "POST": "book", LAB: "manage"}


def _fields(values: dict[str, Any]) -> CourseFields:
    plain = {name: value for name, value in values.items() if name not in {"instruments", "class_codes", "organisation"}}
    return CourseFields(**plain, instrument_ids=tuple(values["instruments"]), class_codes=tuple(values["class_codes"]))


class ByAction(ApiView):
    """``bodies``: the serializer of an action's body; others have none. ``lab_actions`` need the token scope ``manage``."""

    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {}
    lab_actions: ClassVar[frozenset[str]] = frozenset()

    def _require_scope(self, method: str) -> None:
        super()._require_scope(LAB if self.action in self.lab_actions else method)

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.bodies.get(self.action or "", NoFields)


class CourseView(ByAction):
    """What labs teach."""

    token_scopes = MANAGE
    queryset = TrainingCourse.objects.none()
    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {
        "create": shapes.NewCourseIn,
        "update": shapes.CourseIn,
        "sessions": shapes.SessionIn,
    }

    @extend_schema(responses=shapes.CourseOut(many=True))
    def list(self, request: Request) -> Response:
        """The courses of the labs that I manage; the operator's are all."""
        return self.paged(queries.lab_courses(self.actor, self.now), shapes.course_out)

    @extend_schema(responses={201: shapes.CourseOut})
    def create(self, request: Request) -> Response:
        values = self.valid(request)
        made = training.create_course(self.actor, values["organisation"], _fields(values), self.now)
        return Response(shapes.course_out(queries.course_for(self.actor, made.pk)), status=201)

    @extend_schema(responses=shapes.CourseOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(shapes.course_out(queries.course_for(self.actor, int(pk))))

    @extend_schema(responses=shapes.CourseOut)
    def update(self, request: Request, pk: str) -> Response:
        training.change_course(self.actor, int(pk), _fields(self.valid(request)), self.now)
        return self.retrieve(request, pk)

    @extend_schema(responses={201: shapes.SessionOut})
    @action(detail=True, methods=["post"])
    def sessions(self, request: Request, pk: str) -> Response:
        """Say when and where it is held."""
        values = self.valid(request)
        if values["starts_at"] >= values["ends_at"]:
            raise Refusal.of("booking.range_invalid", field="ends_at")
        during = TimeRange(values["starts_at"], values["ends_at"])
        made = training.plan_session(self.actor, int(pk), during, values["place"], values["places"], self.now)
        return Response(shapes.session_out(made), status=201)


class CourseSessionView(ByAction):
    """Taking a place, and calling a session off."""

    queryset = CourseSession.objects.none()
    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {"call_off": shapes.GroundsIn}
    lab_actions = frozenset({"call_off"})
    token_scopes = BOOK

    @extend_schema(responses=shapes.SessionOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(shapes.session_out(queries.session_for(self.actor, int(pk))))

    @extend_schema(responses={201: shapes.EnrolmentOut})
    @action(detail=True, methods=["post"])
    def enrol(self, request: Request, pk: str) -> Response:
        """A place, or one on the waiting list; who has one gets it again."""
        self.valid(request)
        return Response(shapes.enrolment_out(training.enrol(self.actor, int(pk), self.now)), status=201)

    @extend_schema(responses=shapes.EnrolmentOut(many=True))
    @action(detail=True, methods=["get"])
    def enrolments(self, request: Request, pk: str) -> Response:
        """Who is in it, as far as one may know: oneself, or all for the lab."""
        session = queries.session_for(self.actor, int(pk))
        return self.paged(queries.enrolments_of(self.actor, session), shapes.enrolment_out)

    @extend_schema(responses=shapes.SessionOut)
    @action(detail=True, methods=["post"], url_path="call-off")
    def call_off(self, request: Request, pk: str) -> Response:
        training.call_off_session(self.actor, int(pk), self.valid(request)["reason"], self.now)
        return self.retrieve(request, pk)


class EnrolmentView(ByAction):
    """My places, and what the lab notes about them."""

    queryset = Enrolment.objects.none()
    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {"attendance": shapes.AttendanceIn, "result": shapes.ResultIn}
    lab_actions = frozenset({"attendance", "result"})
    token_scopes = BOOK

    @extend_schema(responses=shapes.EnrolmentOut(many=True))
    def list(self, request: Request) -> Response:
        """My own."""
        return self.paged(queries.my_enrolments(self.actor).select_related("person"), shapes.enrolment_out)

    @extend_schema(responses=shapes.EnrolmentOut)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """Give the place back."""
        self.valid(request)
        return Response(shapes.enrolment_out(training.withdraw(self.actor, int(pk), self.now)))

    @extend_schema(responses=shapes.EnrolmentOut)
    @action(detail=True, methods=["post"])
    def attendance(self, request: Request, pk: str) -> Response:
        """Whether the person came."""
        came = self.valid(request)["was_there"]
        return Response(shapes.enrolment_out(training.record_attendance(self.actor, int(pk), came, self.now)))

    @extend_schema(responses=shapes.EnrolmentOut)
    @action(detail=True, methods=["post"])
    def result(self, request: Request, pk: str) -> Response:
        """The exam's score; from the pass mark on the licences are granted."""
        values = self.valid(request)
        done = training.record_result(self.actor, int(pk), values["score"], values["note"], self.now)
        return Response(shapes.enrolment_out(done))


class LicenceView(ByAction):
    """Who may use what alone."""

    token_scopes = MANAGE
    queryset = Licence.objects.none()
    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {
        "create": shapes.GrantIn,
        "suspend": shapes.GroundsIn,
        "revoke": shapes.GroundsIn,
    }

    @extend_schema(responses=shapes.LicenceOut(many=True))
    def list(self, request: Request) -> Response:
        """Mine and those of the labs that I manage."""
        page = self.paginate_queryset(queries.licences_visible(self.actor)) or []
        return self.get_paginated_response([shapes.licence_out(one) for one in queries.held(page, self.now)])

    @extend_schema(responses={201: shapes.LicenceOut})
    def create(self, request: Request) -> Response:
        """The lab's own word."""
        given = self.valid(request)
        made = licences.grant(
            self.actor, given["instrument"], given["email"], given["level"], given["reference"], given["valid_until"], self.now
        )
        return self._shown(made.pk, 201)

    @extend_schema(responses=shapes.LicenceOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return self._shown(int(pk))

    @extend_schema(responses=shapes.LicenceOut)
    @action(detail=True, methods=["post"])
    def suspend(self, request: Request, pk: str) -> Response:
        licences.suspend(self.actor, int(pk), self.valid(request)["reason"], self.now)
        return self._shown(int(pk))

    @extend_schema(responses=shapes.LicenceOut)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> Response:
        self.valid(request)
        licences.restore(self.actor, int(pk), self.now)
        return self._shown(int(pk))

    @extend_schema(responses=shapes.LicenceOut)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:
        licences.revoke(self.actor, int(pk), self.valid(request)["reason"], self.now)
        return self._shown(int(pk))

    def _shown(self, licence_id: int, status: int = 200) -> Response:
        held = queries.held([queries.licence_for(self.actor, licence_id)], self.now)
        return Response(shapes.licence_out(held[0]), status=status)


class RecognitionView(ByAction):
    """Requests to take a proof as a licence."""

    queryset = RecognitionRequest.objects.none()
    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {"decide": shapes.RecognitionDecisionIn}
    token_scopes = MANAGE

    @extend_schema(responses=shapes.RecognitionOut(many=True))
    def list(self, request: Request) -> Response:
        """Mine and those to the labs that I manage; what waits comes first."""
        return self.paged(queries.recognitions_visible(self.actor), shapes.recognition_out)

    @extend_schema(responses=shapes.RecognitionOut)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str) -> Response:
        """Accept (then there is a licence) or refuse with a reason."""
        values = self.valid(request)
        decided = licences.decide_recognition(
            self.actor, int(pk), values["accept"], values["reason"], values["valid_until"], self.now
        )
        return Response(shapes.recognition_out(decided))

    @extend_schema(responses=shapes.RecognitionOut)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """I no longer ask."""
        self.valid(request)
        licences.withdraw_recognition(self.actor, int(pk), self.now)
        return Response(shapes.recognition_out(get_visible(queries.recognitions_visible(self.actor), self.actor, pk=int(pk))))

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"])
    def evidence(self, request: Request, pk: str) -> HttpResponse:
        """The proof, as an attachment."""
        stored, content = licences.recognition_evidence_for(self.actor, int(pk))
        return attachment(content, stored.media_type, stored.file_name)


class InstrumentLicenceView(ByAction):
    """How one gets to use an instrument oneself; anybody may look."""

    token_scopes = BOOK
    queryset = Licence.objects.none()
    parser_classes = [MultiPartParser]
    bodies: ClassVar[dict[str, type[StrictSerializer]]] = {"create": shapes.RecognitionIn}

    def get_permissions(self) -> list[Any]:
        return [AllowAny()] if self.action == "retrieve" else list(super().get_permissions())

    @extend_schema(responses=shapes.WayOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """What is needed, what I hold, what is taught and when."""
        way = queries.way_to_a_licence(self.actor, registry.instrument_for(self.actor, int(pk)), self.now)
        return Response(
            {
                "needed": way.needed,
                "levels": sorted(way.levels),
                "courses": [shapes.course_out(one) for one in way.courses],
                "licences": [shapes.licence_out(one) for one in way.licences],
                "requests": [shapes.recognition_out(one) for one in way.asked],
            }
        )

    @extend_schema(responses={201: shapes.RecognitionOut})
    def create(self, request: Request, pk: str) -> Response:
        """Ask the lab to take a proof as a licence (multipart)."""
        values = self.valid(request)
        proof = uploads.received(values["file"])
        made = licences.ask_recognition(self.actor, int(pk), values["level"], values["statement"], proof, self.now)
        return Response(shapes.recognition_out(made), status=201)
