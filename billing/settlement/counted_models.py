"""What was given for under a programme in the year of a cap: what rules ask for that go on from what came before."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q

from config.kernel.models.guards import no_truncate


class Counted(models.Model):
    """A service that counts for the ``subject`` (an account's key, its year included) from the moment money is promised for it.

    ``source_type`` / ``source_id`` as of the ledger's transfers; amounts in fen. ``ended_at``: the promise was given up, or a charge took
    its place with what was really used; that one stays for good.
    """

    subject = models.CharField(max_length=200)
    programme_version = models.ForeignKey("billing.ProgrammeVersion", on_delete=models.PROTECT, related_name="+")
    source_type = models.CharField(max_length=30)
    source_id = models.BigIntegerField()
    fee_fen = models.BigIntegerField()
    subsidised_fen = models.BigIntegerField()
    minutes = models.BigIntegerField()
    samples = models.BigIntegerField()
    counted_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source_type", "source_id", "programme_version"],
                condition=Q(ended_at__isnull=True),
                name="counted_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["subject"],
                include=["fee_fen", "subsidised_fen", "minutes", "samples", "source_type", "source_id"],
                condition=Q(ended_at__isnull=True),
                name="counted_by_subject",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="counted_frozen", exclude=["ended_at"]),
            pgtrigger.Protect(
                name="counted_ends_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__ended_at__isnull=False)
            ),
            pgtrigger.Protect(name="counted_kept", operation=pgtrigger.Delete),
            no_truncate("counted_no_truncate"),
        ]
