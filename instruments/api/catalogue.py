"""/api/v1/catalogue: everything that can be found, with facets and suggestions."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.utils.urls import remove_query_param, replace_query_param

from config.kernel.api.serializers import StrictSerializer
from config.kernel.api.views import ApiView
from instruments import queries
from instruments.api.fields import Division, Technique
from instruments.models import CatalogueEntry
from instruments.queries import SearchResult
from instruments.queries.catalogue import MAX_PAGE_SIZE
from instruments.rules.facets import NO, PRICE_BANDS, YES
from instruments.rules.registry_values import SERVICE_MODES, STATUSES
from instruments.rules.search_state import KINDS, MAX_TEXT, NEXT_FREE_DAYS, SORTS, read_search


class CatalogueIn(StrictSerializer):
    """The query of a search; an empty value does not narrow anything."""

    q = serializers.CharField(
        max_length=MAX_TEXT,
        required=False,
        allow_blank=True,
        help_text="Words in any language, pinyin or its initials, elements; also how many samples, how long, when and where.",
    )
    kind = serializers.ChoiceField(choices=KINDS, required=False, allow_blank=True)
    technique = Technique()
    class_code = serializers.RegexField(
        r"^([0-9]{2}){0,3}$", required=False, allow_blank=True, help_text="A class of any level: 01, 0103, 010304."
    )
    region_code = Division()
    zone = serializers.SlugField(max_length=60, required=False, allow_blank=True)
    service_mode = serializers.ChoiceField(choices=SERVICE_MODES, required=False, allow_blank=True)
    price = serializers.ChoiceField(choices=tuple(PRICE_BANDS), required=False, allow_blank=True)
    subsidy = serializers.ChoiceField(choices=(YES,), required=False, allow_blank=True)
    training = serializers.ChoiceField(choices=(YES, NO), required=False, allow_blank=True)
    bookable = serializers.ChoiceField(choices=(YES,), required=False, allow_blank=True)
    next_free = serializers.ChoiceField(choices=tuple(map(str, NEXT_FREE_DAYS)), required=False, allow_blank=True)
    owner = serializers.IntegerField(min_value=1, max_value=2**62, required=False)
    status = serializers.ChoiceField(choices=STATUSES, required=False, allow_blank=True)
    sort = serializers.ChoiceField(choices=SORTS, required=False, allow_blank=True)
    page = serializers.IntegerField(min_value=1, max_value=10**6, required=False)
    page_size = serializers.IntegerField(min_value=1, max_value=MAX_PAGE_SIZE, required=False)


class EntryOwnerOut(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    name_en = serializers.CharField()


class EntryOut(serializers.Serializer):
    """One thing that was found; ``instrument`` or ``resource`` is its id. Prices in fen, None without one."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    instrument = serializers.IntegerField(source="instrument_id", allow_null=True)
    resource = serializers.IntegerField(source="resource_id", allow_null=True)
    name = serializers.CharField()
    name_en = serializers.CharField()
    owner = EntryOwnerOut(source="organisation")
    class_code = serializers.CharField()
    region_code = serializers.CharField()
    zones = serializers.ListField(child=serializers.CharField())
    technique_codes = serializers.ListField(child=serializers.CharField())
    service_modes = serializers.ListField(child=serializers.CharField())
    status = serializers.CharField()
    bookable = serializers.BooleanField()
    training_needed = serializers.BooleanField()
    approval_needed = serializers.BooleanField()
    price_from_fen = serializers.IntegerField(allow_null=True)
    price_unit = serializers.CharField()
    subsidy_eligible = serializers.BooleanField()


class ValueOut(serializers.Serializer):
    value = serializers.CharField()
    count = serializers.IntegerField(allow_null=True)
    label = serializers.CharField()  # type: ignore[assignment]
    label_en = serializers.CharField()


class UnderstoodOut(serializers.Serializer):
    """What was understood of ``q`` besides its words."""

    words = serializers.CharField()
    samples = serializers.IntegerField(allow_null=True)
    duration_minutes = serializers.IntegerField(allow_null=True)
    when = serializers.CharField()
    region_code = serializers.CharField()
    near = serializers.BooleanField()
    unknown_place = serializers.CharField()


class CataloguePage(serializers.Serializer):
    """``more``: more match than ``count`` says; then facets may count the first ones only (``first_only``).

    ``any_word``: nothing has all the words, these have some of them. ``elsewhere``: nothing is near the place in the words, these are
    farther away.
    """

    count = serializers.IntegerField()
    more = serializers.BooleanField()
    first_only = serializers.BooleanField()
    any_word = serializers.BooleanField()
    elsewhere = serializers.BooleanField()
    understood = UnderstoodOut()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    facets = serializers.DictField(child=ValueOut(many=True), help_text="Counts with every other filter applied.")
    results = EntryOut(many=True)


class SuggestIn(StrictSerializer):
    q = serializers.CharField(max_length=MAX_TEXT, help_text="What was typed so far.")


class SuggestionOut(serializers.Serializer):
    """``target`` is the owner's id, the technique's code or the element's symbol; ``weight`` counts what has the term."""

    kind = serializers.CharField()
    term = serializers.CharField()
    term_en = serializers.CharField()
    target = serializers.CharField()
    weight = serializers.IntegerField()


class SuggestionsOut(serializers.Serializer):
    did_you_mean = serializers.CharField()
    suggestions = SuggestionOut(many=True)


class CatalogueView(ApiView):
    """Instruments, test items, data, literature and germplasm in one search."""

    token_scopes: ClassVar[dict[str, str]] = {"GET": "read"}
    queryset = CatalogueEntry.objects.none()
    serializer_class = EntryOut
    pagination_class = None
    parameters_shapes: ClassVar[dict[str, type[StrictSerializer]]] = {"list": CatalogueIn, "suggest": SuggestIn}

    def get_serializer_class(self) -> type[BaseSerializer]:
        return EntryOut

    @extend_schema(parameters=[CatalogueIn], responses=CataloguePage)
    def list(self, request: Request) -> Response:
        """Search what I may see; without a status retired instruments are left out."""
        asked = self.parameters(request)
        search = read_search({name: str(value) for name, value in asked.items()})
        result = queries.search_catalogue(self.actor, search, self.now, asked.get("page", 1), asked.get("page_size", 50))
        return Response(_page(request, result))

    @extend_schema(parameters=[SuggestIn], responses=SuggestionsOut)
    @action(detail=False, methods=["get"])
    def suggest(self, request: Request) -> Response:
        """Terms of the public catalogue for what was typed so far, by kind, the most frequent first."""
        found = queries.suggest(self.parameters(request)["q"])
        rows = [one for group in found.groups.values() for one in group]
        return Response(SuggestionsOut({"did_you_mean": found.did_you_mean, "suggestions": rows}).data)


def _page(request: Request, result: SearchResult) -> dict[str, Any]:
    address = request.build_absolute_uri()
    before = result.page - 1
    previous = remove_query_param(address, "page") if before == 1 else replace_query_param(address, "page", before)
    return {
        "count": result.total,
        "more": result.more,
        "first_only": result.first_only,
        "any_word": result.any_word,
        "elsewhere": result.elsewhere,
        "understood": UnderstoodOut(result.asked).data,
        "next": replace_query_param(address, "page", result.page + 1) if result.page < result.pages else None,
        "previous": previous if before else None,
        "facets": {name: ValueOut(values, many=True).data for name, values in result.facets.items()},
        "results": EntryOut(result.items, many=True).data,
    }
