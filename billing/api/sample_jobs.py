"""/api/v1/sample-jobs: samples sent to a lab, from the question to the report."""

from __future__ import annotations

from typing import ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from billing.api import sample_shapes as shapes
from billing.api.serializers import AcceptQuoteIn
from billing.ordering.services import sample_links
from billing.settlement.services import sample_money
from booking.api.enquiries import Written, made
from booking.api.enquiry_shapes import MadeOut
from booking.api.serializers import said_of
from booking.api.views import expected_of
from booking.models import SampleJob
from booking.queries import samples as queries
from booking.rules.enquiries import Side
from booking.rules.samples import Direction, ExtraEvent, Remains, SampleStep
from booking.services import sample_close_out, sample_decisions, sample_extras, sample_jobs, sample_reports, sample_steps
from booking.services.decision_rows import How
from booking.services.enquiry_files import attachments_of
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields, StrictSerializer
from config.kernel.api.views import ApiView
from config.kernel.http import attachment

BINARY = {(200, "application/octet-stream"): OpenApiTypes.BINARY}
CODE = OpenApiParameter("code", str, OpenApiParameter.PATH, description="The code of a label, with or without hyphens.")


class SampleJobView(ApiView):
    """Sample jobs; a token needs the scope ``book`` to act for the customer's side."""

    token_scopes: ClassVar[dict[str, str]] = {"GET": "read", "POST": "book"}
    queryset = SampleJob.objects.none()
    parameters_shapes: ClassVar[dict[str, type[StrictSerializer]]] = {"list": shapes.SampleJobParameters}
    shapes_by_action: ClassVar[dict[str, type[BaseSerializer]]] = {
        "create": shapes.SampleJobIn,
        "cancel": shapes.SampleReasonIn,
        "object_to": shapes.SampleReasonIn,
        "parcel": shapes.SampleParcelIn,
        "commission": shapes.SampleCommissionIn,
        "agree": shapes.SampleConsentIn,
        "accept": shapes.SampleAcceptIn,
        "accept_quote": AcceptQuoteIn,
        "refuse": shapes.SampleRefuseIn,
        "step": shapes.SampleStepIn,
        "remains": shapes.SampleRemainsIn,
        "propose": shapes.SampleExtraIn,
        "report": shapes.SampleReportIn,
        "close_out": shapes.SampleCloseOutIn,
    }

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.shapes_by_action.get(self.action, NoFields)

    @extend_schema(parameters=[shapes.SampleJobParameters], responses=shapes.SampleJobRow(many=True))
    def list(self, request: Request) -> Response:
        """The jobs that I may see, newest first; of my labs what is promised soonest first."""
        asked = self.parameters(request)
        read = {Side.CUSTOMER.value: queries.my_jobs, Side.LAB.value: queries.lab_jobs}.get(
            asked.get("side", ""), queries.jobs_visible
        )
        rows = read(self.actor)
        return self.paged(rows.filter(state=asked["state"]) if "state" in asked else rows, shapes.job_row)

    @extend_schema(responses=shapes.SampleJobOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One job with samples, charges, parcels, reports and figures."""
        return self._shown(int(pk))

    @extend_schema(parameters=[IDEMPOTENT], responses={201: MadeOut, 200: MadeOut})
    def create(self, request: Request) -> Response:
        """Ask a lab to test samples: its capacity is promised and the price pinned from now on."""
        key, given = self.idempotency_key(request), self.valid(request)
        wish = sample_jobs.Wish(
            resource_id=given["resource"],
            organisation_id=given["organisation"],
            samples=given["samples"],
            arrive_on=given["arrive_on"],
            elements=given["elements"],
            names=tuple(given["names"]),
            note=given["note"],
            hazards=given["hazards"],
            remains_wish=given["remains_wish"],
            expected=expected_of(given),
            research_project=given["research_project"],
            service_direction=given["service_direction"],
            fund_source=given["fund_source"],
            **said_of(given)._asdict(),
            fund_card_id=given["fund_card"],
        )
        order = sample_links.UnderSheet(given["commission"]) if given["commission"] is not None else None
        asked = sample_jobs.ask(self.actor, wish, self.now, idempotency_key=key, order=order)
        return made(Written(asked.pk, asked.replayed), "api_sample_job")

    @extend_schema(responses=shapes.SampleJobOut)
    def cancel(self, request: Request, pk: str) -> Response:
        """Call it off: the customer while no sample is at the lab, the lab with a reason until it has reported."""
        sample_jobs.cancel(self.actor, int(pk), self.valid(request)["reason"], self.now)
        return self._shown(int(pk))

    @extend_schema(responses=shapes.SampleJobOut)
    def accept_quote(self, request: Request, pk: str) -> Response:
        """Accept new figures that wait for the customer."""
        sample_money.accept_quote(self.actor, int(pk), self.now, expected_of(self.valid(request)))
        return self._shown(int(pk))

    @extend_schema(responses=shapes.SampleJobOut)
    def commission(self, request: Request, pk: str) -> Response:
        """Put a job that the lab has not answered yet under a commission, at the unit price agreed there.

        A dearer one is answered with the new figures (409) until they are sent as ``expected``.
        """
        given = self.valid(request)
        sample_links.link(self.actor, given["sheet"], int(pk), self.now, expected_of(given))
        return self._shown(int(pk))

    @extend_schema(responses=shapes.SampleJobOut)
    def parcel(self, request: Request, pk: str) -> Response:
        """Write down a courier's number: the customer's to the lab, the lab's back."""
        given = self.valid(request)
        direction = Direction(given["direction"])
        sample_steps.note_parcel(self.actor, int(pk), direction, given["carrier"], given["number"], self.now)
        return self._shown(int(pk))

    @extend_schema(responses=shapes.SampleJobOut)
    def object_to(self, request: Request, pk: str) -> Response:
        """Object to the report; the lab has to report again."""
        sample_reports.object_to(self.actor, int(pk), self.valid(request)["reason"], self.now)
        return self._shown(int(pk))

    @extend_schema(responses=shapes.SampleJobOut)
    def close(self, request: Request, pk: str) -> Response:
        """Take the report: the job is charged and closed."""
        self.valid(request)
        sample_reports.close(self.actor, int(pk), self.now)
        return self._shown(int(pk))

    @extend_schema(responses=shapes.SampleExtraOut)
    def agree(self, request: Request, pk: str) -> Response:
        """Agree to a proposed charge."""
        given = self.valid(request)
        return self._answered(int(pk), ExtraEvent.AGREE, given.get("amount_fen"))

    @extend_schema(responses=shapes.SampleExtraOut)
    def decline(self, request: Request, pk: str) -> Response:
        """Decline a proposed charge: it is not made."""
        self.valid(request)
        return self._answered(int(pk), ExtraEvent.DECLINE)

    @extend_schema(operation_id="sample_reports_file", responses=BINARY)
    def file(self, request: Request, pk: str) -> HttpResponse:
        """A report's file, as a download."""
        stored, content = sample_reports.report_file(self.actor, int(pk))
        return attachment(content, stored.media_type, stored.file_name)

    @extend_schema(parameters=[CODE], operation_id="samples_find", responses=shapes.SampleFoundOut)
    def find(self, request: Request, code: str) -> Response:
        """The sample behind the code of a label."""
        return Response(shapes.SampleFoundOut(sample_steps.find(self.actor, code)).data)

    def _answered(self, extra_id: int, event: ExtraEvent, amount_fen: int | None = None) -> Response:
        extra = sample_extras.answer(self.actor, extra_id, event, self.now, amount_fen=amount_fen)
        return Response(shapes.SampleExtraOut(extra).data)

    def _shown(self, pk: int) -> Response:
        return Response(shapes.job_json(self.actor, queries.job_for(self.actor, pk)))


class LabSampleJobView(SampleJobView):
    """What the lab does with a job; a token needs the scope ``manage``."""

    token_scopes: ClassVar[dict[str, str]] = {"POST": "manage", "PUT": "manage"}

    @extend_schema(responses=shapes.SampleJobOut)
    def accept(self, request: Request, pk: str) -> Response:
        """Take the job and promise the result; the subsidies are held."""
        given = self.valid(request)
        promised_on, expected = given.get("promised_on"), expected_of(given)
        sample_jobs.accept(self.actor, int(pk), self.now, promised_on=promised_on, expected=expected, how=How(undo=given["undo"]))
        return self._shown(int(pk))

    @extend_schema(responses=shapes.SampleJobOut)
    def refuse(self, request: Request, pk: str) -> Response:
        """Do not take the job, and say why."""
        given = self.valid(request)
        sample_jobs.refuse(self.actor, int(pk), given["reason"], self.now, How(undo=given["undo"]))
        return self._shown(int(pk))

    @extend_schema(responses=shapes.SampleJobOut)
    def take_back(self, request: Request, pk: str) -> Response:
        """The job waits again; possible for ten seconds after an answer that was given with ``undo``, or in the inbox."""
        self.valid(request)
        sample_decisions.take_back(self.actor, int(pk), self.now)
        return self._shown(int(pk))

    @extend_schema(responses=shapes.SampleJobOut)
    def step(self, request: Request, pk: str) -> Response:
        """Samples were received, prepared, tested, are unfit or lost; or the last step is taken back."""
        given = self.valid(request)
        step = SampleStep(given["step"])
        ends_job = given["ends_job"]
        sample_steps.take(self.actor, given["samples"], step, self.now, given["reason"], job_id=int(pk), ends_job=ends_job)
        return self._shown(int(pk))

    @extend_schema(responses=shapes.SampleJobOut)
    def remains(self, request: Request, pk: str) -> Response:
        """Say where what is left of samples is."""
        given = self.valid(request)
        remains, until = Remains(given["remains"]), given.get("kept_until")
        sample_steps.set_remains(self.actor, given["samples"], remains, self.now, kept_until=until, job_id=int(pk))
        return self._shown(int(pk))

    @extend_schema(responses=shapes.SampleExtraOut)
    def propose(self, request: Request, pk: str) -> Response:
        """Ask for the customer's consent to a charge."""
        given = self.valid(request)
        extra = sample_extras.propose(self.actor, int(pk), given["kind"], given["words"], given["amount_fen"], self.now)
        return Response(shapes.SampleExtraOut(extra).data, status=201)

    @extend_schema(responses=shapes.SampleJobOut)
    def close_out(self, request: Request, pk: str) -> Response:
        """Write grade and note, the whole of it each time; the grade until the job closes."""
        given = self.valid(request)
        sample_close_out.close(self.actor, int(pk), given["grade"], given["note"], self.now)
        return self._shown(int(pk))

    @extend_schema(responses=shapes.SampleJobOut)
    def confirm_grade(self, request: Request, pk: str) -> Response:
        """Confirm the grade as a second person."""
        self.valid(request)
        sample_close_out.confirm_grade(self.actor, int(pk), self.now)
        return self._shown(int(pk))

    @extend_schema(responses=shapes.SampleExtraOut)
    def withdraw(self, request: Request, pk: str) -> Response:
        """Withdraw a proposed charge."""
        self.valid(request)
        return self._answered(int(pk), ExtraEvent.WITHDRAW)


class SampleReportView(LabSampleJobView):
    """Handing in a report takes multipart."""

    parser_classes = [MultiPartParser]

    @extend_schema(request={"multipart/form-data": shapes.SampleReportIn}, responses={201: shapes.SampleReportOut})
    def report(self, request: Request, pk: str) -> Response:
        """Hand in the report; the job closes by itself some days later unless the customer objects."""
        given = self.valid(request)
        [handed_in] = attachments_of([given["report"]])
        written = sample_reports.report(self.actor, int(pk), handed_in, given["note"], self.now)
        return Response(shapes.SampleReportOut(written).data, status=201)
