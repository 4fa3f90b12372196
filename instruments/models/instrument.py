from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
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

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="site_unique")]

    def __str__(self) -> str:
        return self.name


class InstrumentStatus(models.TextChoices):
    """Running state. Only the first two can be booked."""

    NORMAL = "normal"
    OCCASIONALLY_FAULTY = "occasionally_faulty"
    UNDER_REPAIR = "under_repair"
    RETIRED = "retired"


BOOKABLE_STATUSES: frozenset[str] = frozenset({InstrumentStatus.NORMAL, InstrumentStatus.OCCASIONALLY_FAULTY})


class ServiceMode(models.TextChoices):
    """How a user is served: occupancy, assisted, commissioned (samples sent), remote."""

    SELF_OPERATED = "self_operated"
    ASSISTED = "assisted"
    COMMISSIONED = "commissioned"
    REMOTE = "remote"


class Instrument(models.Model):
    """An instrument that can be found and, when it has opening windows and a price, booked.

    ``calendar`` is a django-scheduler calendar; instruments that exclude each other share one. ``inner_id`` is the owner's own
    number; ``import_key`` identifies a row that came from a file (owner's number, else row hash and ordinal).
    ``original_value_fen`` is the purchase value in fen. ``search`` holds our own bigram tokens.
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
    status = models.CharField(max_length=30, choices=InstrumentStatus.choices, default=InstrumentStatus.NORMAL)
    published = models.BooleanField(default=True)
    photo = models.ForeignKey("kernel.StoredFile", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    contact_name = models.CharField(max_length=100, blank=True)
    contact_phone = models.CharField(max_length=50, blank=True)
    contact_email = models.EmailField(blank=True)
    search = SearchVectorField(null=True, editable=False)
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
            GinIndex(fields=["search"], name="instrument_search"),
            models.Index(fields=["name_pinyin", "id"], name="instrument_by_name"),
        ]

    def __str__(self) -> str:
        return self.name


class CalendarEntryKind(models.TextChoices):
    OPENING = "opening"
    CLOSURE = "closure"


class CalendarEntry(models.Model):
    """Marks a django-scheduler event as an opening window or a closure of its calendar.

    The event's first start and end, its rule and its moved or cancelled occurrences are stored there and expanded by
    ``instruments.rules.opening`` in the site's local wall time.
    """

    event = models.OneToOneField("schedule.Event", on_delete=models.CASCADE, related_name="entry")
    calendar = models.ForeignKey("schedule.Calendar", on_delete=models.CASCADE, related_name="entries")
    kind = models.CharField(max_length=20, choices=CalendarEntryKind.choices)
    time_zone = models.CharField(max_length=50)
    reason = models.CharField(max_length=200, blank=True)
