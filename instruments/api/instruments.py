"""/api/v1/instruments: search, one instrument, adding and changing one, when it is open."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.utils.urls import remove_query_param, replace_query_param

from config.kernel.access import Role
from config.kernel.api.fields import Instant
from config.kernel.api.serializers import StrictSerializer
from config.kernel.api.views import ApiView
from config.kernel.errors import Forbidden, Refusal
from config.kernel.time_range import TimeRange
from instruments import queries
from instruments.api.calendar import CalendarOut, calendar_document
from instruments.api.fields import Division
from instruments.models import Instrument
from instruments.queries import SearchResult
from instruments.queries.catalogue import MAX_PAGE_SIZE
from instruments.rules.facets import YES, plain_class
from instruments.rules.registry_values import SERVICE_MODES, STATUSES
from instruments.rules.search_state import SORTS, CatalogueSearch
from instruments.services import registry

FACETS = ("class_code", "region_code", "status", "service_mode", "owner")
_TEXT = 5000  # longer is refused as input; the service says what really fits
LONGEST_WINDOW = timedelta(days=366)


class SiteOut(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    name_en = serializers.CharField()
    time_zone = serializers.CharField()
    region_code = serializers.CharField()
    address = serializers.CharField()


class OwnerOut(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    name_en = serializers.CharField()


class InstrumentRow(serializers.Serializer):
    """An instrument in a list."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    name_en = serializers.CharField()
    owner = OwnerOut(source="organisation")
    site = SiteOut()
    inner_id = serializers.CharField()
    class_code = serializers.CharField()
    manufacturer = serializers.CharField()
    model = serializers.CharField()
    technique = serializers.CharField()
    service_modes = serializers.ListField(child=serializers.CharField())
    status = serializers.CharField()
    published = serializers.BooleanField()


