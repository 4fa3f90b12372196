"""Resources that are requested or commissioned instead of booked: test items, germplasm, data sets, literature.

One core record (``Resource``) with a typed part each. Instruments carry the same core in their own row, because the booking path
reads it in one statement (``docs/adr/0010-resources-beside-instruments.md``).
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from instruments.models.instrument import Instrument
from instruments.models.organisation import Organisation


class ResourceKind(models.TextChoices):
    """The kinds of the policy besides instruments."""

    TEST_ITEM = "test_item"
    GERMPLASM = "germplasm"
    DATASET = "dataset"
    LITERATURE = "literature"


class Resource(models.Model):
    """The core of a resource of any kind. ``inner_id`` is the owner's own number; ``import_key`` as with instruments.

    ``keywords`` is a list of words. ``access_terms`` are accepted by who requests it. ``doi`` and ``cstr`` are its persistent
    identifiers. ``attributes`` keeps columns of an imported file that no field of ours takes, so that nothing is lost on the way out.
    """

    kind = models.CharField(max_length=20, choices=ResourceKind.choices)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="resources")
    inner_id = models.CharField(max_length=150, blank=True)
    import_key = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=500)
    name_en = models.CharField(max_length=500, blank=True)
    name_pinyin = models.CharField(max_length=600, blank=True)
    description = models.TextField(blank=True, max_length=4000)
    description_en = models.TextField(blank=True, max_length=4000)
    keywords = models.JSONField(default=list, blank=True)
    region_code = models.CharField(max_length=6, blank=True)
    access_terms = models.TextField(blank=True, max_length=1500)
    licence = models.CharField(max_length=200, blank=True)
    contact_name = models.CharField(max_length=100, blank=True)
    contact_phone = models.CharField(max_length=50, blank=True)
    contact_email = models.EmailField(blank=True)
    doi = models.CharField(max_length=200, blank=True)
    cstr = models.CharField(max_length=200, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    published = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "kind", "import_key"],
                condition=~models.Q(import_key=""),
                name="resource_import_key_unique",
            )
        ]
        indexes = [
            models.Index(fields=["kind", "name_pinyin", "id"], name="resource_by_name"),
        ]

    def __str__(self) -> str:
        return self.name


class PriceUnit(models.TextChoices):
    """What a test item's price is for."""

    SAMPLE = "sample"
    ELEMENT = "element"
    TEST = "test"
    HOUR = "hour"
    DAY = "day"
    BATCH = "batch"
    HALF_DAY = "half_day"
    RUN = "run"
    CONSUMABLE = "consumable"
    OPERATOR_HOUR = "operator_hour"


class TestItem(models.Model):
    """What is measured (检测项目): method and standard, matrix, quantities with limits, sample needs, turnaround, the instruments.

    ``analytes`` is a list of ``{"name": "Li", "limit": "0.01", "unit": "mg/L"}``; ``turnaround_days`` are workdays from receipt of
    the samples; ``daily_capacity`` samples a day, None when the lab does not say. ``service_kind`` is the kind of service where it is not
    ordinary testing (a statutory inspection and the like, by its code in programmes), else empty.
    """

    __test__ = False  # not a test of pytest's

    resource = models.OneToOneField(Resource, on_delete=models.CASCADE, primary_key=True, related_name="test_item")
    method = models.CharField(max_length=300, blank=True)
    standard = models.CharField(max_length=500, blank=True)
    condition = models.CharField(max_length=500, blank=True)
    group = models.CharField(max_length=100, blank=True)
    matrix = models.CharField(max_length=200, blank=True)
    analytes = models.JSONField(default=list, blank=True)
    sample_amount = models.CharField(max_length=200, blank=True)
    sample_preparation = models.TextField(blank=True, max_length=1000)
    turnaround_days = models.PositiveIntegerField(null=True, blank=True)
    daily_capacity = models.PositiveIntegerField(null=True, blank=True)
    price_unit = models.CharField(max_length=20, choices=PriceUnit.choices, default=PriceUnit.SAMPLE)
    service_kind = models.CharField(max_length=30, blank=True, db_default="", default="")
    instruments = models.ManyToManyField(Instrument, blank=True, related_name="test_items")


