"""What resources of the other kinds and requests for them look like over the API. Dates are local days, instants UTC."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from rest_framework import serializers

from config.kernel.api.fields import Id, IdParameter, Text, WholeNumber
from config.kernel.api.serializers import PageParameters, StrictSerializer
from instruments.models import DeliveryMode, Resource, ResourceKind, ResourceRequest, ResourceRequestState
from instruments.rules.resource_values import CORE_FIELDS
from instruments.rules.service_kinds import PUBLIC_KINDS
from instruments.services.resource_exports import formats_of
from instruments.services.resource_parts import part_values

_TEXT = 5000  # longer is refused as input; the service says what really fits
_KINDS = ResourceKind.choices


def _text(**options: Any) -> Text:
    return Text(**{"max_length": _TEXT, "required": False, "allow_blank": True, **options})


def _texts() -> serializers.ListField:
    return serializers.ListField(child=Text(max_length=_TEXT), max_length=500, required=False)


def _ids() -> serializers.ListField:
    return serializers.ListField(child=Id(), max_length=500, required=False)


def _day() -> serializers.DateField:
    return serializers.DateField(required=False, allow_null=True)


class AnalyteShape(StrictSerializer):
    """What is measured, with its detection limit and the limit's unit."""

    name = Text(max_length=200)
    limit = _text(default="")
    unit = _text(default="")


class QualificationShape(StrictSerializer):
    """CMA, CNAS and the like; valid on the local days from ``valid_from`` to ``valid_to``."""

    scheme = Text(max_length=100)
    certificate_number = _text(default="")
    valid_from = serializers.DateField(required=False, allow_null=True, default=None)
    valid_to = serializers.DateField(required=False, allow_null=True, default=None)


class TestItemShape(StrictSerializer):
    __test__ = False  # not a test of pytest's

    method = _text()
    standard = _text()
    condition = _text()
    group = _text()
    matrix = _text()
    analytes = AnalyteShape(many=True, required=False)
    sample_amount = _text()
    sample_preparation = _text()
    turnaround_days = WholeNumber(required=False, allow_null=True, help_text="Workdays from receipt of the samples.")
    daily_capacity = WholeNumber(required=False, allow_null=True, help_text="Samples a day.")
    service_kind = Text(
        max_length=30,
        required=False,
        allow_blank=True,
        help_text="The kind of service where it is no ordinary testing: "
        + ", ".join(PUBLIC_KINDS)
        + ". Programmes may leave it out.",
    )
    qualifications = QualificationShape(many=True, required=False)
    instrument_ids = _ids()


class GermplasmShape(StrictSerializer):
    standard = Text(
        max_length=10, required=False, help_text="mcpd (MCPD v2.1, plants) or dwc (Darwin Core, livestock and strains)."
    )
    descriptors = serializers.DictField(child=Text(max_length=_TEXT, allow_blank=True), required=False)


class DataSetShape(StrictSerializer):
    creators = _texts()
    issued_on = _day()
    version = _text()
    media_types = _texts()
    size_bytes = WholeNumber(required=False, allow_null=True)
    temporal_from = _day()
    temporal_to = _day()
    spatial = _text()
    landing_page = _text()
    instrument_ids = _ids()


class LiteratureShape(StrictSerializer):
    creators = _texts()
    issued = _text(help_text="2019, 2019-05 or 2019-05-07.")
    publisher = _text()
    type = _text()
    language = _text()
    source = _text()  # type: ignore[assignment]  # a field of ours, not the framework's argument
    rights = _text()
    instrument_ids = _ids()


class ResourcePatch(StrictSerializer):
    """Fields to change; of the typed parts only the one of the resource's kind may be given."""

    name = _text()
    name_en = _text()
    inner_id = _text()
    description = _text()
    description_en = _text()
    keywords = _texts()
    region_code = _text()
    access_terms = _text()
    licence = _text()
    contact_name = _text()
    contact_phone = _text()
    contact_email = _text()
    doi = _text()
    cstr = _text()
    published = serializers.BooleanField(required=False)
    test_item = TestItemShape(required=False)
    germplasm = GermplasmShape(required=False)
    dataset = DataSetShape(required=False)
    literature = LiteratureShape(required=False)


class ResourceIn(ResourcePatch):
    organisation_id = Id()
    kind = serializers.ChoiceField(choices=_KINDS)