class InstrumentOut(InstrumentRow):
    """Everything that is public about an instrument; the value in fen."""

    description = serializers.CharField()
    description_en = serializers.CharField()
    original_value_fen = serializers.IntegerField(allow_null=True)
    commissioned_on = serializers.DateField(allow_null=True)
    contact_name = serializers.CharField()
    contact_phone = serializers.CharField()
    contact_email = serializers.CharField()
    contact_address = serializers.CharField()
    contact_postal_code = serializers.CharField()
    department = serializers.CharField()
    affiliation = serializers.CharField()
    affiliation_name = serializers.CharField()
    acquisition = serializers.CharField()
    use_type = serializers.CharField()
    share_mode = serializers.CharField()
    nation_code = serializers.CharField(help_text="ISO 3166-1, two letters.")
    technical_indicators = serializers.CharField()
    functions = serializers.CharField()
    subject_codes = serializers.ListField(child=serializers.CharField())
    technique_codes = serializers.ListField(child=serializers.CharField())
    keywords = serializers.ListField(child=serializers.CharField())
    service_content = serializers.CharField()
    achievements = serializers.CharField()
    access_terms = serializers.CharField()
    fee_note = serializers.CharField()
    service_url = serializers.CharField()
    effect_1 = serializers.CharField()
    effect_2 = serializers.CharField()
    asset_number = serializers.CharField()
    fixed_asset_code = serializers.CharField()
    accessories = serializers.CharField()
    certification = serializers.CharField()
    known_users = serializers.CharField()
    purchased_on = serializers.DateField(allow_null=True)
    imported = serializers.BooleanField(allow_null=True)
    customs_supervised = serializers.BooleanField(allow_null=True)
    training_needed = serializers.BooleanField()
    doi = serializers.CharField()
    cstr = serializers.CharField()
    photo_sha256 = serializers.CharField(source="photo.sha256", default=None, allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class FacetOut(serializers.Serializer):
    value = serializers.CharField()
    count = serializers.IntegerField()
    label = serializers.CharField()  # type: ignore[assignment]


class InstrumentPage(serializers.Serializer):
    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    facets = serializers.DictField(child=FacetOut(many=True), help_text="Counts with every other filter applied.")
    results = InstrumentRow(many=True)


class SearchIn(StrictSerializer):
    """The query of a search."""

    q = serializers.CharField(max_length=200, required=False, allow_blank=True, help_text="Words, also pinyin or its initials.")
    class_code = serializers.RegexField(r"^([0-9]{2}){0,3}$", required=False, allow_blank=True)
    region_code = Division()
    status = serializers.ChoiceField(choices=STATUSES, required=False, allow_blank=True)
    service_mode = serializers.ChoiceField(choices=SERVICE_MODES, required=False, allow_blank=True)
    owner = serializers.IntegerField(min_value=1, max_value=2**62, required=False)
    bookable = serializers.BooleanField(required=False)
    sort = serializers.ChoiceField(choices=SORTS, required=False, allow_blank=True)
    page = serializers.IntegerField(min_value=1, max_value=10**6, required=False)
    page_size = serializers.IntegerField(min_value=1, max_value=MAX_PAGE_SIZE, required=False)


class InstrumentPatch(StrictSerializer):
    site_id = serializers.IntegerField(min_value=1, max_value=2**62, required=False)
    name = serializers.CharField(max_length=_TEXT, required=False)
    name_en = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    inner_id = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    class_code = serializers.CharField(max_length=20, required=False, allow_blank=True)
    manufacturer = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    model = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    technique = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    description = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    description_en = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    original_value_fen = serializers.IntegerField(required=False, allow_null=True)
    commissioned_on = serializers.DateField(required=False, allow_null=True)
    service_modes = serializers.ListField(child=serializers.CharField(max_length=40), required=False, max_length=20)
    status = serializers.CharField(max_length=40, required=False)
    published = serializers.BooleanField(required=False)
    contact_name = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    contact_phone = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    contact_email = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    contact_address = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    contact_postal_code = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    department = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    affiliation = serializers.CharField(max_length=40, required=False, allow_blank=True)
    affiliation_name = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    acquisition = serializers.CharField(max_length=40, required=False, allow_blank=True)
    use_type = serializers.CharField(max_length=40, required=False, allow_blank=True)
    share_mode = serializers.CharField(max_length=40, required=False, allow_blank=True)
    nation_code = serializers.CharField(max_length=20, required=False, allow_blank=True)
    technical_indicators = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    functions = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    subject_codes = serializers.ListField(child=serializers.CharField(max_length=200), required=False, max_length=100)
    technique_codes = serializers.ListField(child=serializers.CharField(max_length=200), required=False, max_length=100)
    keywords = serializers.ListField(child=serializers.CharField(max_length=200), required=False, max_length=100)
    service_content = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    achievements = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    access_terms = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    fee_note = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    service_url = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    effect_1 = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    effect_2 = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    asset_number = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    fixed_asset_code = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    accessories = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    certification = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    known_users = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    purchased_on = serializers.DateField(required=False, allow_null=True)
    imported = serializers.BooleanField(required=False, allow_null=True)
    customs_supervised = serializers.BooleanField(required=False, allow_null=True)
    training_needed = serializers.BooleanField(required=False)
    doi = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)
    cstr = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True)


class InstrumentIn(InstrumentPatch):
    site_id = serializers.IntegerField(min_value=1, max_value=2**62)
    name = serializers.CharField(max_length=_TEXT)


class WindowIn(StrictSerializer):
    """A window of instants, 366 days at most."""

    starts_at = Instant()
    ends_at = Instant()


class RangeOut(serializers.Serializer):
    starts_at = serializers.DateTimeField(default_timezone=UTC)
    ends_at = serializers.DateTimeField(default_timezone=UTC)


class OpeningOut(serializers.Serializer):
    time_zone = serializers.CharField()
    open = RangeOut(many=True)


