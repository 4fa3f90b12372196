"""Money that is added to a programme's account: one person asks, another one says yes, and only then it moves."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.kernel.models.decisions import decided_once, two_people

SOURCE = "top_up"


class TopUp(models.Model):
    """``amount_fen`` (fen) for ``account``, asked for with a reason. ``added`` by somebody else, or ``refused`` by anybody who keeps
    accounts, whoever asked included; ``answer`` is why.

    The database lets nothing leave the treasury but by one that was added (trigger ``transfer_top_up_of_two``).
    """

    class State(models.TextChoices):
        ASKED = "asked"
        ADDED = "added"
        REFUSED = "refused"

    account = models.ForeignKey("billing.Account", on_delete=models.PROTECT, related_name="top_ups")
    amount_fen = models.BigIntegerField()
    reason = models.CharField(max_length=500)
    state = models.CharField(max_length=8, choices=State.choices, default=State.ASKED)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="top_up_positive"),
            *two_people("top_up", "added"),
        ]
        indexes = [models.Index(fields=["account"], condition=Q(state="asked"), name="top_up_waiting")]
        triggers = decided_once("top_up")


#: What leaves the treasury was decided by two people, once, for this account and amount: a top-up, or the quota of a voucher
#: announcement, which CHECK ``announcement_two_people`` has published by another than its author.
TREASURY_GIVES_TO_TWO = f"""
IF (SELECT a.key FROM billing_account a WHERE a.id = NEW.debit_id) = 'treasury' THEN
    PERFORM 1 FROM billing_topup t
     WHERE NEW.source_type = '{SOURCE}' AND t.id = NEW.source_id AND t.state = 'added' AND t.decided_by_id = NEW.actor_id
       AND t.account_id = NEW.credit_id AND t.amount_fen = NEW.amount_fen
       AND NOT EXISTS (SELECT FROM billing_transfer b WHERE b.source_type = '{SOURCE}' AND b.source_id = t.id)
     UNION ALL
    SELECT 1 FROM billing_voucherquota q JOIN billing_voucherannouncement n ON n.id = q.announcement_id
     WHERE NEW.source_type = 'announcement' AND n.id = NEW.source_id AND n.approver_id = NEW.actor_id
       AND q.account_id = NEW.credit_id AND q.amount_fen = NEW.amount_fen
       AND NOT EXISTS (SELECT FROM billing_transfer b WHERE b.source_type = 'announcement' AND b.credit_id = NEW.credit_id);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'what leaves the treasury was decided by two people' USING ERRCODE = '23514';
    END IF;
END IF;
RETURN NEW;
"""  # noqa: S608  (a constant of ours)