class ResourceOwnerOut(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    name_en = serializers.CharField()


class ResourceRow(serializers.Serializer):
    """A resource in a list."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    name = serializers.CharField()
    name_en = serializers.CharField()
    owner = ResourceOwnerOut(source="organisation")
    inner_id = serializers.CharField()
    region_code = serializers.CharField()
    published = serializers.BooleanField()


class ResourceOut(ResourceRow):
    """Everything that is public about a resource; the typed part of its kind, the others null."""

    description = serializers.CharField()
    description_en = serializers.CharField()
    keywords = serializers.ListField(child=serializers.CharField())
    access_terms = serializers.CharField()
    licence = serializers.CharField()
    contact_name = serializers.CharField()
    contact_phone = serializers.CharField()
    contact_email = serializers.CharField()
    doi = serializers.CharField()
    cstr = serializers.CharField()
    attributes = serializers.DictField(
        child=serializers.CharField(), help_text="Columns of its file that no field takes; only for those who manage it."
    )
    export_formats = serializers.ListField(child=serializers.CharField())
    terms_fingerprint = serializers.CharField(help_text="Send it back with a request, as terms_seen.")
    created_at = serializers.DateTimeField(default_timezone=UTC)
    updated_at = serializers.DateTimeField(default_timezone=UTC)
    test_item = TestItemShape(allow_null=True)
    germplasm = GermplasmShape(allow_null=True)
    dataset = DataSetShape(allow_null=True)
    literature = LiteratureShape(allow_null=True)


class ResourceParameters(PageParameters):
    q = serializers.CharField(max_length=200, required=False, help_text="Words, pinyin, numbers.")
    kind = serializers.ChoiceField(choices=_KINDS, required=False)
    owner = IdParameter(required=False)
    instrument = IdParameter(required=False, help_text="What is measured with it, and what it supported.")


class BulkParameters(StrictSerializer):
    owner = IdParameter()


class StatisticsRow(serializers.Serializer):
    kind = serializers.CharField()
    resources = serializers.IntegerField()
    requested = serializers.IntegerField()
    refused = serializers.IntegerField()
    delivered = serializers.IntegerField()
    median_days = serializers.DecimalField(max_digits=8, decimal_places=1, allow_null=True)
    ratings = serializers.IntegerField()
    mean_rating = serializers.DecimalField(max_digits=3, decimal_places=1, allow_null=True)


class StatisticsOut(serializers.Serializer):
    results = StatisticsRow(many=True)


class RequestParameters(PageParameters):
    side = serializers.ChoiceField(
        choices=["asking", "owner"], required=False, help_text="What I asked for, or what I am asked for."
    )
    state = serializers.ChoiceField(choices=ResourceRequestState.choices, required=False)


class RequestIn(StrictSerializer):
    resource_id = Id()
    organisation_id = Id()
    purpose = Text(max_length=_TEXT)
    quantity = _text(default="")
    terms_accepted = serializers.BooleanField()
    terms_seen = Text(max_length=100, help_text="The resource's terms_fingerprint when its terms were read.")


class RefusalReasonIn(StrictSerializer):
    reason = Text(max_length=_TEXT, allow_blank=True)


class FeedbackIn(StrictSerializer):
    rating = WholeNumber(max_value=100, help_text="1 to 5.")
    feedback = _text(default="")


class DeliveryIn(StrictSerializer):
    """Multipart: how it was handed over, and the file where it is one."""

    mode = serializers.ChoiceField(choices=DeliveryMode.choices)
    note = serializers.CharField(max_length=_TEXT, required=False, allow_blank=True, default="")
    file = serializers.FileField(required=False)


class RequestOut(serializers.Serializer):
    id = serializers.IntegerField()
    resource_id = serializers.IntegerField()
    resource_name = serializers.CharField(source="resource.name")
    owner = ResourceOwnerOut(source="resource.organisation")
    organisation = ResourceOwnerOut()
    requested_by = serializers.CharField()
    state = serializers.CharField()
    purpose = serializers.CharField()
    quantity = serializers.CharField()
    terms = serializers.CharField()
    requested_at = serializers.DateTimeField(default_timezone=UTC)
    decided_at = serializers.DateTimeField(default_timezone=UTC, allow_null=True)
    reason = serializers.CharField()
    delivery_mode = serializers.CharField()
    delivery_note = serializers.CharField()
    has_file = serializers.SerializerMethodField()
    delivered_at = serializers.DateTimeField(default_timezone=UTC, allow_null=True)
    rating = serializers.IntegerField(allow_null=True)
    feedback = serializers.CharField()
    closed_at = serializers.DateTimeField(default_timezone=UTC, allow_null=True)

    def get_has_file(self, row: ResourceRequest) -> bool:
        return row.delivered_file_id is not None


def resource_out(resource: Resource, terms: str) -> dict[str, Any]:
    """A resource with its typed part; ``terms`` is the fingerprint of its access terms."""
    names = ("id", "kind", "organisation", "created_at", "updated_at", *CORE_FIELDS)
    values = {name: getattr(resource, name) for name in names}
    parts = {kind.value: part_values(resource) if resource.kind == kind else None for kind in ResourceKind}
    shown = {"export_formats": formats_of(resource.kind), "terms_fingerprint": terms}
    return dict(ResourceOut({**values, **parts, **shown}).data)


def split(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Core fields, and the typed parts that were given, by kind."""
    parts = {kind.value: values.pop(kind.value) for kind in ResourceKind if kind.value in values}
    return values, parts