class Qualification(models.Model):
    """A qualification of a test item such as CMA or CNAS, with the certificate and the local days on which it is valid."""

    test_item = models.ForeignKey(TestItem, on_delete=models.CASCADE, related_name="qualifications")
    scheme = models.CharField(max_length=30)
    certificate_number = models.CharField(max_length=100, blank=True)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)


class Germplasm(models.Model):
    """A germplasm accession. ``descriptors`` holds the fields of its ``standard``: MCPD v2.1 for plants, Darwin Core for
    livestock and strains, by their standard names and as text, so that a file comes out as it went in.

    Latitude and longitude are decimal degrees (from DMS where only that is given).
    """

    resource = models.OneToOneField(Resource, on_delete=models.CASCADE, primary_key=True, related_name="germplasm")
    standard = models.CharField(max_length=10, choices=[("mcpd", "MCPD v2.1"), ("dwc", "Darwin Core")])
    institute_code = models.CharField(max_length=40, blank=True)
    genus = models.CharField(max_length=100, blank=True)
    species = models.CharField(max_length=200, blank=True)
    origin_country = models.CharField(max_length=3, blank=True)
    latitude = models.DecimalField(max_digits=8, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    descriptors = models.JSONField(default=dict, blank=True)


class DataSet(models.Model):
    """A scientific data set, in the terms of DCAT 3 and schema.org. Temporal cover are local days; sizes are bytes."""

    resource = models.OneToOneField(Resource, on_delete=models.CASCADE, primary_key=True, related_name="dataset")
    creators = models.JSONField(default=list, blank=True)
    issued_on = models.DateField(null=True, blank=True)
    version = models.CharField(max_length=50, blank=True)
    media_types = models.JSONField(default=list, blank=True)
    size_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    temporal_from = models.DateField(null=True, blank=True)
    temporal_to = models.DateField(null=True, blank=True)
    spatial = models.CharField(max_length=200, blank=True)
    landing_page = models.URLField(max_length=300, blank=True)
    instruments = models.ManyToManyField(Instrument, blank=True, related_name="data_sets")


class Literature(models.Model):
    """S&T literature in the terms of Dublin Core, linked to the instruments that supported it."""

    resource = models.OneToOneField(Resource, on_delete=models.CASCADE, primary_key=True, related_name="literature")
    creators = models.JSONField(default=list, blank=True)
    issued = models.CharField(max_length=10, blank=True)
    publisher = models.CharField(max_length=300, blank=True)
    type = models.CharField(max_length=50, blank=True)
    language = models.CharField(max_length=20, blank=True)
    source = models.CharField(max_length=500, blank=True)
    rights = models.CharField(max_length=300, blank=True)
    instruments = models.ManyToManyField(Instrument, blank=True, related_name="literature")


class ResourceRequestState(models.TextChoices):
    """A request's life: asked for, then approved or refused, delivered, and with feedback closed; or withdrawn."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    DELIVERED = "delivered"
    CLOSED = "closed"


class DeliveryMode(models.TextChoices):
    FILE = "file"
    VISIT = "visit"
    SAMPLE = "sample"


class ResourceRequest(models.Model):
    """Somebody applies for a resource that is not booked. ``terms`` is the text that was accepted, as it stood then.

    ``rating`` is 1 to 5. The state is written only by ``instruments.services.resource_requests``.
    """

    resource = models.ForeignKey(Resource, on_delete=models.PROTECT, related_name="requests")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="resource_requests")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=20, choices=ResourceRequestState.choices)
    purpose = models.CharField(max_length=500)
    quantity = models.CharField(max_length=100, blank=True)
    terms = models.TextField(blank=True)
    terms_accepted_at = models.DateTimeField()
    requested_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    delivery_mode = models.CharField(max_length=20, choices=DeliveryMode.choices, blank=True)
    delivery_note = models.CharField(max_length=500, blank=True)
    delivered_file = models.ForeignKey("kernel.StoredFile", null=True, on_delete=models.PROTECT, related_name="+")
    delivered_at = models.DateTimeField(null=True)
    rating = models.PositiveSmallIntegerField(null=True)
    feedback = models.CharField(max_length=1000, blank=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(rating__isnull=True) | models.Q(rating__range=(1, 5)), name="resource_request_rating_1_to_5"
            )
        ]
        indexes = [models.Index(fields=["state", "requested_at"], name="resource_request_by_state")]
