"""What looking at the whole books found, kept."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from config.kernel.models.guards import no_truncate


class BookCheck(models.Model):
    """One look at every seal, paper and stored file, asked for by a person and done by the worker.

    ``outcome`` (None until it is done) has ``seals``, ``transfers``, ``unsealed``, ``head``, ``papers``, ``files`` and ``faults``, a list
    of [code, params] of which each is a sentence. What was found is never changed or deleted.
    """

    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    outcome = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at__isnull=True, outcome__isnull=True) | Q(done_at__isnull=False, outcome__isnull=False),
                name="book_check_done_with_outcome",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="book_check_done_once",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                level=pgtrigger.Row,
                func="""
                    IF OLD.done_at IS NOT NULL OR (OLD.asked_by_id, OLD.asked_at) <> (NEW.asked_by_id, NEW.asked_at) THEN
                        RAISE EXCEPTION 'frozen: what a check found cannot be changed' USING ERRCODE = '23001';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(name="book_check_kept", operation=pgtrigger.Delete),
            no_truncate("book_check_no_truncate"),
        ]

    @property
    def is_clean(self) -> bool:
        """Whether it is done and found nothing."""
        return self.outcome is not None and not self.outcome["faults"]
