"""/api/v1/organisations/{id}/places and /places/{id}: where an owner's instruments stand."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel.api.fields import Text
from config.kernel.api.serializers import StrictSerializer
from config.kernel.api.views import ApiView
from instruments.models import Site
from instruments.queries import organisation_for, site_for, sites_of
from instruments.services.places import Place, update_site
from instruments.services.registry import SiteFields

_TEXT = 2000  # longer is refused as input; the service says what really fits


class SiteIn(StrictSerializer):
    """All of a place; what is left out becomes empty."""

    name = Text(max_length=_TEXT)
    name_en = Text(max_length=_TEXT, allow_blank=True, default="")
    address = Text(max_length=_TEXT, allow_blank=True, default="")
    region_code = Text(max_length=_TEXT, allow_blank=True, default="", help_text="The six digits of a division.")
    time_zone = Text(max_length=_TEXT, help_text="An IANA name, like Asia/Shanghai.")
    latitude = Text(
        max_length=_TEXT, allow_blank=True, default="", help_text="Degrees as text, like 36.622; empty with longitude."
    )
    longitude = Text(max_length=_TEXT, allow_blank=True, default="", help_text="Degrees as text, like 101.778.")


class SiteKeptOut(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    name_en = serializers.CharField()
    address = serializers.CharField()
    region_code = serializers.CharField()
    time_zone = serializers.CharField()
    latitude = serializers.CharField(allow_null=True)
    longitude = serializers.CharField(allow_null=True)


def place_out(site: Site) -> dict[str, Any]:
    """A place; coordinates as text in degrees."""
    return {
        "id": site.pk,
        "name": site.name,
        "name_en": site.name_en,
        "address": site.address,
        "region_code": site.region_code,
        "time_zone": site.time_zone,
        "latitude": None if site.latitude is None else str(site.latitude),
        "longitude": None if site.longitude is None else str(site.longitude),
    }


class PlaceView(ApiView):
    """Places of owners."""

    token_scopes: ClassVar[dict[str, str]] = {"GET": "read", "PUT": "manage"}
    queryset = Site.objects.none()
    serializer_class = SiteIn

    @extend_schema(responses=SiteKeptOut(many=True))
    def list(self, request: Request, pk: str) -> Response:
        """The places of an owner, by name."""
        owner = organisation_for(self.actor, int(pk))
        return self.paged(sites_of(self.actor, owner.pk), place_out)

    @extend_schema(responses=SiteKeptOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(place_out(site_for(self.actor, int(pk))))

    @extend_schema(responses=SiteKeptOut)
    def update(self, request: Request, pk: str) -> Response:
        """For the owner's managers and the operator. The zone stays while opening hours are kept in it."""
        site_for(self.actor, int(pk))
        asked = self.valid(request)
        place = Place(
            SiteFields(**{name: asked[name] for name in ("name", "name_en", "time_zone", "region_code", "address")}),
            asked["latitude"],
            asked["longitude"],
        )
        update_site(self.actor, int(pk), place, self.now)
        return self.retrieve(request, pk)
