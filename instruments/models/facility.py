"""What makes an instrument a large research facility: the sheet that the national network keeps of it."""

from __future__ import annotations

from django.db import models

from instruments.models.instrument import Instrument


class FacilityConstruction(models.TextChoices):
    """How far it is built (the sheet's 建设情况)."""

    UNKNOWN = ""
    UNDER_CONSTRUCTION = "under_construction"
    BUILT = "built"


class FacilityCategory(models.TextChoices):
    """For whom it is built (the sheet's 设施类别)."""

    UNKNOWN = ""
    SPECIAL = "special"
    PUBLIC = "public"
    WELFARE = "welfare"


class FacilityRecord(models.Model):
    """An instrument with this record is a large research facility (national record type 2), and is booked like any other.

    What the instrument's own fields say already is not said again: the cost of construction is its original value, the technical
    centre its technical indicators. The persons are for the national sheet only; nobody but who manages it is shown them.
    """

    instrument = models.OneToOneField(Instrument, on_delete=models.CASCADE, related_name="facility")
    abbreviation = models.CharField(max_length=100, blank=True)
    construction = models.CharField(max_length=20, choices=FacilityConstruction.choices, blank=True, default="")
    category = models.CharField(max_length=20, choices=FacilityCategory.choices, blank=True, default="")
    accepted_on = models.DateField(null=True, blank=True)
    supervising_department = models.CharField(max_length=200, blank=True)
    host_institution = models.CharField(max_length=200, blank=True)
    approving_department = models.CharField(max_length=200, blank=True)
    website = models.URLField(max_length=200, blank=True)
    video_url = models.URLField(max_length=200, blank=True)
    domestic_users = models.TextField(max_length=1000, blank=True)
    foreign_users = models.TextField(max_length=1000, blank=True)
    contact_unit = models.CharField(max_length=200, blank=True)
    contact_title = models.CharField(max_length=100, blank=True)
    scientist_name = models.CharField(max_length=100, blank=True)
    scientist_phone = models.CharField(max_length=50, blank=True)
    scientist_email = models.EmailField(blank=True)
    scientist_unit = models.CharField(max_length=200, blank=True)
    scientist_title = models.CharField(max_length=100, blank=True)
    manager_name = models.CharField(max_length=100, blank=True)
    manager_phone = models.CharField(max_length=50, blank=True)
    manager_email = models.EmailField(blank=True)
    manager_unit = models.CharField(max_length=200, blank=True)
    manager_title = models.CharField(max_length=100, blank=True)
    layout_url = models.URLField(max_length=200, blank=True)
    key_parts_url = models.URLField(max_length=200, blank=True)
    second_layout_url = models.URLField(max_length=200, blank=True)
    experiment_url = models.URLField(max_length=200, blank=True)
    organisation_rules_url = models.URLField(max_length=200, blank=True)
    fee_rules_url = models.URLField(max_length=200, blank=True)
    application_rules_url = models.URLField(max_length=200, blank=True)
