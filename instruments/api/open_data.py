"""/api/v1/open-data/: every public instrument in one file, under an open licence and without personal data."""

from __future__ import annotations

from typing import ClassVar

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from config.kernel.api.serializers import NoParameters
from config.kernel.api.views import ApiView
from instruments.models import Instrument
from instruments.queries import public_records
from instruments.rules.standards.public import LICENCE_URL


class OpenDataView(ApiView):
    """The public catalogue of instruments as a file; anybody may take it."""

    token_scopes: ClassVar[dict[str, str]] = {"GET": "read"}
    permission_classes = (AllowAny,)
    queryset = Instrument.objects.none()
    serializer_class = serializers.Serializer
    pagination_class = None
    parameters_shapes: ClassVar[dict[str, type[NoParameters]]] = {"download": NoParameters}

    @extend_schema(responses={200: OpenApiTypes.BINARY})
    def download(self, request: Request, layout: str) -> StreamingHttpResponse:
        """All public instruments: csv, json, uniquip.csv, pidinst.json, pidinst.xml or datacite.xml.

        The licence stands in the file (csv, json) and in the Link header. No contact persons. Ordered by number.
        """
        stream = public_records.open_data_stream(layout, self.now)
        media_type = public_records.BULK_LAYOUTS[layout].media_type
        return StreamingHttpResponse(
            stream,
            content_type=media_type,
            headers={
                "Content-Disposition": f'attachment; filename="instruments.{layout}"',
                "Cache-Control": "public, max-age=300",
                "Link": f'<{LICENCE_URL}>; rel="license"',
                "X-Content-Type-Options": "nosniff",
            },
        )
