"""/api/v1/resources and /resource-requests: test items, germplasm, data sets, literature, and asking for them."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from config.kernel.api.serializers import NoFields, StrictSerializer
from config.kernel.api.views import ApiView
from config.kernel.errors import Refusal
from config.kernel.http import attachment
from instruments.api import resource_shapes as shapes
from instruments.models import Resource, ResourceRequest
from instruments.queries import resources as queries
from instruments.services import resource_exports, resource_requests, resources, uploads
from instruments.services.resource_requests import Application, Delivery, terms_fingerprint

FORMAT = OpenApiParameter(
    "export_format", str, OpenApiParameter.PATH, enum=sorted(resource_exports.FORMATS), description="One of the kind's formats."
)
FORMATS_PATTERN = "(?P<export_format>[a-z-]{1,30})"


class ResourceView(ApiView):
    """Test items, germplasm, data sets and literature: find, look at, add, change, take out; anybody may look."""

    token_scopes: ClassVar[dict[str, str]] = {"GET": "read", "POST": "manage", "PATCH": "manage"}
    permission_classes = [IsAuthenticatedOrReadOnly]
    queryset = Resource.objects.none()
    serializer_class = shapes.ResourcePatch
    shapes_by_action: ClassVar[dict[str, type[BaseSerializer]]] = {"create": shapes.ResourceIn}
    parameters_shapes: ClassVar[dict[str, type[StrictSerializer]]] = {
        "list": shapes.ResourceParameters,
        "export_all": shapes.BulkParameters,
    }

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.shapes_by_action.get(self.action, shapes.ResourcePatch)

    @extend_schema(parameters=[shapes.ResourceParameters], responses=shapes.ResourceRow(many=True))
    def list(self, request: Request) -> Response:
        """Those that I may see, by name (the best match first when words are given)."""
        asked = self.parameters(request)
        rows = queries.search_resources(
            self.actor, asked.get("q", ""), asked.get("kind", ""), asked.get("owner"), asked.get("instrument")
        )
        return self.paged(rows, lambda row: dict(shapes.ResourceRow(row).data))

    @extend_schema(responses=shapes.ResourceOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One resource with its typed part."""
        return Response(self._shown(int(pk)))

    @extend_schema(responses={201: shapes.ResourceOut})
    def create(self, request: Request) -> Response:
        """Add a resource to an owner whose lab I manage. It is a draft unless ``published`` is true."""
        core, parts = shapes.split(self.valid(request))
        owner, kind = core.pop("organisation_id"), core.pop("kind")
        created = resources.create_resource(self.actor, owner, kind, core, _own_part(kind, parts), self.now)
        return Response(self._shown(created.pk), status=201)

    @extend_schema(responses=shapes.ResourceOut)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change the fields that are given."""
        core, parts = shapes.split(self.valid(request))
        kind = queries.resource_for(self.actor, int(pk)).kind
        resources.update_resource(self.actor, int(pk), core, _own_part(kind, parts), self.now)
        return Response(self._shown(int(pk)))

    @extend_schema(responses=shapes.StatisticsOut)
    @action(detail=False, methods=["get"])
    def statistics(self, request: Request) -> Response:
        """What is shared and how it is asked for, kind by kind; nothing names anybody."""
        return Response(shapes.StatisticsOut({"results": queries.statistics()}).data)

    @extend_schema(parameters=[FORMAT], responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"], url_path=f"export/{FORMATS_PATTERN}")
    def export(self, request: Request, pk: str, export_format: str) -> HttpResponse:
        """One resource in a standard of its kind."""
        resource = queries.resource_for(self.actor, int(pk))
        content, chosen = resource_exports.export([resource], export_format, self._today, single=True)
        return attachment(content, chosen.media_type, f"{resource.kind}-{resource.pk}.{chosen.extension}")

    @extend_schema(
        operation_id="resources_export_all",
        parameters=[FORMAT, shapes.BulkParameters],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    @action(detail=False, methods=["get"], url_path=f"export/{FORMATS_PATTERN}")
    def export_all(self, request: Request, export_format: str) -> HttpResponse:
        """All that I may see of an owner in a standard, which says of what kind they are."""
        owner = self.parameters(request)["owner"]
        chosen = resource_exports.FORMATS.get(export_format)
        found = queries.resources_of(self.actor, owner, chosen.kind) if chosen is not None else []
        rows = [queries.as_shown(self.actor, resource) for resource in found]
        content, used = resource_exports.export(rows, export_format, self._today, single=False)
        return attachment(content, used.media_type, f"{used.kind}-of-{owner}.{used.extension}")

    @property
    def _today(self) -> date:
        return self.now.astimezone(ZoneInfo(settings.TIME_ZONE)).date()

    def _shown(self, resource_id: int) -> dict[str, Any]:
        resource = queries.resource_for(self.actor, resource_id)
        return shapes.resource_out(resource, terms_fingerprint(resource))


class ResourceRequestView(ApiView):
    """Asking for a resource, answering, delivering, saying how it was."""

    token_scopes: ClassVar[dict[str, str]] = {"GET": "read", "POST": "manage"}
    queryset = ResourceRequest.objects.none()
    serializer_class = NoFields
    shapes_by_action: ClassVar[dict[str, type[BaseSerializer]]] = {
        "create": shapes.RequestIn,
        "refuse": shapes.RefusalReasonIn,
        "deliver": shapes.DeliveryIn,
        "feedback": shapes.FeedbackIn,
    }
    parameters_shapes: ClassVar[dict[str, type[StrictSerializer]]] = {"list": shapes.RequestParameters}

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.shapes_by_action.get(self.action, NoFields)

    @extend_schema(parameters=[shapes.RequestParameters], responses=shapes.RequestOut(many=True))
    def list(self, request: Request) -> Response:
        """Requests that I may see, newest first."""
        asked = self.parameters(request)
        read = {"asking": queries.my_requests, "owner": queries.request_inbox}.get(
            asked.get("side", ""), queries.requests_visible
        )
        rows = read(self.actor)
        if "state" in asked:
            rows = rows.filter(state=asked["state"])
        return self.paged(rows, _request_out)

    @extend_schema(responses=shapes.RequestOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return self._shown(int(pk))

    @extend_schema(responses={201: shapes.RequestOut})
    def create(self, request: Request) -> Response:
        """Ask for a published resource."""
        created = resource_requests.apply(self.actor, Application(**self.valid(request)), self.now)
        return self._shown(created.pk, 201)

    @extend_schema(responses=shapes.RequestOut)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        """The owner will deliver it."""
        self.valid(request)
        resource_requests.approve(self.actor, int(pk), self.now)
        return self._shown(int(pk))

    @extend_schema(responses=shapes.RequestOut)
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, pk: str) -> Response:
        """The owner says no, and why."""
        resource_requests.refuse(self.actor, int(pk), self.valid(request)["reason"], self.now)
        return self._shown(int(pk))

    @extend_schema(responses=shapes.RequestOut)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """The asking side no longer wants it."""
        self.valid(request)
        resource_requests.withdraw(self.actor, int(pk), self.now)
        return self._shown(int(pk))

    @extend_schema(responses=shapes.RequestOut)
    @action(detail=True, methods=["post"], parser_classes=[MultiPartParser])
    def deliver(self, request: Request, pk: str) -> Response:
        """Hand it over (multipart): a file, a visit, a sample that is sent."""
        values = self.valid(request)
        file = values.get("file")
        content = uploads.received(file) if file is not None else None
        delivery = Delivery(values["mode"], values["note"], content, file.name or "" if file is not None else "")
        resource_requests.deliver(self.actor, int(pk), delivery, self.now)
        return self._shown(int(pk))

    @extend_schema(responses=shapes.RequestOut)
    @action(detail=True, methods=["post"])
    def feedback(self, request: Request, pk: str) -> Response:
        """How it was, from 1 to 5; the request is closed with it."""
        values = self.valid(request)
        resource_requests.give_feedback(self.actor, int(pk), values["rating"], values["feedback"], self.now)
        return self._shown(int(pk))

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"])
    def file(self, request: Request, pk: str) -> HttpResponse:
        """The file that was delivered, as an attachment."""
        stored, content = resource_requests.delivered_file(self.actor, int(pk))
        return attachment(content, stored.media_type, stored.file_name)

    def _shown(self, request_id: int, status: int = 200) -> Response:
        return Response(_request_out(queries.request_for(self.actor, request_id)), status=status)


def _request_out(row: ResourceRequest) -> dict[str, Any]:
    return dict(shapes.RequestOut(row).data)


def _own_part(kind: str, parts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The typed part of the kind. Raises Refusal ``resource.part_of_other_kind`` when another kind's was given."""
    others = [name for name in parts if name != kind]
    if others:
        raise Refusal.of("resource.part_of_other_kind", others[0], kind=kind)
    return parts.get(kind, {})
