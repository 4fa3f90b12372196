"""Subsidy programmes and their versions."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KT

from config.kernel.models.guards import no_truncate

_SECOND_PERSON = """
IF NEW.published_at IS NOT NULL AND EXISTS (
    SELECT FROM billing_programmedraft d JOIN billing_draftwriter w ON w.draft_id = d.id
     WHERE d.version_id = NEW.id AND w.person_id = NEW.approver_id) THEN
    RAISE EXCEPTION 'who wrote in a draft does not approve it' USING ERRCODE = '23514';
END IF;
RETURN NEW;
"""


class Programme(models.Model):
    """A public funding programme; its rules are the documents of its versions."""

    code = models.CharField(max_length=40, unique=True)
    issuer = models.ForeignKey("instruments.Organisation", null=True, on_delete=models.PROTECT, related_name="programmes")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.code


class ProgrammeVersion(models.Model):
    """One dated document. Published by somebody other than its author and than all who wrote in its draft, then immutable (triggers).

    ``valid`` is a half-open range of dates; published versions of a programme never overlap (exclusion constraint
    ``programme_version_no_overlap``, made in a migration).
    """

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="versions")
    label = models.CharField(max_length=40)
    valid = DateRangeField()
    document = models.JSONField()
    date_basis = models.GeneratedField(expression=KT("document__date_basis"), output_field=models.TextField(), db_persist=True)
    """The date by which a version is chosen: of the service, the invoice, the claim or the approval; by the database from the document."""
    document_sha256 = models.CharField(max_length=64)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    approver = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["programme", "label"], name="programme_version_label"),
            models.CheckConstraint(
                condition=Q(published_at__isnull=True)
                | (Q(author__isnull=False, approver__isnull=False) & ~Q(approver=F("author"))),
                name="programme_version_two_people",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="programme_version_immutable",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__published_at__isnull=False),
            ),
            pgtrigger.Trigger(
                name="programme_version_second_person",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                level=pgtrigger.Row,
                func=_SECOND_PERSON,
            ),
            no_truncate("programme_version_no_truncate"),
        ]
