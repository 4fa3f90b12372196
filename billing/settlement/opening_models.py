"""What firms received this year before or elsewhere, and what was subsidised already, loaded with evidence."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from config.kernel.models.guards import append_only, no_truncate

#: What was loaded counts once: another balance only after the one before it was taken back.
_AFTER_REVERSAL = """
IF NOT EXISTS (
    SELECT FROM billing_openingbalance b JOIN billing_openingreversal r ON r.balance_id = b.id
     WHERE (b.organisation_id, b.programme_id, b.cap_id, b.year, b.revision)
         = (NEW.organisation_id, NEW.programme_id, NEW.cap_id, NEW.year, NEW.revision - 1)) THEN
    RAISE EXCEPTION 'the opening balance before revision % stands', NEW.revision USING ERRCODE = '23001';
END IF;
RETURN NEW;
"""


class OpeningLoad(models.Model):
    """One hand-in: the table as it was, the paper behind it, and why."""

    table = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    evidence = models.ForeignKey("kernel.StoredFile", on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    row_count = models.PositiveIntegerField()
    loaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    loaded_at = models.DateTimeField()

    class Meta:
        triggers = [append_only("opening_load_append_only"), no_truncate("opening_load_no_truncate")]


class OpeningBalance(models.Model):
    """``amount_fen`` that an organisation had from a programme under one cap in ``year``, posted to the cap's account when loaded.

    A wrong one is taken back (``OpeningReversal``); the right one that is loaded then is its next ``revision``.
    """

    batch = models.ForeignKey(OpeningLoad, on_delete=models.PROTECT, related_name="balances")
    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")
    programme = models.ForeignKey("billing.Programme", on_delete=models.PROTECT, related_name="+")
    cap_id = models.CharField(max_length=40)
    year = models.PositiveSmallIntegerField()
    revision = models.PositiveSmallIntegerField(default=0, db_default=0)
    amount_fen = models.BigIntegerField()
    account = models.ForeignKey("billing.Account", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "programme", "cap_id", "year", "revision"], name="opening_once"),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="opening_positive"),
        ]
        triggers = [
            append_only("opening_balance_append_only"),
            no_truncate("opening_balance_no_truncate"),
            pgtrigger.Trigger(
                name="opening_after_reversal",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__revision__gt=0),
                func=_AFTER_REVERSAL,
            ),
        ]


class OpeningReversal(models.Model):
    """A balance that was wrong, given back to its account with the paper and the reason of ``batch``. Once for each balance."""

    balance = models.OneToOneField(OpeningBalance, on_delete=models.PROTECT, related_name="reversal")
    batch = models.ForeignKey(OpeningLoad, on_delete=models.PROTECT, related_name="reversals")

    class Meta:
        triggers = [append_only("opening_reversal_append_only"), no_truncate("opening_reversal_no_truncate")]


class SubsidisedItem(models.Model):
    """An invoice or a project that took a programme of an exclusive class already: it takes none of that class again."""

    batch = models.ForeignKey(OpeningLoad, on_delete=models.PROTECT, related_name="items")
    exclusive_class = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=[("invoice", "invoice"), ("project", "project")])
    reference = models.CharField(max_length=200)
    organisation = models.ForeignKey("instruments.Organisation", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["exclusive_class", "kind", "reference"], name="subsidised_once_per_class")]
        triggers = [append_only("subsidised_item_append_only"), no_truncate("subsidised_item_no_truncate")]
