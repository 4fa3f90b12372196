"""/api/v1/enquiries and /needs: asking labs, answering, the files of a thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from booking.access import CUSTOMERS
from booking.api import enquiry_shapes as shapes
from booking.models import Enquiry, Need
from booking.queries import enquiries as queries
from booking.rules.enquiries import Side
from booking.services import enquiries, enquiry_files
from booking.services.enquiries import Question, UnmetNeed, Written
from config.kernel.api.schema import IDEMPOTENT
from config.kernel.api.serializers import NoFields, StrictSerializer
from config.kernel.api.views import REPLAYED, ApiView
from config.kernel.http import attachment
from instruments.services import answer_time

ATTACHMENT = OpenApiParameter("attachment_id", int, OpenApiParameter.PATH, description="The attachment's id.")


def created(body: Any, written: Written, **headers: str) -> Response:
    """201 with what was made, or 200 (and said so) for a call that was made before."""
    if written.replayed:
        return Response(body, headers={REPLAYED: "true"})
    return Response(body, status=201, headers=headers)


def made(written: Written, route: str) -> Response:
    """As ``created``, with the address at which it is read."""
    url = reverse(route, args=[written.pk])
    return created({"id": written.pk, "url": url}, written, Location=url)


class EnquiryView(ApiView):
    """Threads with labs; a token needs the scope ``book`` to write."""

    token_scopes: ClassVar[dict[str, str]] = {"GET": "read", "POST": "book"}
    queryset = Enquiry.objects.none()
    parameters_shapes: ClassVar[dict[str, type[StrictSerializer]]] = {"list": shapes.EnquiryParameters}
    shapes_by_action: ClassVar[dict[str, type[BaseSerializer]]] = {"create": shapes.QuestionIn, "write": shapes.MessageIn}

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.shapes_by_action.get(self.action, NoFields)

    @extend_schema(parameters=[shapes.EnquiryParameters], responses=shapes.EnquiryOut(many=True))
    def list(self, request: Request) -> Response:
        """The threads that I read, the one written in last first; of my labs what waits first."""
        asked = self.parameters(request)
        read = {Side.CUSTOMER.value: queries.my_enquiries, Side.LAB.value: queries.lab_enquiries}.get(
            asked.get("side", ""), queries.enquiries_visible
        )
        rows = read(self.actor)
        if "state" in asked:
            rows = rows.filter(state=asked["state"])
        rows = rows.filter(**{name: asked[name] for name in ("reservation", "sample_job") if name in asked})
        if "need" in asked:
            rows = rows.filter(need_id=asked["need"], organisation_id__in=self.actor.organisations(*CUSTOMERS))
        return self.paged_together(rows, self._rows)

    @extend_schema(responses=shapes.ThreadOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One thread with its messages."""
        return Response(self._thread(int(pk)))

    @extend_schema(parameters=[IDEMPOTENT], responses={201: shapes.MadeOut, 200: shapes.MadeOut})
    def create(self, request: Request) -> Response:
        """Ask a lab about an instrument, a test item, a request, a reservation or a sample job; about the last two the lab may ask its
        customer. Files go with a further message."""
        key, given = self.idempotency_key(request), self.valid(request)
        question = Question(
            given["organisation"],
            given["subject"],
            given["text"],
            given.get("instrument"),
            given.get("resource"),
            given.get("resource_request"),
            given.get("reservation"),
            given.get("sample_job"),
        )
        return made(enquiries.ask(self.actor, question, (), self.now, idempotency_key=key), "api_enquiry")

    @extend_schema(
        parameters=[IDEMPOTENT],
        request={"multipart/form-data": shapes.MessageIn},
        responses={201: shapes.ThreadOut, 200: shapes.ThreadOut},
    )
    def write(self, request: Request, pk: str) -> Response:
        """Write on (multipart): the customer's people ask, the lab's managers answer."""
        key, given = self.idempotency_key(request), self.valid(request)
        files = enquiry_files.attachments_of(given["attachments"])
        written = enquiries.write(self.actor, int(pk), given["text"], files, self.now, idempotency_key=key)
        return created(self._thread(int(pk)), written)

    @extend_schema(responses=shapes.ThreadOut)
    def close(self, request: Request, pk: str) -> Response:
        """Nothing is left to answer; asking again opens it."""
        self.valid(request)
        enquiries.close(self.actor, int(pk), self.now)
        return Response(self._thread(int(pk)))

    @extend_schema(responses=shapes.ThreadOut)
    def seen(self, request: Request, pk: str) -> Response:
        """I have read it as far as it goes now."""
        self.valid(request)
        enquiries.mark_seen(self.actor, int(pk))
        return Response(self._thread(int(pk)))

    @extend_schema(parameters=[ATTACHMENT], responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def file(self, request: Request, attachment_id: str) -> HttpResponse:
        """A file of a thread, for its two sides only."""
        stored, content = enquiry_files.attached_file(self.actor, int(attachment_id))
        return attachment(content, stored.media_type, stored.file_name)

    def _rows(self, rows: Sequence[Enquiry]) -> Any:
        return shapes.enquiries_json(rows, self.now, lambda row: queries.side_of(self.actor, row) is Side.CUSTOMER)

    def _thread(self, pk: int) -> dict[str, Any]:
        found = queries.enquiry_for(self.actor, pk)
        return {**self._rows([found])[0], "messages": [shapes.message_json(each) for each in found.messages.all()]}


class MessageParserView(EnquiryView):
    """Writing on takes multipart, so that files can come with it."""

    parser_classes = [MultiPartParser]


class NeedView(ApiView):
    """Unmet needs, each put to several labs; a token needs the scope ``book`` to write."""

    token_scopes: ClassVar[dict[str, str]] = {"GET": "read", "POST": "book"}
    queryset = Need.objects.none()
    serializer_class = shapes.NeedIn

    @extend_schema(responses=shapes.NeedOut(many=True))
    def list(self, request: Request) -> Response:
        """What my organisations put to several labs, newest first."""
        return self.paged(queries.needs_of(self.actor), shapes.need_json)

    @extend_schema(responses=shapes.NeedDetailOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One need with the thread of each lab."""
        need, threads = queries.need_for(self.actor, int(pk))
        rows = shapes.enquiries_json(threads, self.now, lambda row: True)
        return Response({**shapes.need_json(need), "enquiries": rows})

    @extend_schema(parameters=[IDEMPOTENT], responses={201: shapes.MadeOut, 200: shapes.MadeOut})
    def create(self, request: Request) -> Response:
        """Put a need to several labs: one thread for each, which no other lab sees."""
        key, given = self.idempotency_key(request), self.valid(request)
        need = UnmetNeed(
            given["organisation"],
            given["subject"],
            given["text"],
            tuple(given["labs"]),
            given["technique"],
            given["region_code"],
        )
        return made(enquiries.post_need(self.actor, need, (), self.now, idempotency_key=key), "api_need")


class AnswerTimeView(ApiView):
    """How soon a lab promises to answer; a token needs the scope ``manage``."""

    token_scopes: ClassVar[dict[str, str]] = {"POST": "manage"}
    queryset = Enquiry.objects.none()
    serializer_class = shapes.WorkdaysIn

    @extend_schema(responses=shapes.PromiseOut)
    def set_promise(self, request: Request, pk: str) -> Response:
        """Promise an answer within so many working days."""
        given = self.valid(request)
        owner = answer_time.set_answer_workdays(self.actor, int(pk), given["workdays"], self.now)
        return Response({"id": owner.pk, "workdays": owner.answer_workdays})