class InstrumentView(ApiView):
    """Instruments: search, look at one, add one, change one."""

    token_scopes: ClassVar[dict[str, str]] = {"GET": "read", "POST": "manage", "PATCH": "manage"}
    queryset = Instrument.objects.none()
    serializer_class = InstrumentPatch
    pagination_class = None
    shapes_by_action: ClassVar[dict[str, type[BaseSerializer]]] = {"create": InstrumentIn}
    parameters_shapes: ClassVar[dict[str, type[StrictSerializer]]] = {"list": SearchIn, "opening": WindowIn}

    def get_serializer_class(self) -> type[BaseSerializer]:
        return self.shapes_by_action.get(self.action, InstrumentPatch)

    @extend_schema(parameters=[SearchIn], responses=InstrumentPage)
    def list(self, request: Request) -> Response:
        """Search the instruments that I may see; without a status retired ones are left out."""
        asked = self.parameters(request)
        search = CatalogueSearch(
            text=asked.get("q", ""),
            kind="instrument",
            class_code=plain_class(asked.get("class_code", "")),
            owner=str(asked.get("owner", "")),
            bookable=YES if asked.get("bookable") else "",
            **{name: asked[name] for name in ("region_code", "status", "service_mode", "sort") if name in asked},
        )
        result = queries.search_catalogue(self.actor, search, self.now, asked.get("page", 1), asked.get("page_size", 50))
        return Response(_page(request, result))

    @extend_schema(responses=InstrumentOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(InstrumentOut(queries.instrument_for(self.actor, int(pk))).data)

    @extend_schema(responses={201: InstrumentOut})
    def create(self, request: Request) -> Response:
        """Add an instrument at a site of an owner that I manage. Opening hours come afterwards.

        It stays unpublished where the operator looks at an owner's changes first.
        """
        values = self.valid(request)
        site_id = values.pop("site_id")
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        created = registry.create_instrument(self.actor, site_id, registry.InstrumentFields(**values), self.now)
        return Response(InstrumentOut(queries.instrument_for(self.actor, created.pk)).data, status=201)

    @extend_schema(responses=InstrumentOut)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change fields at once. Where the operator looks first, descriptive fields of a published instrument are refused here."""
        registry.update_instrument(self.actor, int(pk), self.valid(request), self.now)
        return self.retrieve(request, pk)

    @extend_schema(parameters=[WindowIn], responses=OpeningOut)
    @action(detail=True, methods=["get"])
    def opening(self, request: Request, pk: str) -> Response:
        """When it is open for one of my organisations (when I have none: for everybody); bookings are not taken off."""
        asked = self.parameters(request)
        if not timedelta() < asked["ends_at"] - asked["starts_at"] <= LONGEST_WINDOW:
            raise Refusal.of("calendar.window_out_of_range", "ends_at", maximum_days=LONGEST_WINDOW.days)
        instrument = queries.instrument_for(self.actor, int(pk))
        found = queries.opening_for(self.actor, instrument.pk, TimeRange(asked["starts_at"], asked["ends_at"]))
        return Response(OpeningOut({"time_zone": instrument.site.time_zone, "open": found}).data)

    @extend_schema(responses=CalendarOut)
    @action(detail=True, methods=["get"])
    def calendar(self, request: Request, pk: str) -> Response:
        """All rules of its calendar, for those who keep it."""
        instrument = queries.instrument_for(self.actor, int(pk))
        if not queries.may_manage(self.actor, instrument):
            raise Forbidden.of("access.role_needed", roles=[Role.LAB_MANAGER.value])
        zone_name = instrument.site.time_zone
        year = self.now.astimezone(ZoneInfo(zone_name)).year
        return Response(CalendarOut(calendar_document(queries.stored_calendar(instrument), zone_name, year)).data)


def _page(request: Request, result: SearchResult) -> dict[str, Any]:
    address = request.build_absolute_uri()
    facets = {
        name: [{"value": one.value, "count": one.count, "label": one.label} for one in result.facets[name]] for name in FACETS
    }
    return {
        "count": result.total,
        "next": replace_query_param(address, "page", result.page + 1) if result.page < result.pages else None,
        "previous": None if result.page <= 1 else _previous(address, result.page - 1),
        "facets": facets,
        "results": InstrumentRow(_instruments(result), many=True).data,
    }


def _instruments(result: SearchResult) -> list[Instrument]:
    """The instruments of the entries, each with the owner that was read with the entry."""
    found = []
    for entry in result.items:
        if entry.instrument is not None:
            entry.instrument.organisation = entry.organisation
            found.append(entry.instrument)
    return found


def _previous(address: str, page: int) -> str:
    return remove_query_param(address, "page") if page == 1 else replace_query_param(address, "page", page)
