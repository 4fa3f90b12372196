"""A centre in which an owner runs instruments together, as the national network keeps it (type 1)."""

from __future__ import annotations

from django.db import models


class InstrumentCentre(models.Model):
    """What an owner reports of a centre. An instrument belongs to it that says so itself (``Instrument.affiliation`` is ``centre`` and
    ``affiliation_name`` its number or name), so nothing hangs on this row. For who manages the owner: it names a contact person.

    ``subject_codes`` as of an instrument; ``floor_area_m2`` in square metres; ``accredited``: whether its laboratory is (CMA, CNAS), None
    where nobody said.
    """

    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="centres")
    inner_id = models.CharField(max_length=150)
    name = models.CharField(max_length=300)
    website = models.CharField(max_length=200, blank=True)
    founded_on = models.DateField(null=True)
    subject_codes = models.JSONField(default=list)
    accredited = models.BooleanField(null=True)
    floor_area_m2 = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    introduction = models.CharField(max_length=200, blank=True)
    region_code = models.CharField(max_length=6, blank=True)
    contact_name = models.CharField(max_length=100, blank=True)
    contact_phone = models.CharField(max_length=50, blank=True)
    contact_email = models.CharField(max_length=254, blank=True)
    contact_address = models.CharField(max_length=300, blank=True)
    contact_postal_code = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "inner_id"], name="centre_number_once"),
            models.CheckConstraint(condition=~models.Q(inner_id="") & ~models.Q(name=""), name="centre_has_number_and_name"),
            models.CheckConstraint(
                condition=models.Q(floor_area_m2__isnull=True) | models.Q(floor_area_m2__gte=0), name="centre_area_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.name
