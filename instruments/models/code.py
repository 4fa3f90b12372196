from __future__ import annotations

from django.conf import settings
from django.db import models


class CodeScheme(models.TextChoices):
    """The lists that an operator can load besides what is shipped."""

    INSTRUMENT_CLASS = "nrii"
    SUBJECT = "gbt13745"
    NATION = "iso3166"
    DIVISION = "gbt2260"
    TECHNIQUE = "panet"


class Code(models.Model):
    """One entry of a code list with the local days ``[valid_from, valid_to)`` on which it holds; None is open.

    ``level`` counts from 1 (the top); ``parent_code`` is of the same scheme. ``aliases`` are other names people use, ``more_parents``
    further codes of the scheme that it is under.
    """

    scheme = models.CharField(max_length=20, choices=CodeScheme.choices)
    code = models.CharField(max_length=100)
    parent_code = models.CharField(max_length=100, blank=True)
    level = models.PositiveSmallIntegerField(default=1)
    name = models.CharField(max_length=300, blank=True)
    name_en = models.CharField(max_length=300, blank=True)
    aliases = models.JSONField(default=list, blank=True)
    more_parents = models.JSONField(default=list, db_default=[], blank=True)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scheme", "code", "valid_from"], name="code_once", nulls_distinct=False),
            models.CheckConstraint(
                condition=models.Q(valid_from__isnull=True)
                | models.Q(valid_to__isnull=True)
                | models.Q(valid_from__lt=models.F("valid_to")),
                name="code_valid_some_day",
            ),
        ]
        indexes = [models.Index(fields=["scheme", "parent_code"], name="code_by_parent")]

    def __str__(self) -> str:
        return f"{self.code} {self.name or self.name_en}"


class CodeLoad(models.Model):
    """A code list that was taken in and what it changed, kept so that it can be taken back.

    ``begun`` and ``ended`` are ids of codes; ``before`` the codes that it corrected, or took out because they began the very same day,
    as they were (field to value).
    """

    scheme = models.CharField(max_length=20, choices=CodeScheme.choices)
    valid_from = models.DateField()
    file_name = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField(max_length=64)
    begun = models.JSONField(default=list)
    ended = models.JSONField(default=list)
    before = models.JSONField(default=list)
    loaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    loaded_at = models.DateTimeField()
    taken_back_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    taken_back_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [models.Index(fields=["scheme", "-id"], name="code_load_newest")]


class PolicyZone(models.Model):
    """A zone of a policy that has no division code, such as a high-tech zone; ``region_code`` is the division it lies in."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    name_en = models.CharField(max_length=200, blank=True)
    region_code = models.CharField(max_length=6, blank=True)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
