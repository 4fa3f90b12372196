"""/api/v1/open-data/: everything that is public in one file a kind, under an open licence and without personal data."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.http import JsonResponse, StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from config.kernel.api.serializers import NoParameters, StrictSerializer
from config.kernel.api.views import ApiView
from instruments.models import Instrument, Resource
from instruments.queries import open_data as queries
from instruments.queries import public_records
from instruments.rules.standards import open_catalogue
from instruments.rules.standards.public import LICENCE_URL


class OpenDataParameters(StrictSerializer):
    """Of whom."""

    owner = serializers.IntegerField(
        min_value=1, max_value=2**62, required=False, help_text="The number of an owner: only what it shares."
    )


class OpenDataView(ApiView):
    """The public catalogue of instruments as a file; anybody may take it."""

    token_scopes: ClassVar[dict[str, str]] = {"GET": "read"}
    permission_classes = (AllowAny,)
    queryset = Instrument.objects.none()
    serializer_class = serializers.Serializer
    pagination_class = None
    parameters_shapes: ClassVar[dict[str, type[StrictSerializer]]] = {"download": OpenDataParameters}

    @extend_schema(parameters=[OpenDataParameters], responses={200: OpenApiTypes.BINARY})
    def download(self, request: Request, layout: str) -> StreamingHttpResponse:
        """All public instruments: csv, json, uniquip.csv, pidinst.json, pidinst.xml, datacite.xml or schema.jsonld.

        The licence stands in the file (csv, json) and in the Link header. No contact persons. Ordered by number.
        """
        stream = public_records.open_data_stream(layout, self.now, self.parameters(request).get("owner"))
        media_type = public_records.BULK_LAYOUTS[layout].media_type
        return StreamingHttpResponse(stream, content_type=media_type, headers=_headers(f"instruments.{layout}"))


class OpenResourcesView(ApiView):
    """Published test items, data sets, literature and germplasm, a file a kind; anybody may take it."""

    token_scopes: ClassVar[dict[str, str]] = {"GET": "read"}
    permission_classes = (AllowAny,)
    queryset = Resource.objects.none()
    serializer_class = serializers.Serializer
    pagination_class = None
    parameters_shapes: ClassVar[dict[str, type[StrictSerializer]]] = {"download": OpenDataParameters}

    @extend_schema(parameters=[OpenDataParameters], responses={200: OpenApiTypes.BINARY})
    def download(self, request: Request, name: str, layout: str) -> StreamingHttpResponse:
        """test-items, datasets, literature or germplasm as csv or json. The licence stands in the file and in the Link header. No
        contact persons and no authors. Ordered by number."""
        stream = queries.resource_stream(name, layout, self.now, self.parameters(request).get("owner"))
        return StreamingHttpResponse(stream, content_type=queries.MEDIA_TYPES[layout], headers=_headers(f"{name}.{layout}"))


class OpenCatalogueView(ApiView):
    """What open data there is."""

    token_scopes: ClassVar[dict[str, str]] = {"GET": "read"}
    permission_classes = (AllowAny,)
    queryset = Resource.objects.none()
    serializer_class = serializers.Serializer
    pagination_class = None
    parameters_shapes: ClassVar[dict[str, type[NoParameters]]] = {"retrieve": NoParameters}

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def retrieve(self, request: Request) -> JsonResponse:
        """All sets with their files as a DCAT 3 catalogue in JSON-LD."""
        document = open_catalogue.dcat(queries.page_address(), (_("Jishi"), settings.PUBLIC_URL), queries.open_sets())
        answer = JsonResponse(document, json_dumps_params={"ensure_ascii": False}, content_type="application/ld+json")
        answer["Link"] = f'<{LICENCE_URL}>; rel="license"'
        answer["Cache-Control"] = "public, max-age=300"
        return answer


def _headers(file_name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{file_name}"',
        "Cache-Control": "public, max-age=300",
        "Link": f'<{LICENCE_URL}>; rel="license"',
        "X-Content-Type-Options": "nosniff",
    }
