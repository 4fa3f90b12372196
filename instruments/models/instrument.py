from __future__ import annotations

from django.db import models

from instruments.models.organisation import Organisation


class Site(models.Model):
    """A place with instruments. ``time_zone`` is an IANA name; calendar thinking happens in it."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="sites")
    name = models.CharField(max_length=200)
    name_en = models.CharField(max_length=200, blank=True)
    time_zone = models.CharField(max_length=50, default="Asia/Shanghai")
    region_code = models.CharField(max_length=6, blank=True)
    address = models.CharField(max_length=300, blank=True)
    latitude = models.DecimalField(max_digits=8, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "name"], name="site_unique"),
            models.CheckConstraint(
                condition=(models.Q(latitude__isnull=True) & models.Q(longitude__isnull=True))
                | (models.Q(latitude__range=(-90, 90)) & models.Q(longitude__range=(-180, 180))),
                name="site_coordinates_on_earth",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class InstrumentStatus(models.TextChoices):
    """Running state, as the national record knows it. Only the first two can be booked."""

    NORMAL = "normal"
    OCCASIONALLY_FAULTY = "occasionally_faulty"
    FREQUENTLY_FAULTY = "frequently_faulty"
    UNDER_REPAIR = "under_repair"
    RETIRED = "retired"


BOOKABLE_STATUSES: frozenset[str] = frozenset({InstrumentStatus.NORMAL, InstrumentStatus.OCCASIONALLY_FAULTY})


class ServiceMode(models.TextChoices):
    """How a user is served: occupancy, assisted, commissioned (samples sent), remote."""

    SELF_OPERATED = "self_operated"
    ASSISTED = "assisted"
    COMMISSIONED = "commissioned"
    REMOTE = "remote"


class Affiliation(models.TextChoices):
    """What an instrument belongs to besides its owner (national key ``instrBelongsType``)."""

    NONE = ""
    CENTRE = "centre"
    FACILITY = "facility"
    STATE_KEY_LAB = "state_key_lab"
    ENGINEERING_CENTRE = "engineering_centre"
    GERMPLASM_BANK = "germplasm_bank"


class Acquisition(models.TextChoices):
    """How the owner came by an instrument (national key ``instrSource``)."""

    UNKNOWN = ""
    PURCHASED = "purchased"
    DEVELOPED = "developed"
    DONATED = "donated"
    OTHER = "other"


class UseType(models.TextChoices):
    """General or special use (national key ``type``); the rated hours of the national assessment follow from it."""

    UNKNOWN = ""
    GENERAL = "general"
    SPECIAL = "special"


class ShareMode(models.TextChoices):
    """With whom an instrument is shared (national key ``shareMode``)."""

    UNKNOWN = ""
    INTERNAL = "internal"
    EXTERNAL = "external"
    NOT_SHARED = "not_shared"


class Certification(models.TextChoices):
    """Whether the laboratory is certified to measure with an instrument (CMA, CNAS); empty: nobody said."""

    UNKNOWN = ""
    NONE = "none"
    APPLIED = "applied"
    CERTIFIED = "certified"
    EXPIRED = "expired"


class FundingSource(models.TextChoices):
    """Whose money bought an instrument (national key ``funds``, which counts a district as local and a loan as other)."""

    CENTRAL = "central"
    LOCAL = "local"
    DISTRICT = "district"
    OWN = "own"
    LOAN = "loan"
    OTHER = "other"


class Instrument(models.Model):
    """An instrument that can be found and, when it has opening windows and a price, booked.

    ``calendar`` is a django-scheduler calendar; instruments that exclude each other share one. ``inner_id`` is the owner's own
    number; ``import_key`` identifies a row that came from a file (owner's number, else row hash and ordinal).
    ``original_value_fen`` is the purchase value in fen. ``nation_code`` is the country of
    origin (ISO 3166-1, two letters); ``subject_codes`` and ``technique_codes`` are codes of the schemes ``gbt13745`` and ``panet``.
    The texts from ``technical_indicators`` on are those of the national single-instrument record. ``attributes`` keeps columns of
    an imported list that no field of ours takes, by header, so that nothing is lost on the way out.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="instruments")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="instruments")
    calendar = models.ForeignKey("schedule.Calendar", on_delete=models.PROTECT, related_name="instruments")
    inner_id = models.CharField(max_length=150, blank=True)
    import_key = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=300)
    name_en = models.CharField(max_length=300, blank=True)
    name_pinyin = models.CharField(max_length=600, blank=True)
    class_code = models.CharField(max_length=6, blank=True, db_index=True)
    model = models.CharField(max_length=300, blank=True)
    manufacturer = models.CharField(max_length=150, blank=True)
    original_value_fen = models.BigIntegerField(null=True, blank=True)
    commissioned_on = models.DateField(null=True, blank=True)
    technique = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True, max_length=4000)
    description_en = models.TextField(blank=True, max_length=4000)
    service_modes = models.JSONField(default=list, blank=True)
    attributes = models.JSONField(default=dict, db_default={}, blank=True)
    status = models.CharField(max_length=30, choices=InstrumentStatus.choices, default=InstrumentStatus.NORMAL)
    published = models.BooleanField(default=True)
    photo = models.ForeignKey("kernel.StoredFile", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    contact_name = models.CharField(max_length=100, blank=True)
    contact_phone = models.CharField(max_length=50, blank=True)
    contact_email = models.EmailField(blank=True)
    contact_address = models.CharField(max_length=300, blank=True)
    contact_postal_code = models.CharField(max_length=20, blank=True)
    department = models.CharField(max_length=200, blank=True)
    affiliation = models.CharField(max_length=30, choices=Affiliation.choices, blank=True, default="")
    affiliation_name = models.CharField(max_length=200, blank=True)
    acquisition = models.CharField(max_length=20, choices=Acquisition.choices, blank=True, default="")
    use_type = models.CharField(max_length=20, choices=UseType.choices, blank=True, default="")
    share_mode = models.CharField(max_length=20, choices=ShareMode.choices, blank=True, default="")
    nation_code = models.CharField(max_length=2, blank=True)
    technical_indicators = models.TextField(blank=True, max_length=1500)
    functions = models.TextField(blank=True, max_length=900)
    subject_codes = models.JSONField(default=list, blank=True)
    technique_codes = models.JSONField(default=list, blank=True)
    keywords = models.JSONField(default=list, blank=True)
    service_content = models.TextField(blank=True, max_length=600)
    achievements = models.TextField(blank=True, max_length=1500)
    access_terms = models.TextField(blank=True, max_length=1500)
    fee_note = models.TextField(blank=True, max_length=1500)
    service_url = models.URLField(max_length=200, blank=True)
    effect_1 = models.TextField(blank=True, max_length=1500)
    effect_2 = models.TextField(blank=True, max_length=1500)
    asset_number = models.CharField(max_length=100, blank=True)
    fixed_asset_code = models.CharField(max_length=100, blank=True, default="", db_default="")
    accessories = models.TextField(blank=True, max_length=1500)
    certification = models.CharField(max_length=20, choices=Certification.choices, blank=True, default="", db_default="")
    known_users = models.TextField(blank=True, max_length=1500, default="", db_default="")
    purchased_on = models.DateField(null=True, blank=True)
    imported = models.BooleanField(null=True, blank=True)
    customs_supervised = models.BooleanField(null=True, blank=True)
    training_needed = models.BooleanField(default=False)
    doi = models.CharField(max_length=200, blank=True)
    cstr = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "import_key"],
                condition=~models.Q(import_key=""),
                name="instrument_import_key_unique",
            ),
            models.CheckConstraint(
                condition=models.Q(original_value_fen__isnull=True) | models.Q(original_value_fen__gte=0),
                name="instrument_value_not_negative",
            ),
        ]
        indexes = [
            models.Index(fields=["name_pinyin", "id"], name="instrument_by_name"),
        ]

    def __str__(self) -> str:
        return self.name
