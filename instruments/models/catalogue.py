from __future__ import annotations

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from instruments.models.instrument import Instrument
from instruments.models.organisation import Organisation
from instruments.models.resource import Resource, ResourceKind


class CatalogueKind(models.TextChoices):
    """Everything that can be found. The first two are instruments, and booked."""

    INSTRUMENT = "instrument"
    FACILITY = "facility"
    TEST_ITEM = ResourceKind.TEST_ITEM.value
    GERMPLASM = ResourceKind.GERMPLASM.value
    DATASET = ResourceKind.DATASET.value
    LITERATURE = ResourceKind.LITERATURE.value


#: What of a booking policy a time is found by.
POLICY_NUMBERS = ("notice_minutes", "horizon_days", "granularity_minutes", "min_minutes", "max_minutes")
#: What stands beside each technique of an entry, so that a time is found by technique and place without its row.
BESIDE_TECHNIQUES = ("region_code", "instrument_id", "calendar_id", "bookable", "price_from_fen", *POLICY_NUMBERS)


def _keep_techniques() -> pgtrigger.Trigger:
    """Trigger for the entries: ``CatalogueTechnique`` has what they say, whoever writes them."""
    told = ("public", "facets", *BESIDE_TECHNIQUES)
    old, new = (", ".join(f"{row}.{name}" for name in told) for row in ("OLD", "NEW"))
    return pgtrigger.Trigger(
        name="techniques_follow_entries",
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        when=pgtrigger.After,
        level=pgtrigger.Row,
        func=f"""
            IF TG_OP = 'UPDATE' AND ({old}) IS NOT DISTINCT FROM ({new}) THEN
                RETURN NULL;
            END IF;
            IF TG_OP <> 'INSERT' AND OLD.instrument_id IS NOT NULL THEN
                DELETE FROM instruments_cataloguetechnique WHERE entry_id = OLD.id;
            END IF;
            IF TG_OP <> 'DELETE' AND NEW.instrument_id IS NOT NULL AND NEW.public THEN
                INSERT INTO instruments_cataloguetechnique (entry_id, technique, {", ".join(BESIDE_TECHNIQUES)})
                SELECT NEW.id, substr(facet, 3), {", ".join(f"NEW.{name}" for name in BESIDE_TECHNIQUES)}
                  FROM unnest(NEW.facets) facet WHERE facet LIKE 't:%';
            END IF;
            RETURN NULL;
        """,  # noqa: S608  (our own names)
    )


class CatalogueEntry(models.Model):
    """One thing that can be found, flat: what search, facets and find-a-time read. Derived from the rows it stands for, in the same
    transaction; ``manage.py rebuild_search`` makes all of it anew. Its one writer is ``instruments.services.catalogue``.

    ``public`` is published and not of a suspended owner, since ``public_at``. ``bookable`` has opening hours and a status that allows
    booking.
    ``price_from_fen`` is the lowest public price: of an hour for instruments, of ``price_unit`` for test items; None without a price.
    ``region_code`` is the site's (or the resource's); ``zones`` are slugs of policy zones. ``technique_codes`` are those that are
    declared, else those that name and technique tell. ``notice_minutes`` to ``max_minutes`` are what an instrument's booking policy says
    to everybody (None for resources; without a longest length, too, where some times know none). ``search`` holds our own tokens
    (``instruments.services.search_tokens``). ``facets`` are all values by which the entry is filtered and counted
    (``instruments.rules.facets``). ``behind`` are the ids of the instruments behind a test item, when the entry was written.
    """

    kind = models.CharField(max_length=20, choices=CatalogueKind.choices)
    instrument = models.OneToOneField(Instrument, null=True, on_delete=models.CASCADE, related_name="entry")
    resource = models.OneToOneField(Resource, null=True, on_delete=models.CASCADE, related_name="entry")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    calendar = models.ForeignKey("schedule.Calendar", null=True, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=500)
    name_en = models.CharField(max_length=500, blank=True)
    name_pinyin = models.CharField(max_length=600, blank=True)
    search = SearchVectorField(null=True, editable=False)
    facets = ArrayField(models.CharField(max_length=110), default=list, blank=True)
    behind = ArrayField(models.BigIntegerField(), default=list, blank=True)
    class_code = models.CharField(max_length=6, blank=True)
    region_code = models.CharField(max_length=6, blank=True)
    zones = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    technique_codes = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    service_modes = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    status = models.CharField(max_length=30, blank=True)
    public = models.BooleanField(default=False)
    public_at = models.DateTimeField(null=True)
    bookable = models.BooleanField(default=False)
    training_needed = models.BooleanField(default=False)
    approval_needed = models.BooleanField(default=True)
    price_from_fen = models.BigIntegerField(null=True)
    price_unit = models.CharField(max_length=20, blank=True)
    subsidy_eligible = models.BooleanField(default=False)
    notice_minutes = models.PositiveIntegerField(null=True)
    horizon_days = models.PositiveIntegerField(null=True)
    granularity_minutes = models.PositiveIntegerField(null=True)
    min_minutes = models.PositiveIntegerField(null=True)
    max_minutes = models.PositiveIntegerField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        triggers = [_keep_techniques()]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(instrument__isnull=False, resource__isnull=True, kind__in=["instrument", "facility"])
                | (models.Q(instrument__isnull=True, resource__isnull=False) & ~models.Q(kind__in=["instrument", "facility"])),
                name="catalogue_entry_of_one_thing",
            )
        ]
        indexes = [
            GinIndex(fields=["search"], name="catalogue_search"),
            GinIndex(fields=["facets"], name="catalogue_facets"),
            GinIndex(fields=["technique_codes"], name="catalogue_by_technique"),
            models.Index(fields=["kind", "class_code"], name="catalogue_by_class"),
            models.Index(fields=["region_code"], name="catalogue_by_region"),
            models.Index(fields=["name_pinyin", "id"], name="catalogue_by_name"),
            models.Index(fields=["updated_at"], name="catalogue_by_change"),
            models.Index(fields=["public_at", "id"], name="catalogue_newest"),
        ]


class CatalogueTechnique(models.Model):
    """An entry of an instrument that everybody may see, under each technique that finds it, the wider ones too: what finding a time by
    technique and place reads, side by side in one index, where the entries themselves lie apart. The database keeps it with the
    entries (``techniques_follow_entries``); columns are theirs."""

    entry_id = models.BigIntegerField()
    technique = models.CharField(max_length=108)
    region_code = models.CharField(max_length=6, blank=True)
    instrument_id = models.BigIntegerField()
    calendar_id = models.BigIntegerField(null=True)
    bookable = models.BooleanField()
    price_from_fen = models.BigIntegerField(null=True)
    notice_minutes = models.PositiveIntegerField(null=True)
    horizon_days = models.PositiveIntegerField(null=True)
    granularity_minutes = models.PositiveIntegerField(null=True)
    min_minutes = models.PositiveIntegerField(null=True)
    max_minutes = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry_id", "technique"], name="catalogue_technique_once")]
        indexes = [
            models.Index(
                fields=["technique", "region_code"],
                include=[name for name in BESIDE_TECHNIQUES if name != "region_code"],
                name="catalogue_technique_at",
            )
        ]
