"""Subsidy programmes and their versions."""

from __future__ import annotations

from datetime import date, timedelta

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

#: The date basis is worked out of the document after this trigger, so that it is not there yet.
_FROZEN = """
IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'valid' - 'date_basis' = to_jsonb(OLD) - 'valid' - 'date_basis'
   AND lower(NEW.valid) = lower(OLD.valid) AND upper(NEW.valid) < upper(OLD.valid) AND EXISTS (
    SELECT FROM billing_versionend e WHERE e.version_id = NEW.id AND e.state = 'set' AND e.last_on + 1 = upper(NEW.valid)) THEN
    RETURN NEW;
END IF;
RAISE EXCEPTION 'a published version does not change; it only ends as a record of two people says' USING ERRCODE = '23001';
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

    ``valid`` is a half-open range of dates, of the document until a ``VersionEnd`` ends it earlier: by it a version is chosen. What was
    promised under a version before it ended stays with it, so what an award may be of are the days of the document. Published versions of a
    programme never overlap (exclusion constraint ``programme_version_no_overlap``, made in a migration).
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
            pgtrigger.Trigger(
                name="programme_version_immutable",
                operation=pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                level=pgtrigger.Row,
                condition=pgtrigger.Q(old__published_at__isnull=False),
                func=_FROZEN,
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

    @property
    def last_on(self) -> date:
        """The last day on which it is chosen."""
        last: date = self.valid.upper - timedelta(days=1)
        return last
