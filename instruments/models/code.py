from __future__ import annotations

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

    ``level`` counts from 1 (the top); ``parent_code`` is of the same scheme. ``aliases`` are other names people use.
    """

    scheme = models.CharField(max_length=20, choices=CodeScheme.choices)
    code = models.CharField(max_length=100)
    parent_code = models.CharField(max_length=100, blank=True)
    level = models.PositiveSmallIntegerField(default=1)
    name = models.CharField(max_length=300, blank=True)
    name_en = models.CharField(max_length=300, blank=True)
    aliases = models.JSONField(default=list, blank=True)
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
